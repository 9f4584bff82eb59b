"""A small world in which facts can be told and heard: two kinds of news, and what the receiver made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from server_api.platform.acts import Act, Outcome, digest_of, perform
from server_api.platform.database import Database, Databases
from server_api.platform.facts.dispatcher import Crossing
from server_api.platform.facts.receiver import Envelope
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import AccountRecorded, Payload
from shared_models.contracts.work import system_context
from shared_models.values.ids import new_id


def account_news(number: int = 1, account_id: str = "a" * 32) -> AccountRecorded:
    """A fact of billing with something to tell it by."""
    return AccountRecorded(account_id=account_id, account_no=f"A{number:06d}", customer_id="c" * 32)


def tell(
    database: Database, aggregate: str, payload: Payload | None = None, *, act_id: str = "", bulk: bool = False
) -> Outcome:
    """One act that tells one fact."""
    payload = payload or account_news()

    def work(uow: UnitOfWork) -> None:
        uow.tell(aggregate, payload, bulk=bulk)

    act = Act(act_id or new_id(), "tests.tell", digest_of({"aggregate": aggregate}), system_context("tests"))
    return perform(database, act, work)


class Heard:
    """Keeps in the receiving database how often each aggregate was applied, and in memory in which order."""

    def __init__(self) -> None:
        self.order: list[tuple[str, int]] = []
        self.refuse: Callable[[Envelope], Exception | None] = lambda envelope: None

    def handler(self, uow: UnitOfWork, envelope: Envelope, payload: Any) -> None:
        next_number(uow, f"heard {envelope.aggregate}"[:80])
        error = self.refuse(envelope)
        if error is not None:
            raise error
        # A batch that fails is undone and applied one by one: what counts is the last time, as in the database.
        place = (envelope.aggregate, envelope.seq)
        self.order = [*(other for other in self.order if other != place), place]

    def crossing(self, databases: Databases) -> Crossing:
        """Billing's news to business, heard by this."""
        return Crossing(databases.billing, databases.business, {"AccountRecorded": (self.handler,)})


def applied(database: Database, aggregate: str) -> int:
    """How many facts of an aggregate had their effect."""
    table = database.platform.number_counter
    with database.reading() as connection:
        value = connection.execute(
            select(table.c.next_value).where(table.c.counter_name == f"heard {aggregate}"[:80])
        ).scalar_one_or_none()
    return 0 if value is None else int(value) - 1


def pending_count(database: Database) -> int:
    """How many facts wait to be sent."""
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(database.platform.fact_pending)).scalar_one())
