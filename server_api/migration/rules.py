"""Which old records are the same customer, and the ids that follow from old keys. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from shared_models.values.ids import derived_id
from shared_models.values.money import Fen

_NOISE = re.compile(r"[\s,，.。;；:：\-－—_#＃()（）]+")
#: Words that one system writes and another leaves out.
_ADDRESS_WORDS = re.compile(r"(甘肃省|酒泉市|玉门市|号楼|栋|幢|单元|室|号|楼|层)")


@dataclass(frozen=True)
class Source:
    """Where a record was read: file and row as a person sees it."""

    file: str
    row_no: int


@dataclass(frozen=True)
class CustomerRecord:
    """A customer of an old system, in our words."""

    source: Source
    old_key: str
    name: str
    customer_kind: str = "person"
    customer_class: str = "normal"
    document_kind: str = "resident_id"
    document_no: str = ""
    address: str = ""
    phone: str = ""
    hall: str = ""
    group_key: str = ""
    tax_no: str = ""
    since_on: date | None = None


@dataclass(frozen=True)
class AccountRecord:
    """An account of an old system."""

    source: Source
    old_key: str
    customer_key: str
    payment_type: str = "postpaid"
    opened_on: date | None = None


@dataclass(frozen=True)
class ProductRecord:
    """An installed product of an old system."""

    source: Source
    old_key: str
    customer_key: str
    account_key: str
    offering: str
    installed_on: date
    access: str = ""
    address: str = ""
    state: str = "active"
    state_since_on: date | None = None
    bundle: str = ""
    bundle_key: str = ""
    shown_as: str = ""


@dataclass(frozen=True)
class BalanceRecord:
    """What an account holds in advance."""

    source: Source
    account_key: str
    amount: Fen

    @property
    def old_key(self) -> str:
        return self.account_key


@dataclass(frozen=True)
class BillRecord:
    """One item of an unpaid bill."""

    source: Source
    account_key: str
    month: int
    item: str
    amount: Fen
    label: str = ""
    shown_as: str = ""
    #: how many calls the item is made of, where the old system says so
    call_count: int | None = None

    @property
    def old_key(self) -> str:
        return f"{self.account_key}@{self.month}"


Record = CustomerRecord | AccountRecord | ProductRecord | BalanceRecord | BillRecord


def digest_of_record(*records: Record) -> str:
    """What a record says, without where it stood: the same after rows were moved, different after one was changed.

    A count of calls is not taken over, so it does not change what a record says.
    """
    left_out = ("source", "call_count")
    plain = [{name: value for name, value in vars(one).items() if name not in left_out} for one in records]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


def folded(text: str) -> str:
    """A name or address as it is compared between systems."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def folded_address(text: str) -> str:
    """An address without the words some systems leave out, its numbers kept apart: ``铁人大道12#3#201``."""
    plain = _ADDRESS_WORDS.sub("#", unicodedata.normalize("NFKC", text))
    return re.sub(r"#+", "#", _NOISE.sub("#", plain).strip("#")).casefold()


def household_key(name: str, address: str) -> str:
    """What makes two old customers one where neither has a document; '' where the address says too little."""
    where = folded_address(address)
    return f"{folded(name)}|{where}" if len(where) >= 4 else ""


def account_id_of(system: str, old_key: str, customer_id: str, *, shared: bool) -> str:
    """The account a customer's old account becomes: one for the household, or one for each old account."""
    return derived_id("account", customer_id) if shared else derived_id("account", system, old_key)
