"""What makes a password good and a sign-in allowed. Pure: policy and instants come in as values."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

#: No 0/O, 1/l/I: a one-time password is read aloud and copied by hand.
_READABLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ONE_TIME_LENGTH = 16


@dataclass(frozen=True)
class SignInPolicy:
    """How staff sign in (resources/policy/staff.toml)."""

    failures_until_lock: int = 5
    lock_for: timedelta = timedelta(minutes=15)
    session_for: timedelta = timedelta(hours=12)
    min_length: int = 10
    kinds_needed: int = 2
    passphrase_length: int = 16
    max_age: timedelta = timedelta(days=90)
    history: int = 5
    one_time_for: timedelta = timedelta(hours=72)

    @classmethod
    def from_tables(cls, document: dict[str, dict[str, int]]) -> SignInPolicy:
        """Read the policy file's two tables."""
        sign_in, password = document["sign_in"], document["password"]
        return cls(
            failures_until_lock=sign_in["failures_until_lock"],
            lock_for=timedelta(minutes=sign_in["lock_minutes"]),
            session_for=timedelta(hours=sign_in["session_hours"]),
            min_length=password["min_length"],
            kinds_needed=password["kinds_needed"],
            passphrase_length=password["passphrase_length"],
            max_age=timedelta(days=password["max_age_days"]),
            history=password["history"],
            one_time_for=timedelta(hours=password["one_time_hours"]),
        )


def strong_enough(password: str, staff_no: str, policy: SignInPolicy) -> bool:
    """True when a password may be taken: long, of several kinds (or very long), without the staff number in it."""
    if len(password) < policy.min_length or len(set(password)) < policy.min_length // 2:
        return False
    if len(staff_no) >= 3 and staff_no.lower() in password.lower():
        return False
    if len(password) >= policy.passphrase_length:
        return True
    kinds = {"a" if char.islower() else "A" if char.isupper() else "0" if char.isdigit() else "-" for char in password}
    return len(kinds) >= policy.kinds_needed


def new_one_time_password() -> str:
    """A fresh password to be told once: 16 readable characters, about 93 bits."""
    return "".join(secrets.choice(_READABLE) for _ in range(_ONE_TIME_LENGTH))


def lock_after(failed_count: int, now: datetime, policy: SignInPolicy) -> datetime | None:
    """Until when a staff number is locked after its ``failed_count``-th wrong password in a row; None = not at all."""
    return now + policy.lock_for if failed_count >= policy.failures_until_lock else None


def seconds_until(at: datetime, now: datetime) -> int:
    """Whole seconds from now until an instant, rounded up, never below one."""
    return max(1, math.ceil((at - now).total_seconds()))


def must_change(must_change_flag: bool, password_set_at: datetime, now: datetime, policy: SignInPolicy) -> bool:
    """True when the only thing this password still opens is its own change."""
    return must_change_flag or now - password_set_at >= policy.max_age
