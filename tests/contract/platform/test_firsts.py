"""First facts of many aggregates at once: the same result as one by one, and one by one when anything is wrong."""

from __future__ import annotations

from server_api.platform.acts import Act, perform
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import Crossing, deliver_all
from server_api.platform.facts.parking import list_parked
from shared_models.contracts.events import AccountRecorded
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id


def _tell(databases: Databases, count: int, times: int = 1) -> None:
    def work(uow):
        for number in range(count):
            for _ in range(times):
                fact = AccountRecorded(account_id=str(number), account_no=f"A{number}", customer_id="c")
                uow.tell(f"account:{number}", fact, bulk=True)

    perform(databases.billing, Act(derived_id("tell"), "tell", "d", system_context("test")), work)


class _Hearers:
    def __init__(self) -> None:
        self.one_by_one: list[tuple[str, int]] = []
        self.together: list[int] = []
        self.refuses: set[str] = set()

    def one(self, uow, envelope, payload) -> None:
        if payload.account_no in self.refuses:
            raise ValueError("poison")
        self.one_by_one.append((envelope.aggregate, envelope.seq))

    def many(self, uow, heard) -> None:
        if any(payload.account_no in self.refuses for _envelope, payload in heard):
            raise ValueError("poison")
        self.together.append(len(heard))

    def crossing(self, databases: Databases) -> Crossing:
        kind = AccountRecorded.__name__
        return Crossing(databases.billing, databases.business, {kind: (self.one,)}, {kind: (self.many,)})


def test_first_facts_go_together_and_the_rest_follow_in_order(databases: Databases):
    hearers = _Hearers()
    _tell(databases, 250, times=3)
    assert deliver_all([hearers.crossing(databases)]) == 750
    assert sum(hearers.together) + sum(1 for _aggregate, seq in hearers.one_by_one if seq == 1) == 250
    assert max(hearers.together) <= 100
    for number in range(250):
        seqs = [seq for aggregate, seq in hearers.one_by_one if aggregate == f"account:{number}" and seq > 1]
        assert seqs == [2, 3]
    assert deliver_all([hearers.crossing(databases)]) == 0


def test_one_bad_fact_parks_its_aggregate_only(databases: Databases):
    hearers = _Hearers()
    hearers.refuses = {"A7"}
    _tell(databases, 60)
    deliver_all([hearers.crossing(databases)])
    standing = list_parked(databases.billing)
    assert [row.aggregate for row in standing] == ["account:7"]
    assert "poison" in standing[0].error
    # A turn that is undone is run again: what counts is who was heard in the end.
    heard = {aggregate for aggregate, _seq in hearers.one_by_one}
    assert "account:7" not in heard
    assert sum(hearers.together) + len(heard) == 59


def test_few_facts_go_the_ordinary_way(databases: Databases):
    hearers = _Hearers()
    _tell(databases, 1)
    assert deliver_all([hearers.crossing(databases)]) == 1
    assert hearers.together == []
    assert hearers.one_by_one == [("account:0", 1)]
