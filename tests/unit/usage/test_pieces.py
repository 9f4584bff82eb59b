"""A piece is bounded by bytes and by lines: what a hostile file decodes to is bounded with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server_api.billing.usage.formats import pieces


@pytest.mark.parametrize(
    "content", [b"\n" * 1_000, b",\n" * 700, b"abc\n" * 55 + b"\n" * 300 + b"x" * 90, b"\n\r" * 77]
)
def test_no_piece_has_more_lines(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_LINES", 50)
    path = tmp_path / "hostile.csv"
    path.write_bytes(content)
    cut = pieces.line_pieces(path, len(content), 200)
    assert b"".join(content[piece.begin : piece.end] for piece in cut) == content
    assert [piece.number for piece in cut] == list(range(len(cut)))
    for piece in cut:
        held = content[piece.begin : piece.end]
        assert held.count(b"\n") <= 50 and len(held) <= 200 + pieces.LONGEST_LINE
        assert held.endswith(b"\n") or piece.end == len(content)
