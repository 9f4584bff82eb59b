"""The demo's story, step by step, told with the product's own commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from installers.bootstrap import demo_folder, virtual_env
from installers.bootstrap.console import Trouble, ask


@dataclass
class Story:
    """What the demo has done so far, and what runs because of it."""

    check: bool
    households: int | None = None
    done: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    books_balance: bool = False

    def onehall(self, *words: str) -> dict[str, Any]:
        """Run a command of the product with ``--json`` and return what it answered. Raises Trouble with its words."""
        code, said = ask([virtual_env.program("onehall"), *words, "--json"], extra=demo_folder.environment())
        if code:
            raise Trouble(f"'onehall {' '.join(words)}' ended with exit code {code}:\n{said.strip()[-1500:]}")
        last = said.strip().splitlines()[-1] if said.strip() else "{}"
        answer: dict[str, Any] = json.loads(last)
        return answer

    def stay_up(self) -> None:
        """Keep the server running until Ctrl-C."""

    def close(self) -> None:
        """Stop what was started."""


def check_books(story: Story) -> Iterator[str]:
    """Every invariant over both databases."""
    answer = story.onehall("check-books")
    story.books_balance = bool(answer.get("balanced"))
    yield "the books balance" if story.books_balance else "THE BOOKS DO NOT BALANCE"


Act = Callable[[Story], Iterator[str]]
STEPS: list[tuple[str, Act]] = [
    ("checking the books", check_books),
]
