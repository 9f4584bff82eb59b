"""A hall, a published catalogue and people at work, for tests of the business side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

import resources
from server_api.business.catalog import service as catalog
from server_api.business.party import service as party
from server_api.business.staff import service as staff
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import PublishPriceBook
from shared_models.contracts.party import CreateCustomer, CustomerMade
from shared_models.contracts.staff import HallRow
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.values.ids import new_id

Answer = TypeVar("Answer", bound=BaseModel)


def worker(hall: str = "H01", district: str = "D1", scope: DataScope = DataScope.ALL, **more: object) -> WorkContext:
    """Somebody at work in a hall."""
    return WorkContext(
        staff_id="t" + hall, staff_no="1001", staff_name="王芳", hall_code=hall, district_code=district,
        counter_no="03", scope=scope, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def do(
    database: Database, work: Callable[[UnitOfWork], BaseModel | int | None], context: WorkContext | None = None,
    act_id: str = "",
) -> list[object]:  # fmt: skip
    """Do one act and return what ``work`` returned (in a list, because a replay returns nothing)."""
    box: list[object] = []

    def run(uow: UnitOfWork) -> BaseModel | None:
        answer = work(uow)
        box.append(answer)
        return answer if isinstance(answer, BaseModel) else None

    act = Act(act_id or new_id(), "test", digest_of({"act": act_id}), context or worker())
    perform(database, act, run)
    return box


def ask(database: Database, work: Callable[[UnitOfWork], Answer], context: WorkContext | None = None) -> Answer:
    """Do one act and return its reply."""
    return do(database, work, context)[0]  # type: ignore[return-value]


def open_halls(database: Database) -> None:
    """Three halls in two districts, with the roles of the product."""
    for hall, district in (("H01", "D1"), ("H02", "D1"), ("H03", "D2")):
        row = HallRow(
            hall_code=hall, hall_name=f"{hall}营业厅", district_code=district, district_name=f"{district}片区",
            counters=("01", "02", "03"),
        )  # fmt: skip
        do(database, lambda uow, row=row: staff.put_hall(uow, hall=row))  # type: ignore[misc]
    do(database, lambda uow: staff.load_roles(uow))


def publish_sample_catalog(database: Database) -> int:
    """Take the sample catalogue over and publish it; returns the price book version."""
    text = resources.path("catalog", "sample.yaml").read_text(encoding="utf-8")
    document, errors = catalog.read_yaml(text, "sample.yaml")
    assert not errors, errors
    do(database, lambda uow: catalog.import_catalog(uow, catalog=document))
    return ask(database, lambda uow: catalog.publish_price_book(uow, wanted=PublishPriceBook())).version


def make_customer(database: Database, name: str, context: WorkContext | None = None, **more: object) -> CustomerMade:
    """Make a customer."""
    wanted = CreateCustomer(customer_id=new_id(), name=name, **more)  # type: ignore[arg-type]
    return ask(database, lambda uow: party.create_customer(uow, customer=wanted), context)
