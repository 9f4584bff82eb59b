"""Srun's northbound interface as calls and replies: pure, no network.

**Source:** request shapes of the public SDK luguohuakai/srun (MIT) and its Go and Java relatives. Response bodies are
not published beyond their envelope, so unknown keys are let be and known ones are looked for under several names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from server_api.business.provisioning.contract import Scalar

OK, NOT_ALLOWED = 0, 401
NORMAL = "0"
_STATUS = ("user_available", "available", "status")
_PRODUCT = ("products_id", "product_id")
_SESSIONS = ("max_online_num", "max_online")


@dataclass(frozen=True)
class Call:
    """One request without its token: ``path`` below ``api/v1/``."""

    method: str
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The call in one line, as kept in a plan."""
        return f"{self.method} {self.path} {urlencode(self.fields)}".rstrip()

    @classmethod
    def read(cls, text: str) -> Call:
        """Read what ``text`` made."""
        method, path, *rest = text.split(" ", 2)
        return cls(method, path, dict(parse_qsl(rest[0] if rest else "", keep_blank_values=True)))


@dataclass(frozen=True)
class User:
    """A user as far as we compare it."""

    name: str
    status: str
    products: tuple[str, ...]
    sessions: int | None

    def state(self) -> dict[str, Scalar]:
        """The fields of the manifest's state."""
        found: dict[str, Scalar] = {"status": self.status, "product_id": self.products[0] if self.products else ""}
        if self.sessions is not None:
            found["sessions"] = self.sessions
        return found


def open_user(name: str, wanted: Mapping[str, Scalar], manager: str) -> Call:
    """``POST users``."""
    return Call("POST", "users", {
        "user_name": name, "user_real_name": str(wanted.get("real_name") or name),
        "user_password": str(wanted["password"]), "group_id": str(wanted["group_id"]),
        "products_id": str(wanted["product_id"]), "mgr_name_create": manager,
    })  # fmt: skip


def close_user(name: str) -> Call:
    """``DELETE user/delete``."""
    return Call("DELETE", "user/delete", {"user_name": name})


def view_user(name: str) -> Call:
    """``GET user/view``."""
    return Call("GET", "user/view", {"user_name": name})


def list_users(page: int, per_page: int) -> Call:
    """``GET user/super-search``, a page."""
    return Call("GET", "user/super-search", {"page": str(page), "per-page": str(per_page)})


def set_status(name: str, status: str) -> Call:
    """``POST user/user-status-control``: 0 normal, 1 disabled, 2 kept at the user's wish, 3 paused, 4 not opened."""
    return Call("POST", "user/user-status-control", {"user_name": name, "user_available": status})


def set_password(name: str, password: str) -> Call:
    """``POST user/super-reset-password``."""
    return Call("POST", "user/super-reset-password", {"user_name": name, "password": password})


def check_password(name: str, password: str) -> Call:
    """``POST user/validate-users``; the password goes as MD5, as the interface wants it."""
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    return Call("POST", "user/validate-users", {"user_name": name, "password": digest})


def set_sessions(name: str, sessions: int) -> Call:
    """``POST user/max-online-num``."""
    return Call("POST", "user/max-online-num", {"user_name": name, "max_online_num": str(sessions)})


def transfer_product(name: str, old: str, new: str) -> Call:
    """``POST product/transfer-product``: at once (checkout_type 1)."""
    return Call("POST", "product/transfer-product", {
        "user_name": name, "products_id_from": old, "products_id_to": new, "checkout_type": "1"})  # fmt: skip


def sessions_online(name: str) -> Call:
    """``GET base/online-equipment``."""
    return Call("GET", "base/online-equipment", {"user_name": name})


def drop_session(name: str, online_id: str) -> Call:
    """``POST base/online-drop``; its code 0 is an acknowledgement only."""
    return Call("POST", "base/online-drop", {"user_name": name, "drop_type": "radius", "rad_online_id": online_id})


def code_of(envelope: Mapping[str, Any]) -> int | None:
    """The envelope's code, None where it has none."""
    code = envelope.get("code")
    try:
        return None if code is None or isinstance(code, bool) else int(code)
    except (TypeError, ValueError):
        return None


def read_user(data: object) -> User | None:
    """A user out of a reply's data, however it is wrapped; None where there is none in it."""
    if isinstance(data, list):
        data = data[0] if data else None
    if isinstance(data, dict) and isinstance(data.get("user"), dict):
        data = data["user"]
    if not isinstance(data, dict) or not data.get("user_name"):
        return None
    return User(str(data["user_name"]), str(_first(data, _STATUS) or "0"), _products(_first(data, _PRODUCT)),
                _whole(_first(data, _SESSIONS)))  # fmt: skip


def read_users(data: object) -> list[User]:
    """All users of a page."""
    if isinstance(data, dict):
        data = data.get("list") or data.get("users") or []
    users = (read_user(one) for one in data) if isinstance(data, list) else ()
    return [user for user in users if user is not None]


def read_online(data: object) -> list[tuple[str, str]]:
    """Sessions of a reply: (rad_online_id, user_name)."""
    if isinstance(data, dict):
        data = data.get("list") or data.get("data") or []
    if not isinstance(data, list):
        return []
    return [(str(one["rad_online_id"]), str(one.get("user_name", ""))) for one in data
            if isinstance(one, dict) and one.get("rad_online_id") is not None]  # fmt: skip


def _products(value: object) -> tuple[str, ...]:
    """Product ids, given as one, as ``3,5``, or as a list."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        return tuple(str(one.get("products_id", "")) if isinstance(one, dict) else str(one) for one in value)
    return tuple(part.strip() for part in str(value or "").split(",") if part.strip())


def _first(data: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _whole(value: object) -> int | None:
    text = str(value if value is not None else "")
    return int(text) if text.isdigit() else None
