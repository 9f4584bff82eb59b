"""Showing products."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from server_api.business.catalog import service as catalog
from server_api.business.inventory import store
from server_api.business.party import service as party
from shared_models.contracts.inventory import ProductState, ProductView, Service, SuspendReason
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import NotFound


def products_of_customer(
    conn: Connection, customer_id: str, context: WorkContext, on: date | None = None
) -> tuple[ProductView, ...]:
    """A customer's products in order of number, with who pays on a day. Raises NotFound outside the caller's scope."""
    party.need_customer(conn, customer_id, context)
    return _views(conn, store.of_customer(conn, customer_id, context), on)


def read_product(conn: Connection, product_id: str, context: WorkContext, on: date | None = None) -> ProductView:
    """One product. Raises NotFound, also outside the caller's scope."""
    row = store.one(conn, product_id, context)
    if row is None:
        raise NotFound(what="product")
    return _views(conn, [row], on)[0]


def _views(conn: Connection, rows: Sequence[Row[Any]], on: date | None) -> tuple[ProductView, ...]:
    ids = [row.product_id for row in rows]
    # Without a day the relation that holds last is shown: far in the future only open ones are left.
    payers = store.payers_on(conn, ids, on or date(9999, 12, 31))
    reasons = store.reasons(conn, ids)
    names = catalog.offering_names(conn, [row.offering_code for row in rows])
    return tuple(
        ProductView(
            product_id=row.product_id, product_no=row.product_no, customer_id=row.customer_id,
            service=Service(row.service), shown_as=row.shown_as, offering_code=row.offering_code,
            offering_zh=names[row.offering_code][0], offering_en=names[row.offering_code][1],
            state=ProductState(row.state), account_id=payers.get(row.product_id, ""),
            suspend_reasons=tuple(SuspendReason(one) for one in reasons.get(row.product_id, [])),
            install_address=row.install_address or "", bundle_code=row.bundle_code or "",
            bundle_instance=row.bundle_instance or "", installed_on=row.installed_on, terminated_on=row.terminated_on,
            version_no=row.version_no,
        )
        for row in rows
    )  # fmt: skip
