"""Work orders: opened, promised while there is room, handed over, done once, judged, and told to whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from server_api.business.resource import service as resource
from server_api.business.resource import store as resources
from server_api.business.resource.store import places
from server_api.business.workorder import service as workorder
from server_api.business.workorder.jobs import _windows_counted
from server_api.business.workorder.news import WorkOrderClosed
from server_api.platform.database import Database, Databases
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.contracts.workorder import (
    ArriveAtSite,
    BookWork,
    CancelWork,
    CloseWork,
    ContactMade,
    DispatchWork,
    FollowUp,
    MaterialUsed,
    ReadingTaken,
    Signature,
    TeamRow,
    Window,
    WorkOrderDone,
    WorkOrderView,
)
from shared_models.values.clock import ManualClock, town_day
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.resource import StockTooLow
from shared_models.values.faults.workorder import (
    NotYourWorkOrder,
    ReadingNotKnown,
    ReasonNotKnown,
    TeamNotFitting,
    WindowFull,
    WindowNotPossible,
    WorkStepNotPossible,
)
from shared_models.values.ids import new_id
from tests.support.business import ask, do, worker
from tests.support.ground import lay

NORTH = TeamRow(
    team_code="NORTH", team_name="城北班", hall_code="H01", district_code="D1", areas=("town",),
    skills=("install", "repair"), members=("3001", "3002"),
)  # fmt: skip
FIELD = worker(scope=DataScope.HALL).model_copy(update={"staff_no": "3001"})
OTHER = worker(scope=DataScope.HALL).model_copy(update={"staff_no": "3002"})


@pytest.fixture
def business(databases: Databases) -> Iterator[Database]:
    """Ground, a team, a van with cable, and somebody who hears what becomes of work orders."""
    database = databases.business
    lay(database)
    ask(database, lambda uow: workorder.put_team(uow, team=NORTH))

    def load(uow: UnitOfWork) -> None:
        places.add_places(
            uow.conn,
            [
                {
                    "place_code": "VAN-3001",
                    "place_kind": "van",
                    "place_name": "3001",
                    "parent_code": None,
                    "state": "in_use",
                }
            ],
        )
        resource.put_material(
            uow, place_code="VAN-3001", material_code="drop_wire", material_name="皮线", unit="m", quantity=100,
            cause_id="x",
        )  # fmt: skip

    do(database, load)
    heard: list[WorkOrderClosed] = []
    database.listeners[WorkOrderClosed] = [lambda uow, news: heard.append(news)]
    database.heard = heard  # type: ignore[attr-defined]
    yield database


def opened(database: Database, **more: object) -> str:
    box = do(database, lambda uow: workorder.open_work_order(uow, **{  # type: ignore[arg-type, return-value]
        "kind": "install", "address": "铁人大道12号", **more}))  # fmt: skip
    return str(box[0])


def seen(database: Database, work_order_id: str, context: WorkContext | None = None) -> WorkOrderView:
    with database.reading() as connection:
        return workorder.read_work(connection, work_order_id, context or worker(), database.clock.now())


def closed(database: Database, work_order_id: str, context: WorkContext = FIELD, **fields: object) -> WorkOrderDone:
    wish = CloseWork.model_validate({"result": "done", "reason_code": "works", **fields})
    return ask(database, lambda uow: workorder.close_work(uow, work_order_id=work_order_id, close=wish), context)


def dispatched(database: Database, work_order_id: str, staff_no: str | None, **more: object) -> WorkOrderDone:
    wish = DispatchWork.model_validate({"team_code": "NORTH", "staff_no": staff_no, **more})
    return ask(database, lambda uow: workorder.dispatch_work(uow, work_order_id=work_order_id, wish=wish))


def test_from_order_to_signature(business: Database, clock: ManualClock) -> None:
    order_id, monday = new_id(), town_day(clock.now())
    work_order_id = opened(
        business, order_id=order_id, item_id="1", contact_name="王秀兰", contact_phone="13900000000",
        window=Window(on=monday, slot="afternoon"),
    )  # fmt: skip
    view = seen(business, work_order_id)
    assert (view.state, view.team_code, view.staff_no) == ("booked", "NORTH", None)
    assert view.due_at == clock.now() + timedelta(hours=72) and view.work_order_no == "W00000001"
    dispatched(business, work_order_id, "3001")
    contact = ContactMade(reason_code="no_answer")
    ask(business, lambda uow: workorder.make_contact(uow, work_order_id=work_order_id, contact=contact), FIELD)
    clock.advance(timedelta(hours=5))
    arrival = ArriveAtSite(at=clock.now() - timedelta(minutes=20))
    ask(business, lambda uow: workorder.arrive(uow, work_order_id=work_order_id, arrival=arrival), FIELD)
    signature = Signature(signed_by="王秀兰", strokes=((10, 20, 30, 40), (50, 60, 70, 80)))
    done = closed(
        business, work_order_id,
        readings=[ReadingTaken(reading="optical_power", value_milli=-18500),
                  ReadingTaken(reading="loop_resistance", value_milli=1_600_000)],
        materials=[MaterialUsed(material_code="drop_wire", quantity=35),
                   MaterialUsed(material_code="set_top_box", serial_no="STB0002")],
        signature=signature, remark="装好了",
    )  # fmt: skip
    assert done.state == "done"
    view = seen(business, work_order_id)
    assert view.begun_at == arrival.at and view.signature == signature and not view.overdue
    assert [(one.reading, one.value, one.good) for one in view.readings] == [
        ("optical_power", "-18.5", True), ("loop_resistance", "1600", False),
    ]  # fmt: skip
    assert [one.event for one in view.events] == ["open", "dispatch", "contact", "arrive", "done"]
    with business.reading() as connection:
        stock = places.material(connection, "VAN-3001", "drop_wire")
        box = resources.one(connection, "set_top_box", "STB0002")
    assert stock is not None and stock.quantity == 65
    assert box is not None and (box.state, box.order_id) == ("reserved", order_id), "the order hands it over"
    news = business.heard[-1]  # type: ignore[attr-defined]
    assert (news.result, news.order_id, news.reason_code, len(news.materials)) == ("done", order_id, "works", 2)
    said = FollowUp(outcome="satisfied")
    ask(business, lambda uow: workorder.follow_up(uow, work_order_id=work_order_id, said=said))
    assert seen(business, work_order_id).follow_up == "satisfied"
    assert _windows_counted(business).holds


def test_windows_have_room_for_so_many(business: Database, clock: ManualClock) -> None:
    tomorrow = town_day(clock.now()) + timedelta(days=1)
    window = Window(on=tomorrow, slot="evening")
    first = opened(business, window=window)
    opened(business, window=window)
    with pytest.raises(WindowFull):
        opened(business, window=window)
    with pytest.raises(WindowNotPossible):
        opened(business, window=Window(on=tomorrow - timedelta(days=2), slot="morning"))
    moved = BookWork(window=Window(on=tomorrow, slot="morning"))
    ask(business, lambda uow: workorder.book_work(uow, work_order_id=first, wish=moved))
    third = opened(business, window=window)
    ask(business, lambda uow: workorder.cancel_work(uow, work_order_id=third, wish=CancelWork(remark="重复")))
    opened(business, window=window)
    with business.reading() as connection:
        board = workorder.board(connection, worker(), clock.now())
    (team,) = board.teams
    loads = {(one.on, one.slot): (one.booked, one.room) for one in team.windows}
    assert loads[(tomorrow, "evening")] == (2, 2) and loads[(tomorrow, "morning")] == (1, 4)
    assert (team.open_count, board.unassigned_count) == (3, 3) and team.by_staff == {"3001": 0, "3002": 0}
    assert _windows_counted(business).holds


def test_many_at_once_are_promised_no_more_than_there_is_room(business: Database, clock: ManualClock) -> None:
    window = Window(on=town_day(clock.now()) + timedelta(days=2), slot="evening")

    def one(_: int) -> str:
        try:
            return opened(business, window=window)
        except WindowFull:
            return ""

    with ThreadPoolExecutor(8) as workers:
        got = [made for made in workers.map(one, range(16)) if made]
    assert len(got) == 2 == len(set(got)) and _windows_counted(business).holds


def test_failed_is_booked_again_and_late_needs_a_reason(business: Database, clock: ManualClock) -> None:
    monday = town_day(clock.now())
    work_order_id = opened(business, kind="repair", product_id=new_id(), window=Window(on=monday, slot="evening"))
    dispatched(business, work_order_id, "3001")
    with pytest.raises(ReasonNotKnown):
        closed(business, work_order_id, result="failed", reason_code="works")
    assert closed(business, work_order_id, result="failed", reason_code="nobody_home").state == "failed"
    assert seen(business, work_order_id).window is None
    again = BookWork(window=Window(on=monday + timedelta(days=1), slot="morning"))
    ask(business, lambda uow: workorder.book_work(uow, work_order_id=work_order_id, wish=again), FIELD)
    clock.advance(timedelta(hours=49))
    with business.reading() as connection:
        late = workorder.page_of_work(connection, worker(), clock.now(), limit=10, after=None, overdue=True)
        assert [one.work_order_id for one in late] == [work_order_id]
        assert workorder.board(connection, worker(), clock.now()).overdue_count == 1
    with pytest.raises(ReasonNotKnown):
        closed(business, work_order_id, reason_code="repaired_drop")
    closed(business, work_order_id, reason_code="repaired_drop", late_reason="customer_wish")
    with pytest.raises(WorkStepNotPossible):
        closed(business, work_order_id, reason_code="repaired_drop", late_reason="customer_wish")
    assert [one.result for one in business.heard] == ["failed", "done"]  # type: ignore[attr-defined]
    assert _windows_counted(business).holds


def test_whose_work_it_is(business: Database) -> None:
    work_order_id = opened(business)
    dispatched(business, work_order_id, "3001")
    with pytest.raises(NotYourWorkOrder):
        closed(business, work_order_id, OTHER)
    with pytest.raises(ReasonNotKnown):
        dispatched(business, work_order_id, "3002")
    with pytest.raises(TeamNotFitting):
        dispatched(business, work_order_id, "9999", reason_code="absent")
    dispatched(business, work_order_id, "3002", reason_code="absent")
    with business.reading() as connection:
        now = business.clock.now()
        assert workorder.my_work(connection, FIELD, now) == []
        assert [one.work_order_id for one in workorder.my_work(connection, OTHER, now)] == [work_order_id]
    with pytest.raises(NotFound):
        seen(business, work_order_id, worker("H03", "D2", DataScope.HALL))
    far = worker("H03", "D2", DataScope.HALL).model_copy(update={"staff_no": "3002"})
    assert seen(business, work_order_id, far).staff_no == "3002", "one's own is seen from anywhere"


def test_nothing_is_kept_of_a_close_that_is_refused(business: Database) -> None:
    work_order_id = opened(business)
    dispatched(business, work_order_id, "3001")
    with pytest.raises(StockTooLow):
        closed(business, work_order_id, materials=[MaterialUsed(material_code="drop_wire", quantity=101)])
    with pytest.raises(ReadingNotKnown):
        closed(business, work_order_id, readings=[ReadingTaken(reading="mood", value_milli=1)])
    view = seen(business, work_order_id)
    assert (view.state, view.readings, view.begun_at) == ("waiting", (), None)


def test_an_order_withdraws_its_work_orders(business: Database) -> None:
    order_id = new_id()
    first, second = opened(business, order_id=order_id, item_id="1"), opened(business, order_id=order_id, item_id="2")
    assert do(business, lambda uow: workorder.cancel_work_orders(uow, order_id=order_id, item_id="1")) == [1]
    assert (seen(business, first).state, seen(business, second).state) == ("cancelled", "waiting")
    assert do(business, lambda uow: workorder.cancel_work_orders(uow, order_id=order_id)) == [1]
    assert [one.result for one in business.heard] == ["cancelled", "cancelled"]  # type: ignore[attr-defined]
