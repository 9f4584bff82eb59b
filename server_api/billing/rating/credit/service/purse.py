"""An account as a live call meets it: locked, with its books and with what other live calls have of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server_api.billing.account import store as account_store
from server_api.billing.account.store import AccountState
from server_api.billing.rating.credit import store
from server_api.billing.rating.credit.policy import credit_policy
from server_api.billing.rating.credit.rules import NOTHING, Purse, Taken, balance_state, news_of
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import BalanceExhausted, BalanceLow, BalanceRestored
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.money import MicroYuan
from shared_models.values.money_states import PaymentType

_NEWS = {"low": BalanceLow, "exhausted": BalanceExhausted, "restored": BalanceRestored}


@dataclass
class OpenPurse:
    """The account of one item group inside an act. ``taken`` is what will be stored."""

    uow: UnitOfWork
    state: AccountState
    group: str
    rows: dict[str, Any]

    @classmethod
    def locked(cls, uow: UnitOfWork, account_id: str, group: str, *, closed: bool = False) -> OpenPurse:
        """Lock an account and read it. Raises AccountNotFound, AccountClosed (not where ``closed`` is allowed)."""
        if not store.lock_row(uow, account_id):
            raise AccountNotFound(account_id=account_id)
        state = account_store.read(uow.conn, account_id)
        if state is None:
            raise AccountNotFound(account_id=account_id)
        if state.row.closed_at is not None and not closed:
            raise AccountClosed(account_no=state.row.account_no)
        return cls.of(uow, state, group)

    @classmethod
    def of(cls, uow: UnitOfWork, state: AccountState, group: str) -> OpenPurse:
        """The same for an account that is locked and read already."""
        return cls(uow, state, group, {row.item_group: row for row in store.sums(uow.conn, state.row.account_id)})

    @property
    def prepaid(self) -> bool:
        return bool(self.state.row.payment_type == PaymentType.PREPAID.value)

    @property
    def taken(self) -> Taken:
        """What live calls have of this group."""
        row = self.rows.get(self.group)
        if row is None:
            return Taken()
        return Taken(MicroYuan(int(row.held_micro_yuan)), MicroYuan(int(row.unbooked_micro_yuan)))

    def _purse(self, taken: Taken | None = None) -> Purse:
        all_taken = {
            name: Taken(MicroYuan(int(row.held_micro_yuan)), MicroYuan(int(row.unbooked_micro_yuan)))
            for name, row in self.rows.items()
        }
        if taken is not None:
            all_taken[self.group] = taken
        books = [item.book for item in self.state.books]
        return Purse.of(books, self.state.row.credit_limit_fen, all_taken, self.uow.today)

    @property
    def available(self) -> MicroYuan:
        """Books less unbooked charges less open reservations."""
        return self._purse().available(self.group)

    def put(self, taken: Taken, *, denied: bool = False) -> MicroYuan:
        """Store what live calls now have and tell business where the balance's state changed; what is available."""
        purse, policy = self._purse(taken), credit_policy()
        row = self.rows.get(self.group)
        before = "ok" if row is None else row.balance_state
        balance = purse.balance(self.group)
        nothing_held = taken.held == NOTHING
        now = balance_state(balance, denied=denied and nothing_held, low=policy.low, exhausted=policy.exhausted)
        account_id = self.state.row.account_id
        for news in news_of(before, now):
            told = _NEWS[news](
                account_id=account_id, item_group=self.group, balance_micro_yuan=balance.amount_micro_yuan
            )
            self.uow.tell(f"account:{account_id}", told)
        store.put_sums(
            self.uow.conn,
            row is not None,
            account_id,
            self.group,
            held=taken.held.amount_micro_yuan,
            unbooked=taken.unbooked.amount_micro_yuan,
            state=now,
        )
        return purse.available(self.group)
