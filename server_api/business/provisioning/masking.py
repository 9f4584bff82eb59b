"""Secrets out of what is kept and shown: the values we know, and whatever stands where a secret stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote_plus

MASK = "***"
_SHORTEST = 3
#: ``PWD=…`` of MML and TL1, passwords and tokens in forms and JSON.
_PLACES = re.compile(
    r"(?i)(\b\w*(?:password|passwd|pwd|secret|access_token|token)\"?\s*[=:]\s*\"?|\bUN=\"?)"
    r"([^&,;\"'\s}*]+)"
)


class Masker:
    """Masks texts; ``secrets`` are the values known to be secret, in whatever spelling they are sent."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._values: list[str] = []
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """One more value to hide; very short ones are left to their place, or every digit would be hidden."""
        if len(secret) >= _SHORTEST:
            self._values += [secret, *({quote_plus(secret)} - {secret})]

    def mask(self, text: str, more: Iterable[str] = ()) -> str:
        """The text with every secret replaced by ``***``; ``more`` are values secret in this text only."""
        for value in self._values:
            text = text.replace(value, MASK)
        for value in more:
            if len(value) >= _SHORTEST:
                text = text.replace(value, MASK).replace(quote_plus(value), MASK)
        return _PLACES.sub(rf"\1{MASK}", text)
