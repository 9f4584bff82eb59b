"""Taking numbers, logins and cards for a product, inside the act that installs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server_api.business.resource import rules, store
from server_api.business.resource.uselog import use_row
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.business.resource import number_resource
from shared_models.values.faults.inventory import NumberAlreadyTaken


@dataclass(frozen=True)
class Taken:
    """A number and the product that has it."""

    access_kind: str
    access_key: str
    product_id: str
    hall_code: str


def take_number(uow: UnitOfWork, *, taken: Taken) -> None:
    """Give a number to a product. Locks the number's row, last in the lock order. Raises NumberAlreadyTaken."""
    first = _row(uow, taken)
    row = uow.lock_or_insert(store.lock_query(taken.access_kind, taken.access_key), number_resource, first)
    if row is not None:
        if row.state == "in_use" and row.product_id == taken.product_id:
            return
        if not _may_take(uow, row, taken.product_id):
            raise NumberAlreadyTaken(number=taken.access_key)
        store.change(
            uow.conn, taken.access_kind, taken.access_key, state="in_use", product_id=taken.product_id, order_id=None,
            item_id=None, reserved_until_at=None, cooling_until_on=None, changed_at=uow.now,
        )  # fmt: skip
    use = use_row(uow, taken.access_kind, taken.access_key, "occupy", row.state if row is not None else None, "in_use")
    store.log(uow.conn, [use | {"product_id": taken.product_id}])


def take_over_numbers(uow: UnitOfWork, *, numbers: Sequence[Taken]) -> None:
    """Record numbers in use in an old system. Raises NumberAlreadyTaken for one that another product has."""
    fresh = []
    for access_kind in sorted({one.access_kind for one in numbers}):
        of_kind = [one for one in numbers if one.access_kind == access_kind]
        known = store.known(uow.conn, access_kind, [one.access_key for one in of_kind])
        for one in of_kind:
            row = known.get(one.access_key)
            if row is None:
                fresh.append(_row(uow, one))
            elif not _may_take(uow, row, one.product_id):
                raise NumberAlreadyTaken(number=one.access_key)
            else:
                store.change(
                    uow.conn, access_kind, one.access_key, state="in_use", product_id=one.product_id, changed_at=uow.now
                )
    store.add(uow.conn, fresh)


def _may_take(uow: UnitOfWork, row: Any, product_id: str) -> bool:
    """A product may have what it has already and what is free to anybody; not what an order reserved for another."""
    if row.state == "in_use":
        return bool(row.product_id == product_id)
    return rules.is_free(row.state, row.reserved_until_at, row.cooling_until_on, now=uow.now, on=uow.today)


def _row(uow: UnitOfWork, taken: Taken) -> dict[str, Any]:
    return {
        "access_kind": taken.access_kind, "access_key": taken.access_key, "state": "in_use",
        "hall_code": taken.hall_code, "product_id": taken.product_id, "changed_at": uow.now,
    }  # fmt: skip
