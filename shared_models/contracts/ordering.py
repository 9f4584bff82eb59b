"""Orders: what a hall accepts, what it will cost and hold, how far it is."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, FenField, IdField, MicroYuanField, PageOf
from shared_models.contracts.inventory import Access, SuspendReason
from shared_models.contracts.workorder import Window

Short = Annotated[str, StringConstraints(max_length=64)]
Words200 = Annotated[str, StringConstraints(max_length=200)]


class OrderAct(StrEnum):
    """What an item does to a product. The steps of each are rows of resources/policy/orders.toml."""

    INSTALL = "install"
    CHANGE_OFFER = "change_offer"
    ADD_FEATURE = "add_feature"
    REMOVE_FEATURE = "remove_feature"
    SUSPEND = "suspend"
    RESUME = "resume"
    RELOCATE = "relocate"
    TRANSFER_OWNER = "transfer_owner"
    CHANGE_ACCOUNT = "change_account"
    CHANGE_NUMBER = "change_number"
    SWAP_DEVICE = "swap_device"
    PAIR = "pair"
    UNPAIR = "unpair"
    RESET_PASSWORD = "reset_password"
    PRE_TERMINATE = "pre_terminate"
    TERMINATE = "terminate"


class OrderState(StrEnum):
    """The TM Forum states of an order (622) and of an item (641), and two moments of cancelling."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "in_progress"
    ASSESSING_CANCELLATION = "assessing_cancel"
    PENDING_CANCELLATION = "pending_cancel"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"


class ThingWish(Contract):
    """A line, port, device or address to be kept for the item: exactly ``code``, or any free one that fits."""

    kind: Literal["line", "circuit", "onu", "set_top_box", "cable_modem", "card", "ip"]
    code: Short | None = None
    address: Words200 = Field(default="", description="where the line ends; the item's address where left out")
    address_z: Words200 = ""
    place_code: Short | None = None
    model_code: Short | None = None


class OrderItemWish(Contract):
    """One thing to be done. Which fields an act needs is said by its refusal, ``order_field_missing``."""

    act: OrderAct
    product_id: IdField | None = Field(default=None, description="the product concerned; a new one makes its own id")
    offering_code: CodeField | None = None
    bundle_code: CodeField | None = None
    accesses: tuple[Access, ...] = Field(default=(), max_length=8)
    things: tuple[ThingWish, ...] = Field(default=(), max_length=8)
    address: Words200 = ""
    account_id: IdField | None = None
    to_customer_id: IdField | None = None
    suspend_reason: SuspendReason | None = None
    old_code: Short = Field(default="", description="the device or card that goes")
    new_code: Short = Field(default="", description="the device or card that comes")
    device_kind: Literal["", "set_top_box", "card", "cable_modem", "onu"] = ""
    password: Annotated[str, StringConstraints(max_length=64)] = Field(
        default="", description="sealed where it is kept"
    )
    when: Literal["now", "next_month", "on_day"] = "now"
    effective_on: date | None = Field(default=None, description="with on_day")
    reason: Annotated[str, StringConstraints(max_length=20)] = Field(default="", description="why, by code")


class SubmitOrder(Contract):
    """An order for one customer. The same body asked as a quote stores nothing."""

    order_id: IdField
    customer_id: IdField
    items: tuple[OrderItemWish, ...] = Field(min_length=1, max_length=20)
    account_id: IdField | None = Field(default=None, description="pays the fees and every new product")
    pay_mode: Literal["on_bill", "first"] = "on_bill"
    booking: bool = Field(default=False, description="keep what it needs and begin only when it is accepted")
    expires_on: date | None = Field(default=None, description="a booking or an unpaid order ends itself then")
    choice_id: IdField | None = Field(default=None, description="the id under which a number was chosen beforehand")
    channel: Literal["hall", "portal", "phone", "file", "dunning"] = "hall"
    contact_name: Annotated[str, StringConstraints(max_length=60)] = ""
    contact_phone: Annotated[str, StringConstraints(max_length=40)] = ""
    area_code: Annotated[str, StringConstraints(max_length=20)] | None = None
    window: Window | None = None
    remark: Annotated[str, StringConstraints(max_length=500)] = ""


class EndOrder(Contract):
    """Why an order is given up."""

    reason: Annotated[str, StringConstraints(max_length=20)] = ""
    remark: Words200 = ""


class AmendOrder(Contract):
    """What may be changed before the point of no return; what is left out stays."""

    window: Window | None = None
    contact_name: Annotated[str, StringConstraints(max_length=60)] | None = None
    contact_phone: Annotated[str, StringConstraints(max_length=40)] | None = None
    item_no: int | None = Field(default=None, ge=1, le=20, description="the item whose day changes")
    effective_on: date | None = None
    remark: Annotated[str, StringConstraints(max_length=500)] | None = None


class StepView(Contract):
    """One step of an item's plan."""

    step: str
    state: Literal["waiting", "running", "done", "skipped", "undone"]
    no_return: bool = False


class OrderItemView(Contract):
    """One item and how far it is."""

    item_no: int
    item_id: str
    act: OrderAct
    state: OrderState
    product_id: str = ""
    offering_code: str = ""
    effective_on: date
    steps: tuple[StepView, ...] = ()
    code: str = ""
    text: str = ""


class FeeView(Contract):
    """One fee."""

    item_no: int
    price_code: str
    label_zh: str
    label_en: str
    amount_fen: FenField
    state: Literal["raised", "withdrawn"] = "raised"


class PriceView(Contract):
    """What an offering will cost from its day on."""

    item_no: int
    price_code: str
    label_zh: str
    label_en: str
    charge_micro_yuan: MicroYuanField
    per_months: int


class HeldView(Contract):
    """A thing kept for an item."""

    item_no: int
    kind: str
    code: str
    until_at: datetime | None = None


class OrderEventView(Contract):
    """Something that happened to an order."""

    at: datetime
    item_no: int | None = None
    event: str
    to_state: str
    staff_no: str
    code: str = ""
    remark: str = ""


class OrderHead(Contract):
    """An order in a list."""

    order_id: str
    order_no: str
    customer_id: str
    state: OrderState
    payment_state: str
    channel: str
    total_fen: FenField
    opened_at: datetime
    closed_at: datetime | None = None


class OrderView(OrderHead):
    """An order whole."""

    account_id: str = ""
    pay_mode: str = "on_bill"
    expires_at: datetime | None = None
    remark: str = ""
    reason: str = ""
    may_cancel: bool = False
    items: tuple[OrderItemView, ...] = ()
    fees: tuple[FeeView, ...] = ()
    held: tuple[HeldView, ...] = ()
    log: tuple[OrderEventView, ...] = ()


class OrderQuote(Contract):
    """What an order would be: the same code as submitting it, undone."""

    items: tuple[OrderItemView, ...]
    fees: tuple[FeeView, ...]
    prices: tuple[PriceView, ...]
    held: tuple[HeldView, ...]
    total_fen: FenField


class OrderDone(Contract):
    """The reply to anything done to an order."""

    order_id: str
    order_no: str
    state: OrderState
    payment_state: str
    total_fen: FenField


class OrderPage(PageOf):
    """Orders, newest first."""

    items: tuple[OrderHead, ...]
