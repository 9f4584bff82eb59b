"""Kinds and states as refusals name them, in both languages."""

from __future__ import annotations

import resources


def called(name: str) -> dict[str, str]:
    """What people call a kind or state."""
    return {
        short: resources.texts(language).get(f"resource.{name}", name)
        for short, language in (("zh", "zh_CN"), ("en", "en"))
    }
