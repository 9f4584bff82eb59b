"""The month run itself: resumed, cancelled, disturbed, refused, and always the same bills."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from server_api.billing.account import store as account_store
from server_api.billing.bill import run as run_module
from server_api.billing.bill import service
from server_api.billing.bill.policy import BillingPolicy
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.jobs import enqueue_now, run_all
from shared_models.contracts.events import BillRunClosed
from shared_models.tables.billing.bill import bill, bill_charge, bill_line, bill_run_chunk
from shared_models.tables.billing.ledger import posting
from shared_models.values.clock import ManualClock
from shared_models.values.faults.bill import BillMonthNotOver, BillRunClosedAlready, BillRunNotRunning
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import PATIENT, BillTown

MARCH = Month(202603)


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock).on("2026-03-01")


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> BillingPolicy:
    """Chunks of 4 accounts, turns of 2, so that a small town has many places to fall over."""
    monkeypatch.setattr(run_module, "_TURN_LEAST", 2)
    monkeypatch.setattr(run_module, "_TURN_MOST", 2)
    return replace(PATIENT, run=replace(PATIENT.run, chunk_accounts=4, turn_accounts=2))


def settle(town: BillTown, count: int = 11) -> list[str]:
    """So many accounts with a line each and some calls."""
    accounts = [town.account(number) for number in range(1, count + 1)]
    for number, account in enumerate(accounts):
        line = town.install(account, "PSTN", "2026-01-01", shown_as=f"0937-39600{number:02d}")
        town.calls(account, line, 202603, [100_000 * number + 1, 5_000])
    return accounts


def contents(town: BillTown) -> dict[str, list[tuple[object, ...]]]:
    """Everything a run stores, in order."""
    with town.billing.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (bill, bill_line, bill_charge, posting)
        }


def crash_points(monkeypatch: pytest.MonkeyPatch, rng: random.Random) -> Iterator[None]:
    """Let some step of a turn, before or after its work, die at random."""
    state = {"left": rng.randint(1, 12)}

    def dying(name: str, real: object) -> object:
        def step(*args: object, **kwargs: object) -> object:
            state["left"] -= 1
            if state["left"] == 0:
                raise Crash(name)
            done = real(*args, **kwargs)  # type: ignore[operator]
            state["left"] -= 1
            if state["left"] == 0:
                raise Crash(name)
            return done

        return step

    for owner, name in (
        (run_module.bills, "insert_bills"),
        (run_module.ledger_store, "post_bulk"),
        (run_module.runs, "step_chunk"),
        (run_module.runs, "end_chunk"),
        (run_module, "load_accounts"),
        (run_module, "store_told"),
    ):
        monkeypatch.setattr(owner, name, dying(name, getattr(owner, name)))
    while True:
        yield
        state["left"] = rng.randint(1, 14)


@pytest.mark.parametrize("seed", range(6))
def test_falling_over_anywhere_gives_the_same_bills(
    town: BillTown,
    small_steps: BillingPolicy,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    accounts = settle(town)
    expected = {}
    town.on("2026-04-01")
    for account in accounts:
        with town.billing.reading() as connection:
            document, _charges = service.preview_account(
                connection, account, MARCH, "zh_CN", town.billing.secrets, town.clock.now()
            )
        expected[account] = town.table(document)
    town.begin(202603)
    rng = random.Random(seed)
    crashes = 0
    with monkeypatch.context() as patched:
        for _again in crash_points(patched, rng):
            try:
                service.run_month(town.billing, service.run_id_of(MARCH), policy=small_steps)
                break
            except Crash:
                crashes += 1
                town.clock.advance(small_steps_lease(small_steps))
    assert crashes > 0
    assert {account: town.table(town.bill(account, 202603)) for account in accounts} == expected
    with town.billing.reading() as connection:
        progress = service.read_run(connection, service.run_id_of(MARCH))
    assert (progress.state, progress.done_count, progress.bill_count, progress.aside_count) == ("closed", 11, 11, 0)
    assert progress.total_fen == Fen.total(town.bill(account, 202603).head.total_fen for account in accounts)
    assert town.broken() == []


def small_steps_lease(policy: BillingPolicy) -> object:
    from datetime import timedelta

    return timedelta(seconds=policy.run.lease_s + 1)


def test_running_twice_adds_nothing(town: BillTown, small_steps: BillingPolicy) -> None:
    settle(town)
    town.run(202603, small_steps)
    before = contents(town)
    again = service.run_month(town.billing, service.run_id_of(MARCH), policy=small_steps)
    assert again.bill_count == 11 and contents(town) == before
    with pytest.raises(BillRunClosedAlready):
        town.begin(202603)


def test_a_month_is_billed_once_it_is_over(town: BillTown) -> None:
    town.on("2026-03-31", hour=23)
    with pytest.raises(BillMonthNotOver):
        town.begin(202603)
    town.on("2026-04-01", hour=0)
    town.begin(202603)


def test_cancelled_and_begun_again(
    town: BillTown,
    small_steps: BillingPolicy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_module, "_PACE_EVERY_S", 0.0)
    settle(town)
    town.on("2026-04-01").begin(202603)
    run_id = service.run_id_of(MARCH)
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        if done >= 4:
            town.act("cancel", lambda uow: service.cancel_run(uow, run_id=run_id))

    with pytest.raises(BillRunNotRunning):
        service.run_month(town.billing, run_id, policy=small_steps, on_progress=progress)
    with town.billing.reading() as connection:
        stopped = service.read_run(connection, run_id)
        assert connection.execute(select(func.count()).select_from(bill)).scalar_one() == stopped.bill_count
    assert (stopped.state, stopped.done_count) == ("cancelled", 6)
    assert seen == [(2, 11), (4, 11)]
    with pytest.raises(BillRunNotRunning):
        town.act("cancel", lambda uow: service.cancel_run(uow, run_id=run_id))
    done = town.run(202603, small_steps)
    assert (done.state, done.done_count, done.bill_count) == ("closed", 11, 11)
    assert town.broken() == []


def test_one_bad_account_is_set_aside_and_billed_later(town: BillTown, small_steps: BillingPolicy) -> None:
    accounts = settle(town, 5)
    town.install(accounts[2], "NOSUCH", "2026-01-01", "broadband", "zy003")
    done = town.run(202603, small_steps)
    assert (done.bill_count, done.aside_count) == (4, 1)
    with town.billing.reading() as connection:
        page = service.set_asides(connection, 202603, 10, None)
    assert [(each.account_id, each.reason) for each in page.items] == [(accounts[2], "bill_price_missing")]
    assert "NOSUCH" in page.items[0].text
    assert not town.has_bill(accounts[2], 202603)
    assert town.broken() == []


def test_an_account_that_moves_while_its_bill_is_made_is_drafted_again(
    town: BillTown,
    small_steps: BillingPolicy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A payment comes between reading and freezing: the bill shows the advance it left, and is settled from it."""
    from server_api.billing.account.service import OpeningBalance, import_opening_balance

    accounts = settle(town, 5)
    town.on("2026-04-01").begin(202603)
    real = run_module.load_accounts

    def reading_then_money(*args: object) -> object:
        loaded = real(*args)  # type: ignore[arg-type]
        moving.append("")
        return loaded

    moving: list[str] = []
    monkeypatch.setattr(run_module, "load_accounts", reading_then_money)
    real_draft = run_module.draft_or_reason

    def draft_and_pay(book: object, policy: object, issue: object, account: object) -> object:
        if account.account_id == accounts[1] and len(moving) == 1:  # type: ignore[attr-defined]
            moving.append("paid")
            town.act(
                "pay", lambda uow: import_opening_balance(uow, balance=OpeningBalance(accounts[1], Fen(1_000), "old"))
            )
        return real_draft(book, policy, issue, account)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "draft_or_reason", draft_and_pay)
    done = service.run_month(town.billing, service.run_id_of(MARCH), policy=small_steps)
    document = town.bill(accounts[1], 202603)
    assert done.bill_count == 5
    assert document.advance_before_fen == Fen(1_000)
    assert document.head.open_fen == document.head.total_fen - Fen(1_000)
    assert town.broken() == []


