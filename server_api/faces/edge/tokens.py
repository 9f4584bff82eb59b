"""Session tokens: the signed work context itself, so that a request is known without asking a database.

``base64url(json) . base64url(HMAC-SHA256)`` under a key only the server holds. What the token says is believed until it
expires; whether its session was ended meanwhile is asked at most a minute later (faces.edge.sessions).
Source: RFC 2104 (HMAC); compact form after RFC 7515 without its choice of algorithms, which has been its weak spot.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from pydantic import ValidationError

from shared_models.contracts.base import Contract
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import NotSignedIn

_VERSION = "1"
_LONGEST = 8 * 1024


class Pass(Contract):
    """What a token holds."""

    context: WorkContext
    must_change_password: bool = False
    hall_name: str = ""


class TokenMaker:
    """Signs and reads tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, held: Pass) -> str:
        """Return the token for a pass."""
        body = _VERSION + "." + _encode(held.model_dump_json(exclude_defaults=True).encode())
        return f"{body}.{_encode(self._seal(body))}"

    def read(self, token: str) -> Pass:
        """Return what the token holds. Raises NotSignedIn where it is not one of ours, whole and unchanged."""
        if len(token) > _LONGEST or not token.isascii():
            raise NotSignedIn()
        body, _, seal = token.rpartition(".")
        try:
            genuine = hmac.compare_digest(_decode(seal), self._seal(body))
        except (binascii.Error, ValueError):
            raise NotSignedIn() from None
        if not genuine or not body.startswith(_VERSION + "."):
            raise NotSignedIn()
        try:
            return Pass.model_validate_json(_decode(body.partition(".")[2]))
        except ValidationError:  # signed by an older version with another content: sign in again
            raise NotSignedIn() from None

    def stamp(self, purpose: str, text: str) -> str:
        """A short proof that this server said something: forms carry it against forgery."""
        return _encode(self._seal(f"{purpose}|{text}")[:18])

    def _seal(self, body: str) -> bytes:
        return hmac.new(self._key, body.encode(), hashlib.sha256).digest()


def same(given: str, expected: str) -> bool:
    """Compare two proofs without telling by the time taken how far they agree."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
