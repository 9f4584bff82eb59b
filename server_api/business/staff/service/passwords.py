"""Hashing passwords: slow on purpose, so never inside a write turn and never more than two at once."""

from __future__ import annotations

import threading
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache

import argon2

import resources
from server_api.business.staff.rules import SignInPolicy, new_one_time_password, strong_enough
from shared_models.values.faults.staff import PasswordTooWeak

#: argon2-cffi's defaults (RFC 9106, second recommendation): 64 MiB and about 80 ms here. Two at a time bound the memory
#: and keep a flood of sign-ins from starving the payments.
_HASHER = argon2.PasswordHasher()
_TURN = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class GivenPassword:
    """A password made for somebody, and its hash; made before the act that stores the hash."""

    password: str = field(repr=False)
    password_hash: str = field(repr=False)


def hash_password(password: str) -> str:
    """Hash a password (argon2id, about 80 ms)."""
    with _TURN:
        return _HASHER.hash(password)


def password_fits(password_hash: str, password: str) -> bool:
    """True when the password is the one that was hashed."""
    with _TURN:
        try:
            return _HASHER.verify(password_hash, password)
        except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
            return False


def needs_rehash(password_hash: str) -> bool:
    """True when the hash was made with weaker settings than today's."""
    return _HASHER.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def decoy_hash() -> str:
    """A hash nobody's password fits: checked for unknown staff numbers, so that they take as long as known ones."""
    return hash_password(new_one_time_password())


def give_password() -> GivenPassword:
    """Make a one-time password and hash it. Call it before the act: hashing is not for a write turn."""
    password = new_one_time_password()
    return GivenPassword(password, hash_password(password))


def take_password(password: str, staff_no: str) -> GivenPassword:
    """Hash a first password that somebody chose. Raises PasswordTooWeak."""
    if not strong_enough(password, staff_no, policy()):
        raise PasswordTooWeak(min_length=policy().min_length, passphrase_length=policy().passphrase_length)
    return GivenPassword(password, hash_password(password))


@lru_cache(maxsize=1)
def policy() -> SignInPolicy:
    """The policy of this installation."""
    file = resources.path("policy", "staff.toml")
    return SignInPolicy.from_tables(tomllib.loads(file.read_text(encoding="utf-8")))
