"""Signing in and out, and changing the password."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared_models.contracts.base import Contract
from shared_models.contracts.work import WorkContext

_EXAMPLE_PASSWORD = "a long sentence nobody guesses"


class LoginRequest(Contract):
    """Who wants to work, and at which counter."""

    staff_no: str = Field(min_length=1, max_length=20, examples=["1001"])
    password: str = Field(min_length=1, max_length=200, examples=[_EXAMPLE_PASSWORD], repr=False)
    counter_no: str = Field(default="", max_length=20, examples=["03"])


class ChangePassword(Contract):
    """The old password proves the person; the new one holds from now on."""

    old_password: str = Field(min_length=1, max_length=200, repr=False, examples=["the one given out"])
    new_password: str = Field(min_length=1, max_length=200, repr=False, examples=[_EXAMPLE_PASSWORD])


class Session(Contract):
    """A session as it begins: send ``Authorization: Bearer <token>`` with everything that follows."""

    token: str = Field(repr=False)
    must_change_password: bool = Field(default=False, description="true: only the password can be changed until it is")
    expires_at: datetime
    context: WorkContext
    hall_name: str = ""
    server_time: datetime
    server_version: str = ""
