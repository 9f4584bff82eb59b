"""Bills before they are made: the run's own call without the save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from server_api.billing.bill.freeze import Frozen, Issue, freeze
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.rules.inputs import BillDraft
from server_api.billing.bill.run import draft_or_reason, remark_of
from server_api.billing.bill.service.reading import charge_view, line_view, service_totals, tax_totals
from server_api.billing.bill.service.runs import reason_words
from server_api.billing.bill.store import bills, runs
from server_api.billing.bill.store.books import load_book
from server_api.billing.bill.store.inputs import AFTER_ALL, AccountHead, Loaded, load_account, load_accounts
from server_api.billing.bill.words import service_words
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets
from shared_models.contracts.bill import (
    BillDocument,
    BillHead,
    BillPayer,
    BillState,
    ChargeView,
    Outlier,
    RunPreview,
    ServiceTotal,
    SetAside,
)
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import NotFound
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.period import Month

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
    issue = Issue(month, _PREVIEW, policy.issued_on(month), policy.due_on(month))
    frozen = Frozen.empty()
    freeze(frozen, issue, head, draft, now)
    return _document(frozen, head, language, secrets, now), _charges(frozen, language)


def _document(frozen: Frozen, head: AccountHead, language: str, secrets: Secrets, now: Any) -> BillDocument:
    row = SimpleNamespace(**dict(zip(bills.BILL_COLUMNS, frozen.rows.bills[0], strict=True)))
    lines = tuple(line_view(_line_row(line), language) for line in frozen.rows.lines)
    total = Fen(row.total_fen)
    return BillDocument(
        head=BillHead(
            bill_id=row.bill_id,
            bill_no=row.bill_no,
            account_id=row.account_id,
            account_no=row.account_no,
            yyyymm=row.period,
            state=BillState(row.state),
            issued_on=row.issued_on,
            due_on=row.due_on,
            total_fen=total,
            open_fen=Fen(row.open_fen),
            paid_fen=Fen(0),
            line_count=row.line_count,
        ),
        payer=BillPayer(
            customer_no=row.customer_no or "",
            name=secrets.unseal(row.sealed_name),
            address=secrets.unseal(row.sealed_address),
            tax_no=secrets.unseal(row.sealed_tax_no),
        ),
        from_on=row.from_on,
        until_on=row.until_on,
        owed_before_fen=head.owed_before,
        advance_before_fen=head.advance_before,
        net_fen=Fen(row.net_fen),
        tax_fen=Fen(row.tax_fen),
        services=service_totals(lines, language),
        lines=lines,
        taxes=tax_totals(lines),
        frozen_at=now,
    )


def _line_row(values: tuple[Any, ...]) -> SimpleNamespace:
    row = dict(zip(bills.LINE_COLUMNS, values, strict=True))
    for name in ("amount_fen", "net_fen", "tax_fen", "netted_fen"):
        row[name] = Fen(row[name])
    row["charge_micro_yuan"] = MicroYuan(row["charge_micro_yuan"])
    return SimpleNamespace(**row)


def _charges(frozen: Frozen, language: str) -> dict[int, tuple[ChargeView, ...]]:
    found: dict[int, tuple[ChargeView, ...]] = {}
    for values in frozen.rows.charges:
        row = dict(zip(bills.CHARGE_COLUMNS, values, strict=True))
        for name in ("price_micro_yuan", "amount_micro_yuan"):
            row[name] = MicroYuan(row[name])
        found[row["line_no"]] = (*found.get(row["line_no"], ()), charge_view(SimpleNamespace(**row), language))
    return found


# ---- the whole month -----------------------------------------------------------------------------------------------
def preview_run(
    database: Database,
    month: Month,
    *,
    language: str = "zh_CN",
    policy: BillingPolicy | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> RunPreview:
    """What the month run would make now, compared with the month before; nothing is stored.

    An account is an outlier when its draft differs from its last bill by more than the policy's amount and share.
    """
    policy = policy or billing_policy()
    issue = Issue(month, _PREVIEW, date.min, date.min)
    with database.reading() as conn:
        book = load_book(conn, policy)
        bounds = runs.account_bounds(conn, policy.run.chunk_accounts)
    count = sum(size for _first, size in bounds)
    tally = _Tally(policy, language)
    for loaded, last in _ranges(database, month, bounds):
        for head in loaded.heads:
            account = loaded.inputs.get(head.account_id)
            draft = draft_or_reason(book, policy, issue, account) if account else None
            tally.add(head, draft, last)
        tally.forget(last)
        on_progress(tally.accounts, count)
    return tally.result(month)


def _ranges(
    database: Database,
    month: Month,
    bounds: list[tuple[str, int]],
) -> Iterator[tuple[Loaded, dict[str, tuple[str, int]]]]:
    before = month.previous()
    for number, (first, _size) in enumerate(bounds):
        begins = "0" if number == 0 else first
        until = bounds[number + 1][0] if number + 1 < len(bounds) else None
        with database.reading() as conn:
            loaded = load_accounts(conn, month, begins, until)
            last = bills.totals_by_account(
                conn, before.yyyymm, f"{before.yyyymm}{begins[:24]}", f"{before.yyyymm}{(until or AFTER_ALL)[:24]}"
            )
        yield loaded, last


class _Tally:
    """Sums a preview up as its accounts come by."""

    def __init__(self, policy: BillingPolicy, language: str) -> None:
        self._policy, self._language = policy, language
        self.accounts = self.bills = self.total = self.last_bills = self.last_total = 0
        self.services: dict[str, int] = {}
        self.outliers: list[Outlier] = []
        self.aside: list[SetAside] = []
        self.aside_count = 0

    def add(self, head: AccountHead, draft: BillDraft | Fault | None, last: dict[str, tuple[str, int]]) -> None:
        self.accounts += 1
        _no, last_fen = last.pop(head.account_id, ("", 0))
        self.last_bills += bool(_no)
        self.last_total += last_fen
        if isinstance(draft, Fault):
            self.aside_count += 1
            if len(self.aside) < _SHOWN:
                code = draft.code or "defect"
                self.aside.append(
                    SetAside(
                        account_id=head.account_id,
                        reason=code,
                        text=reason_words(code, remark_of(draft), self._language),
                    )
                )
            return
        draft_fen = draft.total_fen if draft else 0
        if draft and draft.lines:
            self.bills += 1
            self.total += draft_fen
            for line in draft.lines:
                self.services[line.product.service] = self.services.get(line.product.service, 0) + line.amount_fen
        self._compare(head, last_fen, draft_fen)

    def _compare(self, head: AccountHead, last_fen: int, draft_fen: int) -> None:
        run, difference = self._policy.run, draft_fen - last_fen
        if abs(difference) > run.outlier_fen and abs(difference) * 1000 > abs(last_fen) * run.outlier_per_mille:
            self.outliers.append(
                Outlier(
                    account_id=head.account_id,
                    account_no=head.account_no,
                    last_fen=Fen(last_fen),
                    draft_fen=Fen(draft_fen),
                    difference_fen=Fen(difference),
                )
            )
            if len(self.outliers) > 4 * _SHOWN:
                self._keep_largest()

    def _keep_largest(self) -> None:
        self.outliers.sort(key=lambda each: (-abs(each.difference_fen.amount_fen), each.account_id))
        del self.outliers[_SHOWN:]

    def forget(self, last: dict[str, tuple[str, int]]) -> None:
        """Accounts billed last month that are closed by now count for the comparison only."""
        self.last_bills += len(last)
        self.last_total += sum(total for _no, total in last.values())

    def result(self, month: Month) -> RunPreview:
        self._keep_largest()
        order = self._policy.bill.service_order
        ranked = sorted(self.services, key=lambda each: (order.index(each) if each in order else len(order), each))
        return RunPreview(
            yyyymm=month.yyyymm,
            account_count=self.accounts,
            bill_count=self.bills,
            aside_count=self.aside_count,
            total_fen=Fen(self.total),
            last_total_fen=Fen(self.last_total),
            last_bill_count=self.last_bills,
            services=tuple(
                ServiceTotal(
                    service=each, label=service_words(each, self._language), amount_fen=Fen(self.services[each])
                )
                for each in ranked
            ),
            outliers=tuple(self.outliers),
            aside=tuple(self.aside),
        )
