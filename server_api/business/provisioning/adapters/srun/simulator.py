"""A Srun to train and test against: users, products, sessions, tokens, over HTTP as the northbound interface has it.

Texts and codes other than 0 and 401 are invented (they are not published), and so are the spellings in which ``view``
answers: they differ from user to user, as between versions, so that nobody comes to lean on one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server_api.business.provisioning.contract import Scalar, Task
from server_api.business.provisioning.simulation import Fault, FaultMenu, Kind, Turn
from server_api.business.provisioning.simulation_http import HttpSimulator, Request, http_reply

_APP, _SECRET = "simulator", "simulator-secret"
_BUSY = http_reply({"code": 503, "message": "busy"}, 503, {"Retry-After": "1"})
_EXPIRED = http_reply({"code": 401, "message": "access_token 已过期"})
_DENIED = http_reply({"code": 401, "message": "not allowed"})
_READS = ("user/view", "user/super-search", "user/search", "user/validate-users", "base/online-equipment",
          "base/get-online-total")  # fmt: skip


def build(menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> SrunSimulator:
    """A simulated Srun, not started."""
    return SrunSimulator(menu, port=port, control_port=control_port)


def story(number: int) -> Sequence[Task]:
    """A subscriber from his first day to his last."""
    name = f"kd{3_900_000 + number}"
    acts: list[tuple[str, dict[str, Scalar]]] = [
        ("open", {"password": f"pw-{number}", "group_id": "1", "product_id": "3", "real_name": "张三"}),
        ("limit_sessions", {"sessions": 2}),
        ("change_product", {"product_id": "5"}),
        ("kick", {}),
        ("suspend", {"status": "1"}),
        ("resume", {}),
        ("reset_password", {"password": f"new-{number}"}),
        ("suspend", {"status": "2"}),
        ("close", {}),
    ]
    return [Task(f"{number}-{place}", name, act, wanted) for place, (act, wanted) in enumerate(acts)]


class SrunSimulator(HttpSimulator):
    """Keeps users in ``book``; a user that is opened or resumed dials in at once, so that there is one to kick."""

    system = "srun"

    def __init__(self, menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None) -> None:
        super().__init__(menu, port=port, control_port=control_port)
        self.api = "v1"
        self.online: dict[str, list[str]] = {}
        self.passwords: dict[str, str] = {}
        self._tokens: set[str] = set()
        self._counted = 0

    def settings(self) -> Mapping[str, Scalar]:
        """How an adapter reaches it."""
        return {
            "base_url": f"http://127.0.0.1:{self.port}", "api": self.api, "app_id": _APP, "app_secret": _SECRET,
        }  # fmt: skip

    def handle(self, request: Request) -> tuple[Kind, Callable[[], Turn]]:
        """One request."""
        path = request.path.removeprefix("/api/v1/").removeprefix("/api/v2/")
        if path == "auth/get-access-token":
            return Kind.LOGIN, lambda: self._signed_in(request)
        kind = Kind.READ if path in _READS else Kind.WRITE
        fields = request.query if request.method == "GET" else request.form
        if fields.get("access_token") not in self._tokens:
            return kind, lambda: Turn(_DENIED)
        act = f"{request.method} {path}"
        return kind, lambda: self._answered(act, fields)

    def refusals(self, request: Request) -> Mapping[Fault, bytes]:
        """What it says when it does not want to."""
        return {Fault.LOGIN_REFUSED: _DENIED, Fault.SESSION_EXPIRED: _EXPIRED, Fault.BUSY: _BUSY}

    def _signed_in(self, request: Request) -> Turn:
        if request.path.startswith("/api/v2/"):
            form = request.form
            if (form.get("appId"), form.get("appSecret")) != (_APP, _SECRET):
                return Turn(_DENIED)
        self._counted += 1
        token = f"token-{self._counted}"
        self._tokens.add(token)
        return _said({"access_token": token, "lifetime": 7200})

    def _answered(self, act: str, fields: Mapping[str, str]) -> Turn:
        name = fields.get("user_name", "")
        user = self.book.get(name)
        match act:
            case "GET user/super-search":
                return self._page(int(fields.get("page", "1")), int(fields.get("per-page", "20")))
            case "GET base/online-equipment":
                return _said([{"rad_online_id": one, "user_name": name} for one in self.online.get(name, ())])
            case "POST users":
                if user is not None:
                    return _said(None, 1002, "用户已存在")
                return _said(None, effect=lambda: self._open(name, fields))
        if user is None:
            return _said(None, 1001, "用户不存在")
        return self._of_user(act, name, user, fields)

    def _of_user(self, act: str, name: str, user: dict[str, Scalar], fields: Mapping[str, str]) -> Turn:
        match act:
            case "GET user/view":
                wrong = _reply(_viewed(name + "0", user))
                return Turn(_reply(_viewed(name, user)), wrong_echo=wrong)
            case "POST user/validate-users":
                right = hashlib.md5(self.passwords[name].encode(), usedforsecurity=False).hexdigest()
                return _said(None) if fields.get("password") == right else _said(None, 1003, "密码错误")
            case "POST user/user-status-control":
                return _said(None, effect=lambda: self._set(name, "status", fields["user_available"]))
            case "POST user/max-online-num":
                return _said(None, effect=lambda: self._set(name, "sessions", int(fields["max_online_num"])))
            case "POST user/super-reset-password":
                return _said(None, effect=lambda: self._password(name, fields["password"]))
            case "POST product/transfer-product":
                if fields.get("products_id_from") != user["product_id"]:
                    return _said(None, 1004, "产品不存在")
                return _said(None, effect=lambda: self._set(name, "product_id", fields["products_id_to"]))
            case "POST base/online-drop":
                return _said(None, effect=lambda: self._drop(name, fields.get("rad_online_id", "")))
            case "DELETE user/delete":
                return _said(None, effect=lambda: self._close(name))
            case _:
                return _said(None, 404, "no such call")

    def _page(self, page: int, per_page: int) -> Turn:
        names = sorted(self.book)[(page - 1) * per_page : page * per_page]
        return _said([_viewed(name, self.book[name]) for name in names], count=len(self.book))

    # ---- effects ----
    def _open(self, name: str, fields: Mapping[str, str]) -> None:
        if name in self.book:
            return
        self.book[name] = {"status": "0", "product_id": fields["products_id"], "sessions": 1}
        self.passwords[name] = fields["user_password"]
        self._dial_in(name)
        self.happened(name, "opened")

    def _close(self, name: str) -> None:
        if self.book.pop(name, None) is not None:
            self.online.pop(name, None)
            self.happened(name, "closed")

    def _set(self, name: str, field: str, value: Scalar) -> None:
        user = self.book[name]
        if user[field] != value:
            user[field] = value
            self.happened(name, f"{field}={value}")
            if (field, value) == ("status", "0"):
                self._dial_in(name)

    def _password(self, name: str, password: str) -> None:
        if self.passwords[name] != password:
            self.passwords[name] = password
            self.happened(name, "password")

    def _drop(self, name: str, online_id: str) -> None:
        if online_id in self.online.get(name, ()):
            self.online[name].remove(online_id)
            self.happened(name, "dropped")

    def _dial_in(self, name: str) -> None:
        if not self.online.get(name):
            self._counted += 1
            self.online[name] = [str(900 + self._counted)]


def _viewed(name: str, user: Mapping[str, Scalar]) -> dict[str, Any]:
    """A user as ``view`` tells of it, in one of three spellings."""
    status, product, sessions = user.get("status", "0"), user.get("product_id", "1"), user.get("sessions", 1)
    match sum(name.encode()) % 3:
        case 0:
            return {"user_name": name, "user_available": int(str(status)), "products_id": product,
                    "max_online_num": str(sessions), "unheard_of": {"x": 1}}  # fmt: skip
        case 1:
            return {"user_name": name, "user_available": status, "max_online_num": sessions,
                    "products_id": [{"products_id": int(str(product)), "products_name": "包月"}]}  # fmt: skip
        case _:
            return {"user_name": name, "user_available": status, "products_id": [product], "max_online": sessions}


def _reply(data: object, code: int = 0, message: str = "success", count: int | None = None) -> bytes:
    content: dict[str, Any] = {"code": code, "message": message, "version": "1.0", "data": data}
    if count is not None:
        content["_meta"] = {"totalCount": count}
    return http_reply(content)


def _said(
    data: object, code: int = 0, message: str = "success", *, count: int | None = None,
    effect: Callable[[], None] | None = None,
) -> Turn:  # fmt: skip
    return Turn(_reply(data, code, message, count), effect)
