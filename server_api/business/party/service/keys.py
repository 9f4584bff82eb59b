"""Making the rows a customer is found by."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import resources
from server_api.business.party import rules, store
from server_api.business.party.pinyin import initials
from server_api.business.party.rules import KeyKind
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.party import Contact, ContactKind, CustomerKind
from shared_models.values.numbers import Phone


@dataclass(frozen=True)
class NumberOwner:
    """The customer an access number leads to, with where it belongs."""

    customer_id: str
    hall_code: str
    district_code: str


@lru_cache(maxsize=1)
def area_code() -> str:
    """The town's area code without the trunk 0 (resources/policy/numbering.toml)."""
    return str(tomllib.loads(resources.path("policy", "numbering.toml").read_text(encoding="utf-8"))["area_code"])


def key_rows(owner: NumberOwner, kind: KeyKind, texts: Iterable[str]) -> list[dict[str, Any]]:
    """Rows of customer_key for one owner."""
    return [
        {
            "key_kind": kind.value, "key_text": text, "customer_id": owner.customer_id, "hall_code": owner.hall_code,
            "district_code": owner.district_code,
        }
        for text in dict.fromkeys(texts)
        if text
    ]  # fmt: skip


def name_rows(owner: NumberOwner, name: str, kind: CustomerKind) -> list[dict[str, Any]]:
    """The keys of a name: itself, and its initials."""
    person = kind is CustomerKind.PERSON
    return [
        *key_rows(owner, KeyKind.NAME, [rules.name_key(name)]),
        *key_rows(owner, KeyKind.INITIALS, initials(name, person=person)),
    ]


def contact_rows(owner: NumberOwner, contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    """The keys of telephone contacts."""
    phones = [
        rules.code_key(Phone.compact(one.contact_value)) for one in contacts if one.contact_kind != ContactKind.EMAIL
    ]
    return key_rows(owner, KeyKind.CONTACT, phones)


def number_rows(owner: NumberOwner, access_keys: Iterable[str]) -> list[dict[str, Any]]:
    """The keys of access numbers: whole, and without the town's own area code."""
    return key_rows(
        owner, KeyKind.NUMBER, [key for access in access_keys for key in rules.number_keys(access, area_code())]
    )


def index_numbers(uow: UnitOfWork, *, owner: NumberOwner, access_keys: Sequence[str]) -> None:
    """Let a customer be found by these access numbers."""
    known = store.known_key_texts(uow.conn, owner.customer_id, KeyKind.NUMBER)
    store.add_keys(uow.conn, [row for row in number_rows(owner, access_keys) if row["key_text"] not in known])


def index_many(uow: UnitOfWork, *, numbers: Sequence[tuple[NumberOwner, Sequence[str]]]) -> None:
    """Let many customers be found by these numbers (a takeover)."""
    known = store.access_keys(uow.conn, dict.fromkeys(owner.customer_id for owner, _keys in numbers))
    rows = [row for owner, access_keys in numbers for row in number_rows(owner, access_keys)]
    unique = {
        (row["key_text"], row["customer_id"]): row
        for row in rows
        if row["key_text"] not in known.get(row["customer_id"], ())
    }
    store.add_keys(uow.conn, list(unique.values()))


def unindex_numbers(uow: UnitOfWork, *, owner: NumberOwner, access_keys: Sequence[str]) -> None:
    """A customer is no longer found by these access numbers."""
    texts = [row["key_text"] for row in number_rows(owner, access_keys)]
    store.drop_key_texts(uow.conn, owner.customer_id, KeyKind.NUMBER, texts)
