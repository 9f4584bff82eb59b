"""Posting and undoing. Services of other slices call these inside their own act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from server_api.billing.ledger import store
from server_api.billing.ledger.rules import Booked, LedgerName, Posting
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.faults.ledger import PostingAlreadyReversed
from shared_models.values.period import Month


def post(uow: UnitOfWork, postings: Sequence[Posting], *, act_id: str = "", first_line: int = 1) -> None:
    """Add postings to the ledger, dated today.

    ``act_id`` names the act they belong to where it is not the running one (a listener's share of a job's act).
    """
    if not postings:
        return
    today = uow.today
    period = Month.of(today).yyyymm
    owner_act = act_id or uow.act_id
    store.insert_postings(
        uow.conn,
        [
            {
                "period": period,
                "act_id": owner_act,
                "line_no": line_no,
                "booked_on": today,
                "from_code": posting.source.code.value,
                "from_owner": posting.source.owner,
                "to_code": posting.target.code.value,
                "to_owner": posting.target.owner,
                "amount_fen": posting.amount,
                "ref_id": posting.ref_id,
            }
            for line_no, posting in enumerate(postings, first_line)
        ],
    )


def reverse_postings(
    uow: UnitOfWork,
    booked: Sequence[Booked],
    *,
    reason: str,
    ref_id: str = "",
    first_line: int = 1,
    instead_of: Mapping[LedgerName, LedgerName] | None = None,
) -> None:
    """Undo postings by their mirrors, which name the first and the reason.

    ``instead_of`` lets a mirror take another drawer than the first one, which may be closed by now.

    Raises PostingAlreadyReversed where one of them was undone before.
    """
    if not booked:
        return
    for period, act_id in {(item.period, item.act_id) for item in booked}:
        undone = store.mirrored_lines(uow.conn, period, act_id)
        if any(item.line_no in undone for item in booked if item.act_id == act_id):
            raise PostingAlreadyReversed()
    today = uow.today
    period = Month.of(today).yyyymm
    other = instead_of or {}
    mirrors = [item.posting.mirrored.moved(other) for item in booked]
    store.insert_postings(
        uow.conn,
        [
            {
                "period": period,
                "act_id": uow.act_id,
                "line_no": line_no,
                "booked_on": today,
                "from_code": mirror.source.code.value,
                "from_owner": mirror.source.owner,
                "to_code": mirror.target.code.value,
                "to_owner": mirror.target.owner,
                "amount_fen": mirror.amount,
                "ref_id": ref_id or mirror.ref_id,
                "reverses_period": item.period,
                "reverses_act_id": item.act_id,
                "reverses_line_no": item.line_no,
                "reason": reason,
            }
            for line_no, (item, mirror) in enumerate(zip(booked, mirrors, strict=True), first_line)
        ],
    )
    store.insert_mirrors(
        uow.conn,
        [
            {"period": item.period, "act_id": item.act_id, "line_no": item.line_no, "mirror_act_id": uow.act_id}
            for item in booked
        ],
    )
