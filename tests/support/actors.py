"""Processes to be killed: a writer that does numbered acts, a worker that carries facts and runs a long job.

Each is forked from a server process that has everything imported, so that a life costs milliseconds, and can be killed
with SIGKILL at any point. What must hold afterwards is in tests/faults.
"""

from __future__ import annotations

import threading
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from sqlalchemy import select

from server_api.platform import audit
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database, Databases, open_databases
from server_api.platform.facts.dispatcher import Crossing
from server_api.platform.facts.receiver import Envelope
from server_api.platform.jobs import JobRun, run_next
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.base import Contract
from shared_models.contracts.events import AccountRecorded, CustomerRecorded
from shared_models.contracts.work import system_context
from shared_models.values.faults.common import DatabaseAway, TooBusy
from shared_models.values.ids import derived_id
from tests.support.engines import TEST_SECRETS, Urls

ACCOUNTS = 5
JOB = "tests.long"
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.actors"])


class Numbered(Contract):
    """The reply of an act: its number in the row of receipts."""

    number: int


def open_pair(urls: Urls, label: str) -> Databases:
    """The two databases as a process of the product opens them, on the machine's clock."""
    return open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, label=label, pool_size=4)


def act_of(index: int) -> Act:
    """The index-th act, under the same id whenever it is sent."""
    return Act(derived_id("tests", "act", str(index)), "tests.number", digest_of(index), system_context("tests"))


def number_and_tell(uow: UnitOfWork, index: int) -> Numbered:
    """Take a receipt number, note it, and tell the other side."""
    number = next_number(uow, "receipts")
    audit.note(uow, "receipt.given", f"receipt:{number}")
    uow.tell(f"account:{index % ACCOUNTS}", AccountRecorded(
        account_id="a" * 32, account_no=f"A{index}", customer_id="c" * 32), bulk=index % 3 == 0)
    return Numbered(number=number)


def write_until_told(urls: Urls, first: int, count: int, done: Any) -> None:
    """A teller's process: sends act after act, again when busy, and counts what was confirmed in ``done``."""
    databases = open_pair(urls, "writer")
    lanes = [range(first + lane, first + count, 4) for lane in range(4)]
    threads = [threading.Thread(target=_write_some, args=(databases.billing, lane, done)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    databases.close()


def _write_some(billing: Database, indexes: range, done: Any) -> None:
    for index in indexes:
        while True:
            try:
                perform(billing, act_of(index), lambda uow, i=index: number_and_tell(uow, i))  # type: ignore[misc]
                break
            except (DatabaseAway, TooBusy):
                continue
        with done.get_lock():
            done.value = max(done.value, index)


def hear(uow: UnitOfWork, envelope: Envelope, payload: Any) -> None:
    """Business's side: count the fact, and answer with one of its own."""
    next_number(uow, f"heard {envelope.aggregate}")
    next_number(uow, f"effect {envelope.fact_id}")
    uow.tell(f"customer:{envelope.aggregate}", CustomerRecorded(
        customer_id="c" * 32, customer_no=payload.account_no, customer_class="x", sealed_name="x"))


def hear_back(uow: UnitOfWork, envelope: Envelope, _payload: Any) -> None:
    """Billing's side of the answer."""
    next_number(uow, f"answered {envelope.aggregate}")


def crossings_of(databases: Databases) -> tuple[Crossing, Crossing]:
    """Both directions, heard by the functions above."""
    return (Crossing(databases.billing, databases.business, {"AccountRecorded": (hear,)}),
            Crossing(databases.business, databases.billing, {"CustomerRecorded": (hear_back,)}))


def long_job(run: JobRun) -> dict[str, Any]:
    """A job of many acts, each once however often the job is begun again."""
    total = int(run.arguments["acts"])
    for step in range(int(run.state.get("next", 0)), total):
        act = Act(run.act_id(step), "tests.step", digest_of(step), system_context("tests"))
        perform(run.database, act, lambda uow: Numbered(number=next_number(uow, "steps")))
        if step % 5 == 4:
            run.remember(next=step + 1)
        run.progress(step + 1, total)
    return {"acts": total}


def carry(urls: Urls, lease_s: float) -> None:
    """A worker's process: carries facts both ways and runs jobs, until it is killed."""
    from server_api.platform.facts.runner import Dispatcher

    databases = open_pair(urls, "worker")
    Dispatcher(crossings_of(databases), lease_s=lease_s).start()
    while True:
        try:
            if not run_next(databases.billing, {JOB: long_job}, lease_s=lease_s):
                threading.Event().wait(0.02)
        except (DatabaseAway, TooBusy):
            threading.Event().wait(0.05)


def start(target: Any, *arguments: Any) -> BaseProcess:
    """Start one of the functions above in a process of its own."""
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def counter() -> Any:
    """An integer shared with the processes."""
    return _CONTEXT.Value("q", -1)


def counters(database: Database, like: str) -> dict[str, int]:
    """How often each counter whose name begins with ``like`` was used."""
    table = database.platform.number_counter
    with database.reading() as connection:
        rows = connection.execute(select(table).where(table.c.counter_name.like(f"{like}%"))).all()
    return {row.counter_name: int(row.next_value) - 1 for row in rows}
