"""What a refusal is: a class with a stable code and an HTTP status; its words live in resources/translations.

A fault's texts are looked up as ``fault.<code>.text`` (what is wrong) and ``fault.<code>.remedy`` (what to do),
filled with the parameters given here. Parameters must never hold an identity number, a password or a token.
"""

from __future__ import annotations

from typing import ClassVar


class Fault(Exception):
    """A refusal: the situation is named, nothing was stored, the act id stays free.

    Subclasses set ``code`` (snake_case, unique, never changed once released) and ``status`` (HTTP).
    ``retry`` says that sending the same act again later is right (the server will not refuse it as a repeat).
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 400
    retry: ClassVar[bool] = False

    def __init__(self, **params: object) -> None:
        self.params: dict[str, object] = params
        super().__init__(self.code, params)

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.code}({shown})"


def all_faults() -> dict[str, type[Fault]]:
    """Every fault class that has been imported, by code. Two classes with one code are a programming error."""
    found: dict[str, type[Fault]] = {}
    waiting = list(Fault.__subclasses__())
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if not cls.code or "code" not in cls.__dict__:
            continue
        if cls.code in found and found[cls.code] is not cls:
            raise RuntimeError(f"two faults share the code {cls.code}: {cls} and {found[cls.code]}")
        found[cls.code] = cls
    return found
