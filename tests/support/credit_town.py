"""Prepaid subscribers with money in their books, and a switch that asks for their calls as the API would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from server_api.billing.account import service as account
from server_api.billing.account.service import AccountToImport, OpeningBalance
from server_api.billing.rating.credit import checks, service
from server_api.billing.rating.credit.asks import Ask
from server_api.billing.rating.credit.pricing import Pricer
from server_api.billing.rating.credit.quote import QuoteStale
from server_api.billing.rating.tariff.model import Tariff
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.credit import CreditAnswer, EndCredit, UpdateCredit
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import PaymentType
from tests.support.usage_town import account_of, act, small_town

SHANGHAI = "02164851234"
_ATTEMPTS = 50


def prepaid_town(
    database: Database,
    balances: dict[str, int],
    *,
    logins: Sequence[str] = (),
    tariffs: Sequence[Tariff] = (),
    credit_limit: Fen = ZERO_FEN,
    payment_type: PaymentType = PaymentType.PREPAID,
) -> None:
    """A number for each balance (fen), each paid by an account of its own. The first is on the offering with 300
    minutes included (see ``small_town``), so name it for that."""
    small_town(database, [key for key in balances if key not in logins], logins, tariffs)

    def work(uow: UnitOfWork) -> None:
        account.import_accounts(
            uow,
            accounts=[
                AccountToImport(
                    account_id=account_of(key),
                    account_no=f"P{number:09d}",
                    customer_id=derived_id("customer", key),
                    payment_type=payment_type,
                    credit_limit=credit_limit,
                )
                for number, key in enumerate(balances)
            ],
        )
        held = [OpeningBalance(account_of(key), Fen(fen), "test") for key, fen in balances.items() if fen]
        account.import_opening_balances(uow, balances=held)

    act(database, work)


@dataclass
class Switch:
    """Asks as the API does: price, then act, again where the account moved in between."""

    database: Database
    pricer: Pricer

    @classmethod
    def of(cls, database: Database) -> Switch:
        return cls(database, Pricer(database))

    def begin(
        self,
        access: str,
        called: str = SHANGHAI,
        *,
        session_id: str = "",
        ask: int | None = None,
        at: datetime | None = None,
        service_name: str = "voice",
        act_id: str = "",
    ) -> CreditAnswer:
        session_id = session_id or new_id()
        question = Ask("begin", session_id, service_name, access, called, self._second(at), ask=ask)
        return self._do(question, service.begin_session, act_id)

    def update(
        self, session_id: str, request_no: int, used: int, *, ask: int | None = None, act_id: str = ""
    ) -> CreditAnswer:
        request = UpdateCredit(request_no=request_no, used=used, ask=ask)
        question = Ask("update", session_id, used=used, ask=ask)
        return self._do(question, partial(service.update_session, request=request), act_id)

    def end(self, session_id: str, request_no: int, used: int, *, act_id: str = "") -> CreditAnswer:
        request = EndCredit(request_no=request_no, used=used)
        return self._do(Ask("end", session_id, used=used), partial(service.end_session, request=request), act_id)

    def event(self, access: str, called: str = SHANGHAI, *, quantity: int = 1, session_id: str = "") -> CreditAnswer:
        question = Ask("event", session_id or new_id(), "voice", access, called, self._second(None), ask=quantity)
        return self._do(question, service.charge_event, "")

    def cost(self, access: str, quantity: int, called: str = SHANGHAI, at: datetime | None = None) -> int:
        """What a call costs, in micro-yuan."""
        (quote,) = self.pricer.quotes([Ask("price", "", "voice", access, called, self._second(at), ask=quantity)])
        assert not quote.refusal, quote.refusal
        return quote.ladder[-1].charge.amount_micro_yuan

    def view(self, access: str) -> Any:
        """What live calls have of the account that pays for a number."""
        with self.database.reading() as conn:
            items = service.credit_views(conn, self.database.clock, account_of(access)).items
        return items[0] if items else None

    def cut(self, access: str) -> None:
        act(self.database, lambda uow: service.cut_account(uow, account_id=account_of(access)) and None)

    def checked(self) -> None:
        """Every rule of credit control holds."""
        for check in (checks.account_is_its_sessions, checks.month_is_its_sessions, checks.cut_is_one_rounding):
            assert check(self.database).wrong == ()

    def _second(self, at: datetime | None) -> int:
        return int((at or self.database.clock.now()).timestamp())

    def _do(self, question: Ask, work: Callable[..., CreditAnswer], act_id: str) -> CreditAnswer:
        one = Act(act_id or new_id(), question.kind, digest_of([str(question)]), system_context("switch"))
        for _attempt in range(_ATTEMPTS):
            (quote,) = self.pricer.quotes([question])
            try:
                done = perform(self.database, one, partial(work, quote=quote))
            except QuoteStale:
                continue
            return CreditAnswer.model_validate_json(done.reply)
        raise AssertionError("the account never stood still")
