"""Accepting an order: checked, stored, its things reserved, its fees raised, carried on as far as it goes at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from server_api.business.catalog import service as catalog
from server_api.business.ordering import store
from server_api.business.ordering.carried import Carried, carrying
from server_api.business.ordering.checks import Checked, checked_items
from server_api.business.ordering.policy import order_policy
from server_api.business.ordering.service.read import view_items
from server_api.business.ordering.steps import go_on
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import OfferPriceRow
from shared_models.contracts.events import FeeRaised, OrderFee
from shared_models.contracts.ordering import (
    FeeView,
    HeldView,
    OrderAct,
    OrderDone,
    OrderQuote,
    PriceView,
    SubmitOrder,
)
from shared_models.contracts.work import WorkContext
from shared_models.values.clock import town_midnight
from shared_models.values.faults.ordering import OrderFieldMissing, OrderIdTaken
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import ZERO_FEN, Fen


class _Quoted(Exception):
    """The quote is ready; raised so that everything it did is undone."""

    def __init__(self, quote: OrderQuote) -> None:
        super().__init__("quoted")
        self.quote = quote


def submit_order(uow: UnitOfWork, *, order: SubmitOrder) -> OrderDone:
    """Accept an order: all of it or nothing. Raises what any of its items refuses."""
    return _accepted(uow, order)[0].done()


def quote_order(database: Database, context: WorkContext, order: SubmitOrder) -> OrderQuote:
    """What submitting would do, cost and keep; the same code, undone. Raises the same refusals."""

    def work(uow: UnitOfWork) -> OrderDone:
        raise _Quoted(_quote(*_accepted(uow, order)))

    try:
        perform(database, Act(new_id(), "quote_order", digest_of(order), context), work)
    except _Quoted as made:
        return made.quote
    raise RuntimeError("a quote was stored")


def _accepted(uow: UnitOfWork, order: SubmitOrder) -> tuple[Carried, list[Checked]]:
    owner = party.need_customer(uow.conn, order.customer_id, uow.context)
    if store.exists(uow.conn, order.order_id):
        raise OrderIdTaken()
    items = checked_items(uow, order)
    fees = _fees(uow, order, items)
    account_id = order.account_id or next((item.known.account_id for item in items if item.known), None)
    total = Fen.total(amount for _item, _price, amount in fees)
    if fees and not account_id:
        raise OrderFieldMissing(item=fees[0][0].item_no, act=fees[0][0].wish.act.value, field="account_id")
    row = _order_row(uow, order, owner, account_id, total)
    rows = [_item_row(uow, order, item) for item in items]
    carried = Carried(uow, row, rows, accepting=True)
    carried.note("accept", row["state"])
    _reserve(uow, order, items, row["expires_at"])
    with carrying(order.order_id):
        go_on(carried)
        store.add_order(uow.conn, row)  # once, as it is by now: nothing refers to it before
        store.add_items(uow.conn, rows)
        store.add_events(uow.conn, carried.events)
    _raise_fees(uow, order, row, fees)
    return carried, items


def _order_row(
    uow: UnitOfWork, order: SubmitOrder, owner: party.NumberOwner, account_id: str | None, total: Fen
) -> dict[str, Any]:
    expires_at: datetime | None = None
    if order.booking or (order.pay_mode == "first" and total > ZERO_FEN):
        until_on = order.expires_on
        expires_at = town_midnight(until_on + timedelta(days=1)) if until_on else uow.now + order_policy().keep
    return {
        "order_id": order.order_id, "order_no": f"O{next_number(uow, 'order'):08d}", "customer_id": order.customer_id,
        "state": "acknowledged", "payment_state": "unpaid" if total > ZERO_FEN else "none", "pay_mode": order.pay_mode,
        "account_id": account_id, "total": total, "channel": order.channel, "staff_no": uow.context.staff_no,
        "hall_code": owner.hall_code, "district_code": owner.district_code, "opened_at": uow.now,
        "expires_at": expires_at, "closed_at": None, "visit": {
            "contact_name": order.contact_name, "contact_phone": order.contact_phone, "area_code": order.area_code,
            "window": order.window.model_dump(mode="json") if order.window else None,
        }, "remark": order.remark, "reason_code": None, "event_count": 0, "version_no": 1,
    }  # fmt: skip


def _item_row(uow: UnitOfWork, order: SubmitOrder, item: Checked) -> dict[str, Any]:
    wish = item.wish.model_dump(mode="json", exclude_defaults=True)
    wish["act"] = item.wish.act.value
    password = wish.pop("password", "")
    steps = order_policy().acts[item.wish.act.value].steps
    plan: list[dict[str, Any]] = [{"step": "after", "state": "waiting", "refs": item.after}] if item.after else []
    plan += [
        {"step": step, "state": "waiting"}
        for step in steps
        if not (step == "accept" and not order.booking) and not (step == "pay" and order.pay_mode != "first")
    ]
    if item.bundle_instance:
        wish["bundle_instance"] = item.bundle_instance
    return {
        "order_id": order.order_id, "item_no": item.item_no, "item_id": item.item_id, "act_name": item.wish.act.value,
        "state": "acknowledged", "product_id": item.product_id, "offering_code": item.offering_code or None,
        "effective_on": item.effective_on, "due_on": None, "wish": wish,
        "secrets_sealed": uow.database.secrets.seal(json.dumps({"password": password})) if password else None,
        "steps": plan, "result_code": None, "result_text": None,
    }  # fmt: skip


def _reserve(uow: UnitOfWork, order: SubmitOrder, items: Sequence[Checked], expires_at: datetime | None) -> None:
    """Keep what the items need: for a booking until it expires, for work under way as long as that may take."""
    policy = order_policy()
    for item in items:
        until_at = expires_at or max(uow.now, town_midnight(item.effective_on)) + policy.hold
        wish = item.wish
        wanted = [(access.access_kind, access.access_key) for access in wish.accesses]
        if wish.act is OrderAct.SWAP_DEVICE:
            wanted.append((wish.device_kind, wish.new_code))
        if wish.act in (OrderAct.INSTALL, OrderAct.CHANGE_NUMBER, OrderAct.SWAP_DEVICE):
            for kind, code in sorted(wanted):
                resource.reserve(
                    uow, kind=kind, order_id=order.order_id, item_id=item.item_id, until_at=until_at, code=code,
                    adopt_id=order.choice_id,
                )  # fmt: skip
        for thing in wish.things:
            criteria = resource.Criteria(
                address=thing.address or wish.address, address_z=thing.address_z, place_code=thing.place_code,
                model_code=thing.model_code,
            )  # fmt: skip
            resource.reserve(
                uow, kind=thing.kind, order_id=order.order_id, item_id=item.item_id, until_at=until_at,
                code=thing.code, criteria=criteria, adopt_id=order.choice_id,
            )  # fmt: skip


def _fees(uow: UnitOfWork, order: SubmitOrder, items: Sequence[Checked]) -> list[tuple[Checked, OfferPriceRow, Fen]]:
    """The one-off prices that are a fee of each item's act."""
    endings = order_policy().fees
    prices = catalog.prices_of(uow.conn, [item.offering_code for item in items if item.offering_code], uow.today)
    return [
        (item, price, price.charge_micro_yuan.to_fen())
        for item in items
        for price in prices.get(item.offering_code, [])
        if price.price_kind == "onetime"
        and price.item_code.rpartition(".")[2] in endings.get(item.wish.act.value, ())
        and (not item.wish.bundle_code or price.kept_in_bundle)
    ]