def test_an_account_that_keeps_moving_is_set_aside(
    town: BillTown,
    small_steps: BillingPolicy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accounts = settle(town, 3)
    town.on("2026-04-01").begin(202603)
    real = run_module.draft_or_reason

    def restless(book: object, policy: object, issue: object, account: object) -> object:
        if account.account_id == accounts[1]:  # type: ignore[attr-defined]
            town.billing.write(lambda connection: account_store.touch(connection, accounts[1]))
        return real(book, policy, issue, account)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "draft_or_reason", restless)
    done = service.run_month(town.billing, service.run_id_of(MARCH), policy=small_steps)
    assert (done.bill_count, done.aside_count) == (2, 1)
    with town.billing.reading() as connection:
        assert service.set_asides(connection, 202603, 10, None).items[0].reason == "bill_moved"


def test_the_worker_does_it_as_a_job_and_tells_business(town: BillTown) -> None:
    settle(town, 3)
    town.on("2026-04-01")
    enqueue_now(town.billing, service.MONTH_RUN_JOB, {"yyyymm": 202603})
    assert run_all(town.billing, town.wiring.jobs["billing"]) == 1
    with town.billing.reading() as connection:
        out = town.billing.platform.fact_out
        told = connection.execute(select(out.c.payload).where(out.c.kind == BillRunClosed.__name__)).scalars().all()
    assert [(each["yyyymm"], each["bill_count"]) for each in told] == [(202603, 3)]
    deliver_all(town.crossings)
    assert town.broken() == []


