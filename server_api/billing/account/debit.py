"""Bank debit contracts (托收合约): opened, changed (the old one is replaced) and stopped at the counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from server_api.billing.account.service import lock_account
from server_api.billing.account.store import debit as store
from server_api.platform import audit
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.deposit import BankDebitView, OpenBankDebit, StopBankDebit
from shared_models.values.faults.deposit import BankDebitNotLive
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen
from shared_models.values.money_states import DebitState

_AT_ONCE = 300


@dataclass(frozen=True, slots=True)
class DebitContract:
    """What the file for the bank needs of a contract, in clear: never kept, never logged."""

    contract_no: str
    account_id: str
    bank_code: str
    bank_account_no: str
    holder: str
    largest: Fen | None

    def __repr__(self) -> str:
        return f"DebitContract({self.contract_no})"


def open_debit(uow: UnitOfWork, *, request: OpenBankDebit) -> BankDebitView:
    """Open a contract; one that runs is replaced by it. Raises AccountNotFound, AccountClosed."""
    state = lock_account(uow, request.account_id)
    running = store.live_contract(uow.conn, request.account_id)
    if running is not None:
        _end(uow, running, DebitState.REPLACED, request.reason)
    seal = uow.database.secrets.seal
    number = store.count_contracts(uow.conn, request.account_id) + 1
    contract_no = f"{state.row.account_no}-T{number}"
    store.insert_contract(
        uow.conn,
        {
            "contract_id": derived_id(uow.act_id, "debit"),
            "account_id": request.account_id,
            "contract_no": contract_no,
            "live_key": request.account_id,
            "bank_code": request.bank_code,
            "sealed_bank_account": seal(request.bank_account_no),
            "sealed_holder": seal(request.holder),
            "bank_account_tail": request.bank_account_no[-4:],
            "state": DebitState.LIVE.value,
            "from_on": request.from_on or uow.today,
            "largest_fen": request.largest_fen,
            "reason": request.reason,
            "opened_by": uow.context.staff_id,
            "opened_at": uow.now,
        },
    )
    audit.note(uow, "debit.opened", f"account:{request.account_id}", f"{contract_no} {request.bank_code}")
    return _view(store.live_contract(uow.conn, request.account_id))


def stop_debit(uow: UnitOfWork, *, account_id: str, request: StopBankDebit) -> BankDebitView:
    """End the contract of an account. Raises BankDebitNotLive, AccountNotFound, AccountClosed."""
    lock_account(uow, account_id)
    running = store.live_contract(uow.conn, account_id)
    if running is None:
        raise BankDebitNotLive()
    _end(uow, running, DebitState.STOPPED, request.reason)
    audit.note(uow, "debit.stopped", f"account:{account_id}", running.contract_no)
    return next(one for one in contracts_of(uow.conn, account_id) if one.contract_id == running.contract_id)


def contracts_of(conn: Connection, account_id: str) -> list[BankDebitView]:
    """The contracts of an account, newest first."""
    return [_view(row) for row in store.contracts_of(conn, account_id)]


def live_contracts(
    conn: Connection, secrets: Secrets, *, from_id: str, until_id: str, on: date
) -> Sequence[DebitContract]:
    """The contracts that run on a day for a half-open range of accounts, for the file to the bank."""
    return [_clear(row, secrets) for row in store.live_contracts(conn, from_id, until_id, on)]


def contracts_named(conn: Connection, secrets: Secrets, contract_nos: Sequence[str]) -> dict[str, DebitContract]:
    """Contracts by their numbers, also such as have ended since: what a file already sent was made from."""
    found: dict[str, DebitContract] = {}
    for begin in range(0, len(contract_nos), _AT_ONCE):
        for row in store.contracts_named(conn, contract_nos[begin : begin + _AT_ONCE]):
            found[row.contract_no] = _clear(row, secrets)
    return found


def _clear(row: Row[Any], secrets: Secrets) -> DebitContract:
    return DebitContract(
        row.contract_no,
        row.account_id,
        row.bank_code,
        secrets.unseal(row.sealed_bank_account),
        secrets.unseal(row.sealed_holder),
        row.largest_fen,
    )


def _end(uow: UnitOfWork, running: Row[Any], state: DebitState, reason: str) -> None:
    store.end_contract(
        uow.conn,
        running.contract_id,
        state=state.value,
        until_on=uow.today,
        reason=reason,
        by=uow.context.staff_id,
        at=uow.now,
    )


def _view(row: Row[Any] | None) -> BankDebitView:
    if row is None:
        raise BankDebitNotLive()
    return BankDebitView(
        contract_id=row.contract_id,
        contract_no=row.contract_no,
        account_id=row.account_id,
        bank_code=row.bank_code,
        bank_account_tail=row.bank_account_tail,
        state=DebitState(row.state),
        from_on=row.from_on,
        until_on=row.until_on,
        largest_fen=row.largest_fen,
    )
