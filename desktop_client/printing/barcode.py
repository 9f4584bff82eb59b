"""The bars of a CODE128 bar code, for papers that are pictures (PDF, virtual printer)."""

from __future__ import annotations


def modules_of(text: str) -> str:
    """The modules of printable ASCII as ``1`` (bar) and ``0`` (gap), without quiet zones."""
    from barcode.codex import Code128

    modules: str = Code128(text).build()[0]
    return modules
