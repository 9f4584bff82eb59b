"""The acts on the billing side: accounts, opening balances as postings, open bills; their links stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from server_api.billing.account import service as accounts
from server_api.billing.bill import service as bills
from server_api.migration import store
from server_api.migration.business_side import Known
from server_api.migration.rules import AccountRecord, BalanceRecord, BillRecord, account_id_of, digest_of_record
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.clock import town_midnight
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen
from shared_models.values.money_states import PaymentType
from shared_models.values.period import Month


def take_accounts(
    uow: UnitOfWork, *, system: str, prefix: str, records: Sequence[AccountRecord], known: Known, groups: set[str],
) -> None:  # fmt: skip
    """Take accounts over: a household's become one, a group customer's stay as many as they were.

    A household with two accounts in one system keeps the second as it was: somebody wanted two bills.
    """
    done = store.links(uow.conn, "billing", system, "account", [one.old_key for one in records])
    made: dict[str, accounts.AccountToImport] = {}
    links = []
    shared_here = set(known.accounts.values())
    for record in records:
        if record.old_key in done:
            known.accounts[record.old_key] = done[record.old_key].new_id
            shared_here.add(done[record.old_key].new_id)
            known.there += 1
            continue
        customer_id = known.customers[record.customer_key]
        account_id = account_id_of(system, record.old_key, customer_id, shared=customer_id not in groups)
        if account_id in shared_here:
            account_id = account_id_of(system, record.old_key, customer_id, shared=False)
        shared_here.add(account_id)
        known.accounts[record.old_key] = account_id
        known.new += 1
        links.append(store.link_row(system, "account", record.old_key, account_id, digest_of_record(record)))
        if account_id not in made:
            made[account_id] = accounts.AccountToImport(
                account_id=account_id, account_no=f"{prefix}{record.old_key}"[:20], customer_id=customer_id,
                payment_type=PaymentType(record.payment_type),
                opened_at=town_midnight(record.opened_on) if record.opened_on else None,
            )  # fmt: skip
    there = store.existing_accounts(uow.conn, list(made))
    accounts.import_accounts(uow, accounts=[one for account_id, one in made.items() if account_id not in there])
    store.add_links(uow.conn, "billing", links)


def take_balances(uow: UnitOfWork, *, system: str, records: Sequence[BalanceRecord], known: Known) -> None:
    """Book what accounts held, as postings from the system's opening account."""
    done = store.links(uow.conn, "billing", system, "balance", [one.old_key for one in records])
    fresh = [one for one in records if one.old_key not in done]
    known.there += len(records) - len(fresh)
    known.new += len(fresh)
    accounts.import_opening_balances(uow, balances=[
        accounts.OpeningBalance(account_id=known.accounts[one.account_key], amount=one.amount, source=system)
        for one in fresh
    ])  # fmt: skip
    store.add_links(uow.conn, "billing", [
        store.link_row(system, "balance", one.old_key, account_id, digest_of_record(one), one.amount)
        for one in fresh
        for account_id in (known.accounts[one.account_key],)
    ])  # fmt: skip


def bill_groups(records: Sequence[BillRecord]) -> list[list[BillRecord]]:
    """Bills from their items: those of one old account and month, in the order of the file."""
    ordered = sorted(records, key=lambda one: (one.account_key, one.month, one.source.row_no))
    return [list(items) for _key, items in groupby(ordered, key=lambda one: one.old_key)]


def take_bills(
    uow: UnitOfWork, *, system: str, bill_seq: int, groups: Sequence[Sequence[BillRecord]], known: Known
) -> None:
    """Take open bills over with their items as lines; what is open there is owed here."""
    done = store.links(uow.conn, "billing", system, "bill", [items[0].old_key for items in groups])
    links = []
    for items in groups:
        first = items[0]
        if first.old_key in done:
            known.there += len(items)
            continue
        bills.import_open_bill(uow, bill=bills.OpenBill(
            source=system, account_id=known.accounts[first.account_key], month=Month(first.month),
            lines=tuple(
                bills.OpenBillLine(item_code=one.item, amount=one.amount, label=one.label, shown_as=one.shown_as)
                for one in items
            ),
            bill_seq=bill_seq,
        ))  # fmt: skip
        known.new += len(items)
        new_id = derived_id("bill", system, first.old_key)
        total = Fen.total(one.amount for one in items)
        links.append(store.link_row(system, "bill", first.old_key, new_id, digest_of_record(*items), total))
    store.add_links(uow.conn, "billing", links)
