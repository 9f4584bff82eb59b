"""Taking and releasing numbers, inside the act of whoever needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server_api.business.resource import rules, store
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
    if row is None:
        return
    if not rules.may_take(row.state, row.product_id, row.cooling_until_on, taken.product_id, uow.today):
        raise NumberAlreadyTaken(number=taken.access_key)
    store.change(
        uow.conn, taken.access_kind, taken.access_key, state="in_use", product_id=taken.product_id,
        cooling_until_on=None, changed_at=uow.now,
    )  # fmt: skip


def release_number(uow: UnitOfWork, *, access_kind: str, access_key: str, product_id: str) -> None:
    """Let a number rest; nothing happens when the product does not have it."""
    row = uow.lock(store.lock_query(access_kind, access_key), number_resource)
    if row is not None and row.product_id == product_id:
        store.change(
            uow.conn, access_kind, access_key, state="cooling", product_id=None,
            cooling_until_on=uow.today + rules.COOLING, changed_at=uow.now,
        )  # fmt: skip


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
            elif not rules.may_take(row.state, row.product_id, row.cooling_until_on, one.product_id, uow.today):
                raise NumberAlreadyTaken(number=one.access_key)
            else:
                store.change(
                    uow.conn, access_kind, one.access_key, state="in_use", product_id=one.product_id, changed_at=uow.now
                )
    store.add(uow.conn, fresh)


def _row(uow: UnitOfWork, taken: Taken) -> dict[str, Any]:
    return {
        "access_kind": taken.access_kind, "access_key": taken.access_key, "state": "in_use",
        "hall_code": taken.hall_code, "product_id": taken.product_id, "changed_at": uow.now,
    }  # fmt: skip
