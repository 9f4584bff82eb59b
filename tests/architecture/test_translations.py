"""Both languages say the same things: same keys, same parameters; every key the code asks for exists.

Prevents: ``ui.payment.take`` on a teller's button, and an English screen with half its words missing.
"""

from __future__ import annotations

import ast
import re
import string

import resources
from tests.support.source import REPOSITORY, SourceFile, planted, source_files

KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
ASKERS = ("text", "tr", "translated", "say", "words")


def parameters(template: str) -> set[str]:
    return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


def test_same_keys() -> None:
    chinese, english = (set(resources.texts(language)) for language in resources.LANGUAGES)
    assert chinese - english == set(), "missing in English"
    assert english - chinese == set(), "missing in Chinese"


def test_same_parameters() -> None:
    chinese, english = (resources.texts(language) for language in resources.LANGUAGES)
    differing = {key for key in set(chinese) & set(english) if parameters(chinese[key]) != parameters(english[key])}
    assert differing == set()


def test_no_text_is_empty() -> None:
    empty = [
        f"{language}: {key}"
        for language in resources.LANGUAGES
        for key, said in resources.texts(language).items()
        if not said
    ]
    assert empty == []


def test_chinese_is_chinese() -> None:
    """A Chinese text that was forgotten is English words with no Chinese character in them."""
    chinese, english = (resources.texts(language) for language in resources.LANGUAGES)
    names = {"Python", "SQLite", "PostgreSQL", "OneHall", "Oracle", "Server", "Excel", "YAML", "HTTPS", "JSON"}
    same = [
        key
        for key in chinese
        if chinese[key] == english[key]
        and len(set(re.findall(r"[A-Za-z]{4,}", re.sub(r"{[^}]*}", "", chinese[key]))) - names) > 1
    ]
    assert same == []


def asked_for(file: SourceFile) -> list[tuple[str, str]]:
    """(where, key) of every text asked for with a literal key that looks like one."""
    found = []
    for call in file.calls(*ASKERS):
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and KEY.fullmatch(first.value):
            found.append((file.at(call), first.value))
    return found


def test_every_key_asked_for_exists() -> None:
    known = set(resources.texts("zh_CN"))
    tops = {key.partition(".")[0] for key in known}
    asked = [pair for file in source_files() for pair in asked_for(file)]
    missing = [f"{where}: {key}" for where, key in asked if key.partition(".")[0] in tops and key not in known]
    assert missing == []


def test_every_key_a_page_asks_for_exists() -> None:
    """Portal templates ask with ``t("key")`` or ``text("key")``."""
    known = set(resources.texts("zh_CN"))
    missing = []
    for file in sorted((REPOSITORY / "resources" / "portal").rglob("*.html")):
        for key in re.findall(r"""\b(?:t|text|tr|_)\(\s*["']([a-z0-9_.]+)["']""", file.read_text(encoding="utf-8")):
            if not key.endswith(".") and f"portal.{key}" not in known:
                missing.append(f"{file.name}: {key}")
    assert missing == []


def test_the_rules_bite() -> None:
    assert parameters("欠 {amount} 元, {who.name}") == {"amount", "who"}
    assert asked_for(planted("x.py", 'button(text("ui.pay.now", lang))')) == [("x.py:1", "ui.pay.now")]
