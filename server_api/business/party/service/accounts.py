"""The copy of billing's accounts, kept from facts: for search, and for the arrears gate of orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from server_api.business.party import rules, store
from server_api.business.party.rules import KeyKind
from server_api.business.party.service.keys import NumberOwner, key_rows
from server_api.platform.facts.receiver import Envelope
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import AccountRecorded, AccountStandingChanged, Standing
from shared_models.contracts.work import system_context
from shared_models.values.faults.common import CopyBehind


def heard_account(uow: UnitOfWork, envelope: Envelope, fact: AccountRecorded) -> None:
    """Keep an account's number, customer and standing; let the customer be found by the number.

    An older fact (by seq) never undoes a newer one. Raises CopyBehind while the customer is not known here.
    """
    owner = store.one(uow.conn, fact.customer_id, system_context("facts"))
    if owner is None:
        raise CopyBehind(what="customer")
    known = store.account(uow.conn, fact.account_id)
    values: dict[str, Any] = {
        "account_no": fact.account_no, "customer_id": fact.customer_id, "standing": fact.standing.value,
        "closed": fact.closed, "source_seq": envelope.seq,
    }  # fmt: skip
    if fact.standing is Standing.CLEAR:
        values["owed_since_on"] = None
    if known is None:
        store.add_account(uow.conn, account_id=fact.account_id, **values)
    elif envelope.seq >= known.source_seq:
        store.change_account(uow.conn, fact.account_id, **values)
        if known.customer_id != fact.customer_id or known.account_no != fact.account_no:
            store.drop_key_texts(uow.conn, known.customer_id, KeyKind.ACCOUNT, [rules.code_key(known.account_no)])
    else:
        return
    place = NumberOwner(fact.customer_id, owner.hall_code, owner.district_code)
    key = rules.code_key(fact.account_no)
    if key and key not in store.known_key_texts(uow.conn, fact.customer_id, KeyKind.ACCOUNT):
        store.add_keys(uow.conn, key_rows(place, KeyKind.ACCOUNT, [key]))


def heard_new_accounts(uow: UnitOfWork, heard: Sequence[tuple[Envelope, AccountRecorded]]) -> None:
    """The same for many accounts nobody has heard of. Raises CopyBehind while one of their customers is not known."""
    owners = store.many(uow.conn, sorted({fact.customer_id for _envelope, fact in heard}), system_context("facts"))
    accounts: list[dict[str, Any]] = []
    keys: list[dict[str, Any]] = []
    for envelope, fact in heard:
        owner = owners.get(fact.customer_id)
        if owner is None:
            raise CopyBehind(what="customer")
        accounts.append(
            {
                "account_id": fact.account_id,
                "account_no": fact.account_no,
                "customer_id": fact.customer_id,
                "standing": fact.standing.value,
                "closed": fact.closed,
                "source_seq": envelope.seq,
                "owed_since_on": None,
            }
        )
        place = NumberOwner(fact.customer_id, owner.hall_code, owner.district_code)
        keys += key_rows(place, KeyKind.ACCOUNT, [rules.code_key(fact.account_no)])
    store.add_accounts(uow.conn, accounts)
    store.add_keys(uow.conn, keys)


def heard_standing(uow: UnitOfWork, envelope: Envelope, fact: AccountStandingChanged) -> None:
    """Keep an account's class. Facts of one account come in order, so a missing account is a defect of the sender."""
    known = store.account(uow.conn, fact.account_id)
    if known is None:
        raise CopyBehind(what="account")
    if envelope.seq >= known.source_seq:
        store.change_account(
            uow.conn, fact.account_id, standing=fact.standing.value, owed_since_on=fact.owed_since_on,
            source_seq=envelope.seq,
        )  # fmt: skip


def account_standing(conn: Connection, account_id: str) -> str | None:
    """The class of an account as this side last heard of it; None while it has heard of none."""
    known = store.account(conn, account_id) if account_id else None
    return None if known is None else str(known.standing)
