"""Installed products: shown, installed, changed, suspended, ended."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, IdField, PageOf

AccessText = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Service(StrEnum):
    """What kind of service a product is."""

    VOICE = "voice"
    BROADBAND = "broadband"
    TV = "tv"
    LEASED_LINE = "leased_line"
    IPTV = "iptv"
    ADDON = "addon"


class ProductState(StrEnum):
    """The TM Forum state of a product."""

    PENDING_ACTIVE = "pending_active"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class SuspendReason(StrEnum):
    """Why a product is suspended; the network is set to the strictest reason in force."""

    OWNER_REQUEST = "owner_request"
    ARREARS_ONE_WAY = "arrears_one_way"
    ARREARS_TWO_WAY = "arrears_two_way"
    LOST = "lost"
    FRAUD = "fraud"
    ADMIN = "admin"


class Access(Contract):
    """How a product is reached: a number, a login or a card."""

    access_kind: Annotated[str, StringConstraints(pattern=r"^(number|login|card)$")] = "number"
    access_key: AccessText


class PayRelation(Contract):
    """Which account pays which items; '*' is everything."""

    account_id: IdField
    item_group: Annotated[str, StringConstraints(pattern=r"^(\*|[a-z_]{1,40})$")] = "*"
    priority: int = Field(default=0, ge=0, le=99)


class ProductView(Contract):
    """An installed product."""

    product_id: str
    product_no: str
    customer_id: str
    service: Service
    shown_as: str
    offering_code: str
    offering_zh: str = ""
    offering_en: str = ""
    state: ProductState
    suspend_reasons: tuple[SuspendReason, ...] = ()
    account_id: str = Field(default="", description="who pays everything else ('*'), as of today")
    install_address: str = ""
    bundle_code: str = ""
    bundle_instance: str = ""
    installed_on: date
    terminated_on: date | None = None
    version_no: int = 1


class ProductPage(PageOf):
    """Products of a customer, in order of product number."""

    items: tuple[ProductView, ...]


class InstallProduct(Contract):
    """A new product; ids are made by whoever asks. The account may not be known here yet: it is billing's."""

    product_id: IdField
    customer_id: IdField
    offering_code: CodeField
    accesses: tuple[Access, ...] = Field(default=(), max_length=8, description="none for an addon")
    pay_relations: tuple[PayRelation, ...] = Field(min_length=1, max_length=8)
    shown_as: Annotated[str, StringConstraints(max_length=60)] = ""
    install_address: Annotated[str, StringConstraints(max_length=200)] = ""
    region: Annotated[str, StringConstraints(max_length=20)] = ""
    bundle_code: CodeField | None = None
    bundle_instance: IdField | None = None
    effective_on: date | None = Field(default=None, description="today where left out; may lie in the past")


class ChangeOffer(Contract):
    """Another offering from a day on."""

    offering_code: CodeField
    effective_on: date | None = None
    bundle_code: CodeField | None = None
    bundle_instance: IdField | None = None
    reason: Annotated[str, StringConstraints(max_length=20)] = Field(default="", description="why, by code")


class SuspendProduct(Contract):
    """One more reason why the product is suspended."""

    suspend_reason: SuspendReason
    effective_on: date | None = None


class ResumeProduct(Contract):
    """One reason less; the product comes back when none is left."""

    suspend_reason: SuspendReason
    effective_on: date | None = None


class TerminateProduct(Contract):
    """The end of a product; ``effective_on`` is the first day without it."""

    effective_on: date | None = None
    reason: Annotated[str, StringConstraints(max_length=20)] = Field(default="", description="why, by code")


class ProductChanged(Contract):
    """The reply to anything done to a product."""

    product_id: str
    product_no: str
    state: ProductState
    version_no: int


class MigratedProduct(InstallProduct):
    """A product taken over from an old system: where it belongs, since when, and why it is suspended, if it is."""

    hall_code: str
    district_code: str
    installed_on: date
    suspend_reason: SuspendReason | None = None
    suspended_on: date | None = None