def _raise_fees(
    uow: UnitOfWork, order: SubmitOrder, row: dict[str, Any], fees: Sequence[tuple[Checked, OfferPriceRow, Fen]]
) -> None:
    if not fees:
        return
    rows: list[dict[str, Any]] = [
        {
            "fee_id": derived_id(item.item_id, "fee", price.price_code), "order_id": order.order_id,
            "item_no": item.item_no, "price_code": price.price_code, "item_code": price.item_code,
            "label_zh": price.name_zh, "label_en": price.name_en, "amount": amount, "state": "raised",
        }
        for item, price, amount in fees
    ]  # fmt: skip
    store.add_fees(uow.conn, rows)
    products = {item.item_no: item.product_id for item, _price, _amount in fees}
    uow.tell(f"order:{order.order_id}", FeeRaised(
        order_id=order.order_id, order_no=row["order_no"], account_id=row["account_id"],
        pay_first=order.pay_mode == "first",
        fees=tuple(
            OrderFee(
                fee_id=fee["fee_id"], product_id=products[fee["item_no"]], item_code=fee["item_code"],
                amount_fen=fee["amount"].amount_fen, on=uow.today, label_zh=fee["label_zh"], label_en=fee["label_en"],
            )
            for fee in rows
        ),
    ))  # fmt: skip


def _quote(carried: Carried, items: Sequence[Checked]) -> OrderQuote:
    conn, order_id = carried.uow.conn, carried.order_id
    numbers = {item.item_id: item.item_no for item in items}
    bringing = (OrderAct.INSTALL, OrderAct.ADD_FEATURE, OrderAct.CHANGE_OFFER)
    codes = {item.wish.bundle_code or item.offering_code: item for item in reversed(items) if item.wish.act in bringing}
    prices = catalog.prices_of(conn, sorted(codes), carried.uow.today)
    held = [one for one in resource.held_by_order(conn, order_id) if one.item_id is not None]
    for item in items:  # what went through at once is held by its product by now
        held += [one for one in resource.held_by_product(conn, item.product_id) if item.wish.act is OrderAct.INSTALL]
    return OrderQuote(
        items=view_items(carried.items),
        fees=tuple(
            FeeView(item_no=fee.item_no, price_code=fee.price_code, label_zh=fee.label_zh, label_en=fee.label_en,
                    amount_fen=fee.amount)
            for fee in store.fees(conn, order_id)
        ),
        prices=tuple(
            PriceView(item_no=codes[code].item_no, price_code=price.price_code, label_zh=price.name_zh,
                      label_en=price.name_en, charge_micro_yuan=price.charge_micro_yuan, per_months=price.per_months)
            for code in sorted(prices) for price in prices[code] if price.price_kind == "recurring"
        ),
        held=tuple(
            HeldView(item_no=numbers.get(one.item_id or "", 1), kind=one.kind, code=one.code, until_at=one.until_at)
            for one in held
        ),
        total_fen=carried.order["total"],
    )  # fmt: skip
