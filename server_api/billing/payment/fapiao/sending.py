"""The words with the provider: a job takes each fapiao that is due, asks once, and stores the answer.

What is about to be sent is marked ``sent`` and committed before the call. Whoever dies between the call and its answer
leaves it so, and the next one asks what became of it instead of sending it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.payment.fapiao import rules, store
from server_api.billing.payment.fapiao.provider import DESK, Answer, Order, OrderLine, Outcome, Provider
from server_api.billing.payment.fapiao.service import after_issue, issued_values
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.jobs import JobRun
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.fapiao import ISSUED, FapiaoState
from shared_models.values.faults.fapiao import FapiaoNotFound
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen

_PER_LOOK = 20
#: Longer than any call may take: while it lasts nobody else asks about the same fapiao.
_HELD_FOR = timedelta(minutes=2)
_SENDING = (rules.ISSUE, rules.RED_ISSUE)


def send_due(run: JobRun) -> Mapping[str, Any]:
    """Job: speak about every fapiao that is due. Does nothing where no provider is set up."""
    provider = DESK.connected
    if provider is None:
        return {"asked": 0, "provider": "none"}
    asked = 0
    while True:
        with run.database.reading() as conn:
            rows = store.due(conn, run.database.clock.now(), _PER_LOOK)
        if not rows:
            return {"asked": asked}
        for row in rows:
            asked += speak(run.database, provider, row)
            run.beat()


def ask_now(database: Database, fapiao_id: str) -> int:
    """Speak about one fapiao at once (a person asked); 0 where it is not on its way or somebody else has it.

    Raises FapiaoNotConfigured, FapiaoNotFound.
    """
    provider = DESK.provider()
    with database.reading() as conn:
        row = store.read_fapiao(conn, fapiao_id)
    if row is None:
        raise FapiaoNotFound()
    if FapiaoState(row.state) in ISSUED or row.state in (FapiaoState.REFUSED, FapiaoState.VOID):
        return 0
    return speak(database, provider, row)


def speak(database: Database, provider: Provider, row: Row[Any]) -> int:
    """One word with the provider about one fapiao; 1 where it was had."""
    with database.reading() as conn:
        blue = store.read_fapiao(conn, row.red_of_id) if row.red_of_id else None
        lines = store.lines_of(conn, row.fapiao_id)
    if row.red_of_id and row.state == FapiaoState.INTENDED and not _blue_ready(database, row, blue):
        return 0
    asked = rules.question(FapiaoState(row.state), red=bool(row.red_of_id), confirmed=bool(row.confirmation_no))
    now = database.clock.now()
    held: dict[str, Any] = {"next_at": now + _HELD_FOR}
    if asked in _SENDING:
        held |= {"state": FapiaoState.SENT.value, "sent_at": now}
    if not database.write(lambda conn: store.claim(conn, row, **held)):
        return 0
    order = _order(database, row, blue, lines)
    answer = _ask(provider, asked, order, row)
    act_id = derived_id(row.fapiao_id, "word", row.state, str(row.try_count), now.isoformat())
    act = Act(act_id, "fapiao.word", digest_of([row.fapiao_id]), _context(row))
    perform(database, act, partial(_store, fapiao_id=row.fapiao_id, asked=asked, answer=answer))
    return 1


def _ask(provider: Provider, asked: str, order: Order, row: Row[Any]) -> Answer:
    if asked == rules.ISSUE:
        return provider.issue(order)
    if asked == rules.RED_APPLY:
        return provider.red_apply(order)
    if asked == rules.RED_ISSUE:
        return provider.red_issue(order)
    if asked == rules.QUERY:
        return provider.query(order.order_no)
    return provider.download(order.order_no, row.fapiao_no or "")


def _store(uow: UnitOfWork, fapiao_id: str, asked: str, answer: Answer) -> None:
    row = store.read_fapiao(uow.conn, fapiao_id)
    if row is None:
        return
    state = FapiaoState(row.state)
    following = rules.after(
        state, asked, answer, red=bool(row.red_of_id), tries=row.try_count, sent_at=row.sent_at, now=uow.now
    )
    values: dict[str, Any] = {"state": following.state.value, "next_at": following.at, "problem": following.problem}
    if asked == rules.RED_APPLY and answer.confirmation_no:
        values["confirmation_no"] = answer.confirmation_no
    if asked == rules.DOWNLOAD:
        values = {"next_at": following.at} | (_files(answer) if answer.outcome is Outcome.ISSUED else {})
    elif answer.outcome is Outcome.ISSUED and following.state in ISSUED:
        values |= _files(answer)
        if store.id_of_number(uow.conn, answer.fapiao_no) not in (None, fapiao_id):
            values |= {"state": FapiaoState.UNKNOWN.value, "problem": f"number {answer.fapiao_no} is another's"}
        else:
            values |= issued_values(row, answer.fapiao_no, uow.now)
    word = {
        "asked": asked,
        "outcome": answer.outcome.value,
        "code": answer.code if answer.code.isascii() else "",
        "remark": answer.text,
        "said_on": uow.today,
        "said_at": uow.now,
    }
    # what a person or another answer decided meanwhile stands; the word is kept all the same
    moved = store.change_fapiao(uow.conn, fapiao_id, [state.value], **values)
    store.add_word(uow.conn, fapiao_id, word)
    if moved:
        after_issue(uow, row, values)


def _files(answer: Answer) -> dict[str, Any]:
    return {"pdf_url": answer.pdf_url, "ofd_url": answer.ofd_url, "xml_url": answer.xml_url}


def _blue_ready(database: Database, row: Row[Any], blue: Row[Any] | None) -> bool:
    """A red fapiao waits until its blue one is issued, and is void where that never will be."""
    state = FapiaoState(blue.state) if blue is not None else FapiaoState.VOID
    if state in ISSUED:
        return True
    if state in (FapiaoState.REFUSED, FapiaoState.VOID):
        values: dict[str, Any] = {"state": FapiaoState.VOID.value}
    else:
        problem = resources.text("fapiao.problem.waits_for_blue", "zh_CN")
        values = {"next_at": database.clock.now() + rules.wait_after(row.try_count + 1), "problem": problem}

    def work(conn: Connection) -> bool:
        return store.claim(conn, row, **values)

    database.write(work)
    return False


def _order(database: Database, row: Row[Any], blue: Row[Any] | None, lines: Any) -> Order:
    """The order as sent: bill lines of one item and rate are one line of the fapiao."""
    grouped: dict[tuple[str, int], list[Any]] = {}
    for line in lines:
        grouped.setdefault((line.item_code, line.tax_per_mille), []).append(line)
    return Order(
        order_no=row.fapiao_id,
        type_code=row.type_code,
        buyer=json.loads(database.secrets.unseal(row.sealed_buyer)),
        lines=tuple(
            OrderLine(
                group[0].label,
                item_code,
                tax_per_mille,
                Fen.total(line.amount_fen for line in group),
                Fen.total(line.net_fen for line in group),
                Fen.total(line.tax_fen for line in group),
            )
            for (item_code, tax_per_mille), group in grouped.items()
        ),
        amount=row.amount_fen,
        net=row.net_fen,
        tax=row.tax_fen,
        blue_no=(blue.fapiao_no or "") if blue is not None else "",
        red_reason=row.red_reason or "",
        confirmation_no=row.confirmation_no or "",
    )


def _context(row: Row[Any]) -> WorkContext:
    return system_context("fapiao").model_copy(update={"hall_code": row.hall_code, "district_code": row.district_code})
