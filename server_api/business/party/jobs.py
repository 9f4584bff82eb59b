"""What customers hear from billing."""

from __future__ import annotations

from collections.abc import Sequence

from server_api.business.party import store
from server_api.business.party.service import heard_account, heard_new_accounts, heard_standing
from server_api.platform.database import Database
from server_api.platform.registry import Copy, CopyRow, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import AccountRecorded, AccountStandingChanged


def wire(wiring: Wiring) -> None:
    """Business keeps account_ref from billing's account facts."""
    wiring.hear_fact("business", AccountRecorded, heard_account, heard_new_accounts)
    wiring.hear_fact("business", AccountStandingChanged, heard_standing)
    wiring.copy(
        Copy(
            name="account_ref", role="business", kinds=("AccountRecorded", "AccountStandingChanged"),
            rows=_account_rows, forget=_forget_account,
        )
    )  # fmt: skip


def _account_rows(database: Database) -> Sequence[CopyRow]:
    with database.reading() as connection:
        return [
            CopyRow(f"account:{row.account_id}", f"{row.account_no}|{row.customer_id}|{row.standing}|{int(row.closed)}")
            for row in store.all_accounts(connection)
        ]


def _forget_account(uow: UnitOfWork, key: str) -> None:
    """Forget one account before it is rebuilt from its facts."""
    store.drop_account(uow.conn, key.partition(":")[2])
