"""An account's bill before it is made: the run's own call without the save."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from server_api.billing.bill.freeze import Frozen, Issue, freeze
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.rules.inputs import BillDraft
from server_api.billing.bill.service.document import charge_view, document_of
from server_api.billing.bill.store import bills
from server_api.billing.bill.store.books import load_book
from server_api.billing.bill.store.inputs import load_account
from server_api.platform.secrets import Secrets
from shared_models.contracts.bill import (
    BillDocument,
    ChargeView,
)
from shared_models.values.faults.common import NotFound
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.period import Month, closing_day

_PREVIEW = "0" * 32
_SHOWN = 50


def preview_account(
    conn: Connection,
    account_id: str,
    month: Month,
    language: str,
    secrets: Secrets,
    now: Any,
    policy: BillingPolicy | None = None,
) -> tuple[BillDocument, dict[int, tuple[ChargeView, ...]]]:
    """An account's bill of a month as it would be now, with the charges behind each line; nothing is stored.

    Raises NotFound and the faults that would set the account aside.
    """
    policy = policy or billing_policy()
    loaded = load_account(conn, month, account_id)
    if not loaded.heads:
        raise NotFound(what="account")
    head = loaded.heads[0]
    account = loaded.inputs.get(account_id)
    draft = (
        draft_bill(load_book(conn, policy), policy.bill, month, account)
        if account
        else BillDraft(account_id, (), 0, 0, 0)
    )
    day = closing_day(month.yyyymm, account.billing_days) if account else 1
    issue = Issue(month, _PREVIEW, policy.issued_on(month, day), policy.due_on(month, day), day)
    frozen = Frozen.empty()
    freeze(frozen, issue, head, draft, now, span=issue.span(account.billing_days if account else ()))
    row = _row(bills.BILL_COLUMNS, frozen.rows.bills[0])
    lines = [_row(bills.LINE_COLUMNS, line) for line in frozen.rows.lines]
    return document_of(row, lines, language, secrets), _charges(frozen, language)


def _row(columns: tuple[str, ...], values: tuple[Any, ...]) -> SimpleNamespace:
    """A raw row as reading it back would give it."""
    named = dict(zip(columns, values, strict=True))
    for name in columns:
        if name.endswith("_fen"):
            named[name] = Fen(named[name])
        elif name.endswith("_micro_yuan"):
            named[name] = MicroYuan(named[name])
    return SimpleNamespace(**named)


def _charges(frozen: Frozen, language: str) -> dict[int, tuple[ChargeView, ...]]:
    found: dict[int, tuple[ChargeView, ...]] = {}
    for values in frozen.rows.charges:
        row = _row(bills.CHARGE_COLUMNS, values)
        found[row.line_no] = (*found.get(row.line_no, ()), charge_view(row, language))
    return found
