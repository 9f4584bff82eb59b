"""A month's bills before they are frozen: what the run would make, beside what the month before was billed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from resources import text
from server_api.billing.bill.freeze import Issue
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.billing.bill.rules.inputs import BillDraft
from server_api.billing.bill.run import draft_or_reason, of_day, remark_of, without_cycles
from server_api.billing.bill.service.runs import reason_words
from server_api.billing.bill.store import bills, compare, runs
from server_api.billing.bill.store.books import load_book
from server_api.billing.bill.store.inputs import AFTER_ALL, AccountHead, Loaded, load_accounts, read_common
from server_api.billing.bill.words import service_words
from server_api.platform.database import Database
from shared_models.contracts.bill import Outlier, PreviewRow, RunPreview, ServiceTotal, SetAside
from shared_models.values.bill_ids import bill_id_of
from shared_models.values.faults.base import Fault
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month

_PREVIEW = "0" * 32
_ASIDE_SHOWN = 200
#: So many of the largest differences are kept with their reason; all are counted.
_OUTLIERS_KEPT = 1_000

_ItemKey = tuple[str, str, str]


class _Drafted(NamedTuple):
    """An outlier's draft as far as its reason needs it: by item the amount and what kind of lines made it."""

    head: AccountHead
    last_fen: int
    draft_fen: int
    had_bill: bool
    items: dict[str, int]
    kinds: dict[str, frozenset[str]]
    products: frozenset[str]


