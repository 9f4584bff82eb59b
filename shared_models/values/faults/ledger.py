"""Refusals of the ledger."""

from shared_models.values.faults.base import Fault


class PostingAlreadyReversed(Fault):
    """The posting was undone before; there is nothing left to undo."""

    code = "posting_already_reversed"
    status = 409
