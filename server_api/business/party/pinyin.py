"""Pinyin initials of names, with surnames read as surnames.

pypinyin reads 单 as dan and 曾 as ceng; as surnames they are shan and zeng. Every reading in use becomes a key, so a
teller who reads a rare name differently still finds it.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from itertools import product
from typing import Any

import resources

#: A name of eight characters with several readings each would have thousands of keys; the first few are enough.
MAX_KEYS = 6
_MAX_LETTERS = 20
_RUNS = re.compile(r"[A-Za-z0-9]+|[^\x00-\x7f]+")


@lru_cache(maxsize=1)
def _surnames() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    document = tomllib.loads(resources.path("policy", "surnames.toml").read_text(encoding="utf-8"))
    return document["single"], document["double"]


@lru_cache(maxsize=30_000)
def _initials(char: str, limit: int) -> tuple[str, ...]:
    """The first letters of a character's readings, commonest first; letters and digits stand for themselves."""
    if char.isascii():
        return (char.lower(),) if char.isalnum() else ()
    found: dict[str, None] = {}
    for reading in _readings(char):
        if reading and "a" <= reading[0] <= "z":
            found[reading[0]] = None
    return tuple(found)[:limit]


def _readings(char: str) -> list[str]:
    # Imported late: the dictionaries take a sixth of a second, and most commands never need them.
    from pypinyin import Style, pinyin

    groups: Any = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    return [str(reading) for reading in groups[0]] if groups else []


def _in_words(text: str) -> str:
    """The initials of a text read in words, which knows that 银行 is yin-hang and 行走 xing-zou."""
    from pypinyin import Style, lazy_pinyin

    letters = ""
    for run in _RUNS.findall(text):
        if run.isascii():
            letters += run.lower()
        else:
            letters += "".join(syllable[:1] for syllable in lazy_pinyin(run, style=Style.NORMAL, errors="ignore"))
    return letters


def initials(name: str, *, person: bool) -> tuple[str, ...]:
    """All keys of initials a name is found by, the likeliest first; empty for a name without readable characters.

    >>> initials("单雄信", person=True)[0], initials("欧阳修", person=True)[0]
    ('sxx', 'oyx')
    """
    singles, doubles = _surnames()
    letters: list[tuple[str, ...]] = []
    rest = name
    if person and name[:2] in doubles:
        letters = [(reading[0],) for reading in doubles[name[:2]]]
        rest = name[2:]
    elif person and name[:1] in singles:
        letters = [tuple(dict.fromkeys(reading[0] for reading in singles[name[:1]]))]
        rest = name[1:]
    elif person and name:
        letters = [_initials(name[0], 1)]
        rest = name[1:]
    letters += [_initials(char, 2) for char in rest[:_MAX_LETTERS]]
    readable = [choices for choices in letters if choices]
    if not readable:
        return ()
    surname = "".join(choices[0] for choices in letters[: len(name) - len(rest)] if choices)
    keys: dict[str, None] = {(surname + _in_words(rest))[:_MAX_LETTERS]: None}
    for choice in product(*readable):
        keys["".join(choice)[:_MAX_LETTERS]] = None
        if len(keys) >= MAX_KEYS:
            break
    return tuple(keys)