def preview_run(
    database: Database,
    month: Month,
    *,
    billing_day: int = 1,
    language: str = "zh_CN",
    policy: BillingPolicy | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> RunPreview:
    """What the month run would make now, compared with the month before; nothing is stored.

    An account is an outlier when its draft differs from its last bill by more than the policy's amount and share.
    """
    policy = policy or billing_policy()
    issue = Issue(month, _PREVIEW, date.min, date.min, billing_day)
    with database.reading() as conn:
        book = load_book(conn, policy)
        bounds = runs.account_bounds(conn, policy.run.chunk_accounts)
    count = sum(size for _first, size in bounds)
    tally = _Tally(policy, language)
    with without_cycles():
        for loaded, last in _ranges(database, issue, bounds):
            for head in loaded.heads:
                account = loaded.inputs.get(head.account_id)
                draft = draft_or_reason(book, policy, issue, account) if account else None
                tally.add(head, draft, last)
            tally.forget(last)
            on_progress(tally.accounts, count)
    with database.reading() as conn:
        return tally.result(conn, month).model_copy(update={"made_at": database.clock.now()})


def _ranges(
    database: Database, issue: Issue, bounds: list[tuple[str, int]]
) -> Iterator[tuple[Loaded, dict[str, tuple[str, int]]]]:
    """Chunk by chunk what is drafted from, and what the same accounts were billed the month before."""
    month, before = issue.month, issue.month.previous()
    with database.reading() as conn:
        common = read_common(conn, month)
    for number, (first, _size) in enumerate(bounds):
        begins = "0" if number == 0 else first
        until = bounds[number + 1][0] if number + 1 < len(bounds) else None
        with database.reading() as conn:
            loaded = load_accounts(conn, month, begins, until, common)
            others = {head.account_id for head in loaded.heads}
            if common.cycles or issue.billing_day != 1:
                loaded = of_day(loaded, common, issue)
            others -= {head.account_id for head in loaded.heads}
            last = bills.totals_by_account(
                conn, before.yyyymm, f"{before.yyyymm}{begins[:24]}", f"{before.yyyymm}{(until or AFTER_ALL)[:24]}"
            )
        yield loaded, {key: value for key, value in last.items() if key not in others} if others else last


class _Tally:
    """Sums a preview up as its accounts come by."""

    def __init__(self, policy: BillingPolicy, language: str) -> None:
        self._policy, self._language = policy, language
        self.accounts = self.bills = self.total = self.last_bills = self.last_total = 0
        self.sums: dict[_ItemKey, list[int]] = {}
        self.outliers: list[_Drafted] = []
        self.outlier_count = self.aside_count = 0
        self.aside: list[SetAside] = []

    def add(self, head: AccountHead, draft: BillDraft | Fault | None, last: dict[str, tuple[str, int]]) -> None:
        """Count an account; ``last`` loses it."""
        self.accounts += 1
        last_no, last_fen = last.pop(head.account_id, ("", 0))
        self.last_bills += bool(last_no)
        self.last_total += last_fen
        if isinstance(draft, Fault):
            self._set_aside(head, draft)
            return
        draft_fen = draft.total_fen if draft else 0
        if draft and draft.lines:
            self.bills += 1
            self.total += draft_fen
            sums = self.sums
            for line in draft.lines:
                key = (line.product.service, line.product.region, line.item_code)
                found = sums.get(key)
                if found is None:
                    sums[key] = [1, line.amount_fen]
                else:
                    found[0] += 1
                    found[1] += line.amount_fen
        run, difference = self._policy.run, abs(draft_fen - last_fen)
        if difference > run.outlier_fen and difference * 1000 > abs(last_fen) * run.outlier_per_mille:
            self._keep(_drafted(head, last_fen, bool(last_no), draft))

    def _set_aside(self, head: AccountHead, fault: Fault) -> None:
        self.aside_count += 1
        if len(self.aside) < _ASIDE_SHOWN:
            code = fault.code or "defect"
            words = reason_words(code, remark_of(fault), self._language)
            self.aside.append(SetAside(account_id=head.account_id, account_no=head.account_no, reason=code, text=words))

    def _keep(self, outlier: _Drafted) -> None:
        self.outlier_count += 1
        self.outliers.append(outlier)
        if len(self.outliers) > 2 * _OUTLIERS_KEPT:
            self._keep_largest()

    def _keep_largest(self) -> None:
        self.outliers.sort(key=lambda each: (-abs(each.draft_fen - each.last_fen), each.head.account_id))
        del self.outliers[_OUTLIERS_KEPT:]

    def forget(self, last: dict[str, tuple[str, int]]) -> None:
        """Accounts billed last month that are closed by now count for the comparison only."""
        self.last_bills += len(last)
        self.last_total += sum(total for _no, total in last.values())

    def result(self, conn: Connection, month: Month) -> RunPreview:
        """Everything together, with last month's items and the outliers' reasons read now."""
        self._keep_largest()
        order = self._policy.bill.service_order
        services: dict[str, int] = {}
        for (service, _region, _item), (_lines, amount) in self.sums.items():
            services[service] = services.get(service, 0) + amount
        ranked = sorted(services, key=lambda each: (order.index(each) if each in order else len(order), each))
        before = month.previous()
        ids = {each.head.account_id: bill_id_of(before, each.head.account_id) for each in self.outliers}
        had = compare.lines_of_bills(conn, before.yyyymm, list(ids.values()))
        return RunPreview(
            yyyymm=month.yyyymm,
            account_count=self.accounts,
            bill_count=self.bills,
            aside_count=self.aside_count,
            total_fen=Fen(self.total),
            last_total_fen=Fen(self.last_total),
            last_bill_count=self.last_bills,
            services=tuple(
                ServiceTotal(service=each, label=service_words(each, self._language), amount_fen=Fen(services[each]))
                for each in ranked
            ),
            rows=_rows(self.sums, compare.item_sums(conn, before.yyyymm), ranked),
            outlier_count=self.outlier_count,
            outliers=tuple(
                _explained(each, had.get(ids[each.head.account_id], ()), self._language) for each in self.outliers
            ),
            aside=tuple(self.aside),
        )


def _rows(
    drafted: dict[_ItemKey, list[int]], last: dict[_ItemKey, tuple[int, int]], ranked: list[str]
) -> tuple[PreviewRow, ...]:
    rank = {service: place for place, service in enumerate(ranked)}
    rows = []
    for key in sorted(drafted.keys() | last.keys(), key=lambda each: (rank.get(each[0], len(rank)), each)):
        count, amount = drafted.get(key, (0, 0))
        last_count, last_fen = last.get(key, (0, 0))
        rows.append(
            PreviewRow(
                service=key[0],
                region=key[1],
                item_code=key[2],
                last_count=last_count,
                last_fen=Fen(last_fen),
                draft_count=count,
                draft_fen=Fen(amount),
                difference_fen=Fen(amount - last_fen),
            )  # fmt: skip
        )
    return tuple(rows)


# ---- why an account is an outlier ----------------------------------------------------------------------------------
def _drafted(head: AccountHead, last_fen: int, had_bill: bool, draft: BillDraft | None) -> _Drafted:
    items: dict[str, int] = {}
    kinds: dict[str, set[str]] = {}
    products = set()
    for line in draft.lines if draft else ():
        items[line.item_code] = items.get(line.item_code, 0) + line.amount_fen
        kinds.setdefault(line.item_code, {line.kind}).update(charge.kind for charge in line.charges)
        products.add(line.product.product_id)
    return _Drafted(
        head, last_fen, draft.total_fen if draft else 0, had_bill, items,
        {item: frozenset(found) for item, found in kinds.items()}, frozenset(products),
    )  # fmt: skip


def _explained(found: _Drafted, last_lines: Any, language: str) -> Outlier:
    last_items: dict[str, int] = {}
    for line in last_lines:
        last_items[line.item_code] = last_items.get(line.item_code, 0) + line.amount_fen.amount_fen
    item = max(
        sorted(found.items.keys() | last_items.keys()),
        key=lambda each: abs(found.items.get(each, 0) - last_items.get(each, 0)),
        default="",
    )
    now, last = Fen(found.items.get(item, 0)), Fen(last_items.get(item, 0))
    why = _why(found, {line.product_id for line in last_lines}, item, now > last)
    return Outlier(
        account_id=found.head.account_id,
        account_no=found.head.account_no,
        last_fen=Fen(found.last_fen),
        draft_fen=Fen(found.draft_fen),
        difference_fen=Fen(found.draft_fen - found.last_fen),
        why=why,
        item_code=item,
        item_last_fen=last if item else ZERO_FEN,
        item_draft_fen=now if item else ZERO_FEN,
        text=text(f"bill.outlier.{why}", language, item=item, last=last, now=now),
    )


def _why(found: _Drafted, last_products: set[str], item: str, more: bool) -> str:
    kinds = found.kinds.get(item, frozenset())
    if not found.had_bill:
        return "first_bill"
    if not found.items:
        return "no_bill"
    if kinds & {"correction", "rerated"}:
        return "correction"
    if kinds & {"term", "refund"}:
        return "term"
    if more and found.products - last_products:
        return "product_added"
    if not more and last_products - found.products:
        return "product_gone"
    return "usage" if "usage" in kinds else "price"
