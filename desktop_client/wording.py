"""The words the teller reads: texts in the chosen language, and what to say about a trouble."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import resources
from desktop_client.devices.receipt_printer.base import PrinterTrouble
from desktop_client.gateway.trouble import Refused, Unreachable
from desktop_client.work.acts import ActKept, JournalNotUsable


class Tone(StrEnum):
    """How a message is shown."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Message:
    """Something the teller is told: what, and what to do about it."""

    tone: Tone
    text: str
    remedy: str = ""
    stays: bool = False
    """Good news that must not leave by itself: it may be about a customer who is no longer in view."""


class Wording:
    """Texts in one language: ``say("counter.search")`` is the text ``ui.counter.search``."""

    def __init__(self, language: str) -> None:
        if language not in resources.LANGUAGES:
            raise ValueError(f"no texts in {language!r}")
        self.language = language

    def say(self, key: str, **params: object) -> str:
        """The text of ``ui.<key>`` with its parameters."""
        return resources.text(f"ui.{key}", self.language, **params)

    def has(self, key: str) -> bool:
        """True where there is such a text."""
        return f"ui.{key}" in resources.texts(self.language)

    def one_of(self, group: str, code: str) -> str:
        """The word for a code of the server; a code without a word is shown itself rather than hidden."""
        return self.say(f"{group}.{code}") if self.has(f"{group}.{code}") else code

    def of_trouble(self, trouble: Exception) -> Message:
        """What to tell the teller about a failed call."""
        if isinstance(trouble, Refused):
            return Message(Tone.WARNING, trouble.text(self.language), trouble.remedy(self.language))
        if isinstance(trouble, ActKept):
            return Message(Tone.WARNING, self.say("trouble.act_kept"), self.say("trouble.act_kept_remedy"))
        if isinstance(trouble, JournalNotUsable):
            return Message(
                Tone.ERROR, self.say(f"journal.{trouble.reason}"), self.say(f"journal.{trouble.reason}_remedy")
            )
        if isinstance(trouble, Unreachable):
            return Message(
                Tone.ERROR, self.say(f"trouble.{trouble.reason}"), self.say(f"trouble.{trouble.reason}_remedy")
            )
        if isinstance(trouble, PrinterTrouble):
            remedy = "look_first" if trouble.maybe_printed else f"{trouble.kind.value}_remedy"
            return Message(Tone.WARNING, self.say(f"printer.{trouble.kind.value}"), self.say(f"printer.{remedy}"))
        return Message(
            Tone.ERROR, self.say("trouble.unexpected", kind=type(trouble).__name__),
            self.say("trouble.unexpected_remedy"),
        )

    def warning(self, key: str, **params: object) -> Message:
        """A warning with its remedy, from ``ui.<key>`` and ``ui.<key>_remedy``."""
        return Message(Tone.WARNING, self.say(key, **params), self.say(f"{key}_remedy", **params))
