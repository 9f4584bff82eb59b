"""No file of the repository names a folder of the machine it was written on, or carries a secret.

Prevents: the path that exists on one desk only, and the key that is public from the first push.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.source import REPOSITORY, tracked_files

#: In halves, so that this file does not find itself.
MACHINE = re.compile(
    r"(?<![\w./])(/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/[a-z]+/|C:\\Us" + r"ers\\\w|\.\./sha" + r"red/)"
)
SECRET = re.compile(r"-----BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[0-9A-Za-z]{30,}")
BINARY = {".png", ".ico", ".ttf", ".ttc", ".pdf", ".xlsx", ".gz", ".db", ".jpg", ".woff2", ".bin", ".dat"}


def trouble(path: str, text: str) -> list[str]:
    return [f"{path}: {match.group(0)!r}" for rule in (MACHINE, SECRET) for match in rule.finditer(text)]


def test_no_machine_paths_and_no_secrets() -> None:
    found = []
    for file in tracked_files():
        if file.suffix.lower() in BINARY:
            continue
        found += trouble(_name(file), file.read_text(encoding="utf-8", errors="replace"))
    assert found == []


def _name(file: Path) -> str:
    return file.relative_to(REPOSITORY).as_posix()


def test_the_rule_bites() -> None:
    assert trouble("x", "see /wo" + "rk/main") and trouble("x", "/ho" + "me/anna/keys")
    assert not trouble("x", "https://example.org/homework/1 and /var/lib/onehall")
