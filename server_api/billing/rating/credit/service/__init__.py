"""The acts of credit control: a session's messages, and what becomes of the money."""

from server_api.billing.rating.credit.service.books import (
    credit_views,
    cut_account,
    free_to_leave,
    reconsider,
    release_live_debits,
    spoken_for,
)
from server_api.billing.rating.credit.service.sessions import (
    begin_session,
    charge_event,
    end_session,
    settle_silent,
    update_session,
)

__all__ = [
    "begin_session",
    "charge_event",
    "credit_views",
    "cut_account",
    "end_session",
    "free_to_leave",
    "reconsider",
    "release_live_debits",
    "settle_silent",
    "spoken_for",
    "update_session",
]
