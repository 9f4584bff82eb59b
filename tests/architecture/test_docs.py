"""What the documents point to is there: files, pictures, commands.

Prevents: the first thing a stranger tries being a command that was renamed a year ago.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from server_api.cli.main import build_parser
from tests.support.source import REPOSITORY

PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("server_api/**/README.md")]
)


def broken_links(page: Path, text: str) -> list[str]:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [target for target in targets if "://" not in target and not (page.parent / target).exists()]


def commands() -> set[str]:
    """Every command of the product: ``serve``, ``bill run`` …"""
    found: set[str] = set()

    def walk(parser: argparse.ArgumentParser, prefix: str) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, sub in action.choices.items():
                    found.add(f"{prefix} {name}".strip())
                    walk(sub, f"{prefix} {name}".strip())

    walk(build_parser(), "")
    return found


def unknown_commands(text: str, known: set[str]) -> list[str]:
    tops = {command.split()[0] for command in known}
    unknown = []
    for words in re.findall(r"`onehall ([a-z][^`]*)`", text):
        for alternative in re.split(r"\s\|\s", words):
            name = re.match(r"\s*([a-z][a-z-]*)", alternative)
            if (
                name
                and name.group(1) not in tops
                and not any(name.group(1) == command.split()[-1] for command in known)
            ):
                unknown.append(name.group(1))
    return unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_commands_exist(page: Path) -> None:
    assert unknown_commands(page.read_text(encoding="utf-8"), commands()) == []


def test_both_readmes_show_the_same() -> None:
    english, chinese = ((REPOSITORY / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
    for pattern in (r"^#+ ", r"\]\((docs/[^)]+)\)", r"^```$"):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, chinese, re.M)), pattern


def test_the_rules_bite() -> None:
    assert broken_links(REPOSITORY / "x.md", "[a](no/such.md) [b](https://example.org)") == ["no/such.md"]
    assert unknown_commands("`onehall serve | fly`", {"serve"}) == ["fly"]
