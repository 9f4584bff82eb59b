"""Texts, forms, catalogue, policy and pictures that ship with the product, and the way to read them."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LANGUAGES = ("zh_CN", "en")


def path(*parts: str) -> Path:
    """The file system path of a resource."""
    return ROOT.joinpath(*parts)


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: str) -> dict[str, str]:
    """All texts of a language by dotted key, from every file of its folder. A key given twice is an error."""
    found: dict[str, str] = {}
    for file in sorted(path("translations", language).glob("*.toml")):
        for key, value in _flat("", tomllib.loads(file.read_text(encoding="utf-8"))):
            if key in found:
                raise ValueError(f"{file.name}: text {key} is given twice")
            found[key] = value
    return found


def _flat(prefix: str, tree: dict[str, object]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in tree.items():
        key = f"{prefix}.{name}" if prefix else name
        rows += _flat(key, value) if isinstance(value, dict) else [(key, str(value))]
    return rows


def text(key: str, language: str = "zh_CN", **params: object) -> str:
    """The text of a key with its parameters filled in; a missing key shows itself, so that it is seen and mended."""
    template = texts(language).get(key)
    if template is None:
        return key
    return template.format(**params)
