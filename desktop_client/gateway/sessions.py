"""Signing in and out, and changing the password."""

from __future__ import annotations

from desktop_client.gateway.http import HallHttp
from desktop_client.gateway.trouble import Refused, Unreachable
from shared_models.contracts.session import ChangePassword, LoginRequest, Session


class SessionsApi:
    """The session routes; keeps the token in the connection's credentials."""

    def __init__(self, http: HallHttp) -> None:
        self._http = http

    def sign_in(self, staff_no: str, password: str, counter_no: str) -> Session:
        """Begin a session. Raises Refused for a wrong password, a lock-out, an unknown counter."""
        self._http.credentials.token = ""
        request = LoginRequest(staff_no=staff_no, password=password, counter_no=counter_no)
        return self._keep(self._http.post("/api/hall/sessions", request, Session))

    def change_password(self, old_password: str, new_password: str) -> Session:
        """Change the password; the session goes on under a new token."""
        request = ChangePassword(old_password=old_password, new_password=new_password)
        return self._keep(self._http.post("/api/hall/password", request, Session))

    def sign_out(self) -> None:
        """End the session. Where the server cannot be told, its expiry ends it; the token is forgotten here anyway."""
        try:
            self._http.delete("/api/hall/sessions/current")
        except (Refused, Unreachable):
            return
        finally:
            self._http.credentials.token = ""

    def _keep(self, session: Session) -> Session:
        self._http.credentials.token = session.token
        return session
