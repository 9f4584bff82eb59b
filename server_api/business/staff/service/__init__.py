"""The acts of staff: signing in (outside the write turn where hashing is done) and administration."""

from server_api.business.staff.service.administer import (
    add_staff,
    change_staff,
    list_halls,
    list_roles,
    list_staff,
    load_roles,
    put_hall,
    reset_password,
)
from server_api.business.staff.service.approving import vouch
from server_api.business.staff.service.passwords import GivenPassword, give_password, take_password
from server_api.business.staff.service.signing import (
    SessionStanding,
    SignedIn,
    change_password,
    note_session_used,
    session_standing,
    sign_in,
    sign_out,
)

__all__ = [
    "GivenPassword",
    "SessionStanding",
    "SignedIn",
    "add_staff",
    "change_password",
    "change_staff",
    "give_password",
    "list_halls",
    "list_roles",
    "list_staff",
    "load_roles",
    "note_session_used",
    "put_hall",
    "reset_password",
    "session_standing",
    "sign_in",
    "sign_out",
    "take_password",
    "vouch",
]
