"""Replies about files for banks."""

from __future__ import annotations

from shared_models.contracts.base import Contract, FenField


class DebitFileMade(Contract):
    """A file for a bank."""

    file_no: str
    bank_code: str
    item_count: int
    total_fen: FenField


class DebitAnswered(Contract):
    """What became of a file's items so far."""

    file_no: str
    paid_count: int
    paid_fen: FenField
    failed_count: int
    check_failed_count: int
    waiting_count: int
