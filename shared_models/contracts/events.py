"""Facts: the news that crosses between the two databases. Past tense, versioned, at most 32 KiB as JSON.

``Envelope`` is what the outbox holds; the classes below are the payloads, by kind. A payload is never changed once
released: a new field gets a default, anything else a new ``version``.
Names, addresses and tax numbers in payloads are sealed text (platform.secrets), never plain; identity and card numbers
never cross at all.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared_models.contracts.base import Contract

MAX_PAYLOAD_BYTES = 32 * 1024


class Payload(Contract):
    """Base of all fact payloads; ``KIND`` is the class name, ``LANE`` says whether a person waits for it."""

    VERSION: ClassVar[int] = 1
    BULK: ClassVar[bool] = False


class BillingEventKind(StrEnum):
    """What happened to a product, as far as its price is concerned."""

    ACTIVATED = "activated"
    CHANGED = "changed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    TERMINATED = "terminated"


class Standing(StrEnum):
    """How an account stands; dunning acts on changes of this class only."""

    CLEAR = "clear"
    OWING = "owing"
    OVERDUE = "overdue"
    RESTRICTED = "restricted"


# ---- business -> billing -------------------------------------------------------------------------------------------
class CustomerRecorded(Payload):
    """A customer was created or changed: billing keeps this as its payer. Aggregate ``customer:<id>``."""

    customer_id: str
    customer_no: str
    customer_class: str
    sealed_name: str
    sealed_address: str = ""
    sealed_tax_no: str = ""
    sealed_contact: str = ""


class AccessKey(Contract):
    """A number, login or card by which usage finds its owner."""

    kind: str = Field(description="number | login | card")
    key: str
    from_at: datetime
    until_at: datetime | None = None


class PayRelationState(Contract):
    """Who pays which items of a product; item_group '*' is everything."""

    account_id: str
    item_group: str = "*"
    priority: int = 0
    from_on: date
    until_on: date | None = None


class BillingEventState(Contract):
    """One change of what a product costs, from a calendar day on."""

    event_id: str
    kind: BillingEventKind
    effective_on: date
    offering_code: str
    price_version: int
    bundle_code: str = Field(default="", description="the bundle this product is a member of")
    bundle_instance: str = Field(default="", description="the same for all members of one bundle sale")
    reason: str = Field(default="", max_length=20, description="why, by code; some forgive an early-stop fee")


class ProductRecorded(Payload):
    """A product was installed or changed: its whole billing-side state, replacing what billing kept.

    Aggregate ``product:<id>``. ``events`` are complete and in order of effect; billing never overwrites an event it
    holds, it adds the ones it does not.
    """

    product_id: str
    product_no: str
    customer_id: str
    service: str = Field(description="voice | broadband | tv | leased_line | iptv | addon")
    shown_as: str = Field(description="the access number as bills print it")
    region: str = ""
    accesses: tuple[AccessKey, ...] = ()
    pay_relations: tuple[PayRelationState, ...] = ()
    events: tuple[BillingEventState, ...] = ()


class PriceBookPart(Payload):
    """Some rows of a frozen price book version. Aggregate ``pricebook``; rows are catalog price rows as plain data."""

    BULK: ClassVar[bool] = True

    version: int
    part_no: int
    rows: tuple[dict[str, object], ...]


class PriceBookPublished(Payload):
    """The version is complete: live at billing once count and digest match. Aggregate ``pricebook``."""

    version: int
    row_count: int
    digest: str
    effective_on: date


class OrderFee(Contract):
    """One fee of an order; ``fee_id`` is made by the order and names it for ever."""

    fee_id: str
    product_id: str = ""
    item_code: str
    amount_fen: int
    on: date
    label_zh: str = ""
    label_en: str = ""


class FeeRaised(Payload):
    """An order costs something once. Aggregate ``order:<id>``; ``pay_first`` = the order waits until it is paid."""

    order_id: str
    order_no: str
    account_id: str
    fees: tuple[OrderFee, ...]
    pay_first: bool = False


class FeesWithdrawn(Payload):
    """An order was cancelled or failed: these of its fees are owed no more. Aggregate ``order:<id>``."""

    order_id: str
    account_id: str
    fee_ids: tuple[str, ...]
    reason: str = ""


class FinalBillWanted(Payload):
    """An order ends a product or closes an account: may it, is all paid? Aggregate ``order:<id>``."""

    order_id: str
    account_id: str
    product_id: str = ""
    close_account: bool = False


# ---- billing -> business -------------------------------------------------------------------------------------------
class AccountRecorded(Payload):
    """A billing account was opened or changed. Aggregate ``account:<id>``."""

    account_id: str
    account_no: str
    customer_id: str
    standing: Standing = Standing.CLEAR
    closed: bool = False


class AccountStandingChanged(Payload):
    """The account's class changed. Aggregate ``account:<id>``."""

    account_id: str
    standing: Standing
    owed_since_on: date | None = None


class BalanceLow(Payload):
    """Little is left of a prepaid account's balance for an item group. Aggregate ``account:<id>``."""

    account_id: str
    item_group: str
    balance_micro_yuan: int


class BalanceExhausted(Payload):
    """Nothing is left of it: no further call is allowed. Aggregate ``account:<id>``."""

    account_id: str
    item_group: str
    balance_micro_yuan: int


class BalanceRestored(Payload):
    """Money came: calls are allowed again. Aggregate ``account:<id>``."""

    account_id: str
    item_group: str
    balance_micro_yuan: int


class BillRunClosed(Payload):
    """A month run was closed. Aggregate ``billrun:<id>``. There is no fact per bill."""

    BULK: ClassVar[bool] = True

    run_id: str
    yyyymm: int
    bill_count: int
    total_fen: int


class FeesPaid(Payload):
    """The fees of an order are paid. Aggregate ``orderfees:<order id>``."""

    order_id: str
    account_id: str
    amount_fen: int


class FinalBillSettled(Payload):
    """Nothing is owed: the order may go on. Aggregate ``orderfees:<order id>``."""

    order_id: str
    account_id: str


class FinalBillRefused(Payload):
    """Something is owed, or money is left: the order cannot go on yet. Aggregate ``orderfees:<order id>``."""

    order_id: str
    account_id: str
    reason: str
    owed_fen: int = 0


class SuspensionWanted(Payload):
    """Dunning wants a product restricted. Aggregate ``dunning:<product id>``; facts of one aggregate keep their order.

    ``suspend_reason`` is arrears_one_way or arrears_two_way.
    """

    product_id: str
    account_id: str
    suspend_reason: str
    case_id: str = ""


class ResumeWanted(Payload):
    """Dunning wants its restrictions of a product lifted, or one of them. Aggregate ``dunning:<product id>``."""

    product_id: str
    account_id: str
    suspend_reason: str = Field(default="", description="empty = every reason of arrears")
    case_id: str = ""


PAYLOADS: dict[str, type[Payload]] = {
    cls.__name__: cls
    for cls in (
        CustomerRecorded, ProductRecorded, PriceBookPart, PriceBookPublished,
        FeeRaised, FeesWithdrawn, FinalBillWanted,
        AccountRecorded, AccountStandingChanged, BalanceLow, BalanceExhausted, BalanceRestored, BillRunClosed,
        FeesPaid, FinalBillSettled, FinalBillRefused, SuspensionWanted, ResumeWanted,
    )
}
