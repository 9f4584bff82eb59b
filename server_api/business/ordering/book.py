"""The step 'book': what an item makes of the product, with its billing event, in the act that ends the item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from server_api.business.inventory import service as inventory
from server_api.business.ordering.about import About, about
from server_api.business.ordering.carried import Carried, Item, Step
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.business.resource.rules import compact_access
from shared_models.contracts.inventory import (
    Access,
    ChangeOffer,
    InstallProduct,
    PayRelation,
    ResumeProduct,
    SuspendProduct,
    SuspendReason,
    TerminateProduct,
)
from shared_models.values.clock import town_day
from shared_models.values.faults.common import NotFound


def book(carried: Carried, item: Item, step: Step) -> str:
    """Do it. Raises what inventory and resources refuse."""
    BOOK[item["act_name"]](carried, item, about(carried, item))
    return "done"


def _from(item: Item, found: About, today: date, *, as_agreed: bool) -> date:
    """The day it takes effect: the one agreed, or not before today, and never before what is agreed already."""
    on: date = item["effective_on"] if as_agreed else max(item["effective_on"], today)
    last_on = found.known.last_on if found.known is not None else None
    return max(on, last_on) if last_on is not None else on


def _install(carried: Carried, item: Item, found: About) -> None:
    uow, wish = carried.uow, found.wish
    resource.occupy(uow, order_id=carried.order_id, item_id=item["item_id"], product_id=item["product_id"])
    backdated = item["effective_on"] < town_day(carried.order["opened_at"])
    effective_on = item["effective_on"] if backdated else max(item["effective_on"], uow.today)
    bundle = item["wish"].get("bundle_instance")
    account_id = wish.account_id or carried.order["account_id"]
    inventory.install_product(uow, install=InstallProduct(
        product_id=item["product_id"], customer_id=carried.order["customer_id"], offering_code=found.offering_code,
        accesses=wish.accesses, pay_relations=(PayRelation(account_id=account_id),), install_address=wish.address,
        bundle_code=wish.bundle_code, bundle_instance=bundle, effective_on=effective_on,
    ))  # fmt: skip


def _add_feature(carried: Carried, item: Item, found: About) -> None:
    account_id = found.wish.account_id or carried.order["account_id"] or (found.known and found.known.account_id) or ""
    inventory.install_product(carried.uow, install=InstallProduct(
        product_id=item["product_id"], customer_id=carried.order["customer_id"], offering_code=found.offering_code,
        pay_relations=(PayRelation(account_id=account_id),), effective_on=max(item["effective_on"], carried.uow.today),
    ))  # fmt: skip


def _change_offer(carried: Carried, item: Item, found: About) -> None:
    inventory.change_offer(carried.uow, product_id=item["product_id"], change=ChangeOffer(
        offering_code=found.offering_code, bundle_code=found.wish.bundle_code,
        bundle_instance=item["wish"].get("bundle_instance"), reason=found.wish.reason,
        effective_on=_from(item, found, carried.uow.today, as_agreed=True),
    ))  # fmt: skip


def _terminate(carried: Carried, item: Item, found: About) -> None:
    on = _from(item, found, carried.uow.today, as_agreed=True)
    wanted = TerminateProduct(effective_on=on, reason=found.wish.reason)
    inventory.terminate_product(carried.uow, product_id=item["product_id"], terminate=wanted)


def _suspend(carried: Carried, item: Item, found: About) -> None:
    reason = found.wish.suspend_reason or SuspendReason.ADMIN
    on = _from(item, found, carried.uow.today, as_agreed=False)
    inventory.suspend_product(
        carried.uow, product_id=item["product_id"], suspend=SuspendProduct(suspend_reason=reason, effective_on=on)
    )


def _resume(carried: Carried, item: Item, found: About) -> None:
    reason = found.wish.suspend_reason or SuspendReason.ADMIN
    on = _from(item, found, carried.uow.today, as_agreed=False)
    inventory.resume_product(
        carried.uow, product_id=item["product_id"], resume=ResumeProduct(suspend_reason=reason, effective_on=on)
    )


def _relocate(carried: Carried, item: Item, found: About) -> None:
    uow = carried.uow
    for kind in sorted({thing.kind for thing in found.wish.things}):
        resource.quit(uow, product_id=item["product_id"], kind=kind)
    resource.occupy(uow, order_id=carried.order_id, item_id=item["item_id"], product_id=item["product_id"])
    inventory.relocate_product(uow, product_id=item["product_id"], address=found.wish.address)


def _transfer(carried: Carried, item: Item, found: About) -> None:
    inventory.transfer_product(
        carried.uow, product_id=item["product_id"], to_customer_id=found.wish.to_customer_id or "",
        account_id=found.wish.account_id or "", on=item["effective_on"],
    )  # fmt: skip


def _change_account(carried: Carried, item: Item, found: About) -> None:
    inventory.change_payer(
        carried.uow, product_id=item["product_id"], account_id=found.wish.account_id or "", on=item["effective_on"]
    )


def _change_number(carried: Carried, item: Item, found: About) -> None:
    fresh = found.wish.accesses[0]
    resource.occupy(carried.uow, order_id=carried.order_id, item_id=item["item_id"], product_id=item["product_id"])
    inventory.change_access(
        carried.uow, product_id=item["product_id"], old_key=_key_now(found, fresh.access_kind), access=fresh
    )


def _swap(carried: Carried, item: Item, found: About) -> None:
    """The old device or card comes back, the new one is the product's."""
    uow, wish = carried.uow, found.wish
    old_key = compact_access(wish.device_kind, wish.old_code, party.area_code())
    resource.occupy(uow, order_id=carried.order_id, item_id=item["item_id"], product_id=item["product_id"])
    if found.known is not None and any(access.access_key == old_key for access in found.known.accesses):
        fresh = Access(access_kind=wish.device_kind, access_key=wish.new_code)
        inventory.change_access(uow, product_id=item["product_id"], old_key=old_key, access=fresh)
    elif not resource.quit(uow, product_id=item["product_id"], kind=wish.device_kind, code=old_key):
        raise NotFound(what="device")


def _pair(carried: Carried, item: Item, found: About) -> None:
    resource.pair_devices(carried.uow, box_code=found.wish.old_code, card_code=found.wish.new_code or None)


def _nothing(carried: Carried, item: Item, found: About) -> None:
    """The network alone was concerned."""


def _key_now(found: About, kind: str) -> str:
    known = found.known.accesses if found.known is not None else ()
    key = next((access.access_key for access in known if access.access_kind == kind), None)
    if key is None:
        raise NotFound(what="number")
    return key


BOOK: dict[str, Callable[[Carried, Item, About], None]] = {
    "install": _install, "change_offer": _change_offer, "add_feature": _add_feature, "remove_feature": _terminate,
    "suspend": _suspend, "resume": _resume, "relocate": _relocate, "transfer_owner": _transfer,
    "change_account": _change_account, "change_number": _change_number, "swap_device": _swap, "pair": _pair,
    "unpair": _pair, "reset_password": _nothing, "pre_terminate": _suspend, "terminate": _terminate,
}  # fmt: skip