def test_chunks_cover_every_account_also_one_opened_later(town: BillTown, small_steps: BillingPolicy) -> None:
    settle(town, 9)
    town.on("2026-04-01").begin(202603)
    run_id = service.run_id_of(MARCH)
    service.plan_run(town.billing, run_id, small_steps)
    service.plan_run(town.billing, run_id, small_steps)
    late = town.account(99)
    town.install(late, "PSTN", "2026-03-01")
    done = service.run_month(town.billing, run_id, policy=small_steps)
    with town.billing.reading() as connection:
        chunks = connection.execute(select(bill_run_chunk).order_by(bill_run_chunk.c.chunk_no)).all()
    assert [chunk.account_count for chunk in chunks] == [4, 4, 1]
    assert chunks[0].first_account == "0" and chunks[-1].until_account is None
    assert all(one.until_account == two.first_account for one, two in zip(chunks, chunks[1:], strict=False))
    assert done.bill_count == 10 and town.has_bill(late, 202603)


def test_preview_of_the_month_is_what_the_run_makes(town: BillTown, small_steps: BillingPolicy) -> None:
    accounts = settle(town, 7)
    town.run(202602, small_steps)
    town.install(accounts[0], "BB300", "2026-03-01", "broadband", "zy001")
    town.install(accounts[4], "BB300", "2026-01-01", "tv", "x")
    town.on("2026-04-01")
    before = contents(town)
    seen = service.preview_run(town.billing, MARCH, policy=small_steps)
    assert contents(town) == before
    assert (seen.account_count, seen.last_bill_count, str(seen.last_total_fen)) == (7, 7, "175.00")
    # 90.00 for March and 90.00 for February, which was billed before the product was heard of; 0.41 for calls
    assert [(each.account_id, str(each.difference_fen)) for each in seen.outliers] == [(accounts[4], "180.41")]
    strict = replace(small_steps, run=replace(small_steps.run, outlier_fen=100))
    seen = service.preview_run(town.billing, MARCH, policy=strict)
    assert [each.account_id for each in seen.outliers] == [accounts[4], accounts[0]]
    done = town.run(202603, small_steps)
    assert (done.bill_count, done.total_fen) == (seen.bill_count, seen.total_fen)
    assert {each.service for each in seen.services} == {"voice", "broadband", "tv"}


def test_run_ids_follow_from_the_month() -> None:
    assert service.run_id_of(MARCH) == derived_id("month run", "202603")
