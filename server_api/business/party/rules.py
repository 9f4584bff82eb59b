"""How customers are found and hidden: search keys, what a search text means, masks. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from shared_models.values.numbers import Phone, ResidentId

_NAME_UNITS = 20
_KEY_LENGTH = 80
#: Sorts after every key that begins with the prefix, under every collation, because keys are [0-9a-z] only.
_AFTER_ALL = "z" * 24
_NOT_KEY = re.compile(r"[^0-9a-z]+")
_ID_SHAPE = re.compile(r"\d{17}[\dXx]|\d{15}")
#: Characters of a person's name that separate but do not count: blanks, middle dots, hyphens.
_NAME_NOISE = re.compile(r"[\s\u00b7\u2022\u30fb\u2027\u25cf.\-]+")


class KeyKind(StrEnum):
    """What a search key was made from; stored as one letter."""

    NAME = "n"
    INITIALS = "p"
    NUMBER = "t"
    ACCOUNT = "a"
    CUSTOMER_NO = "c"
    CONTACT = "m"


@dataclass(frozen=True)
class Way:
    """One walk along an index: keys of a kind that begin with a prefix."""

    kind: KeyKind
    prefix: str


@dataclass(frozen=True)
class Plan:
    """What a search text may mean, in the order the ways are walked."""

    id_no: str = ""
    ways: tuple[Way, ...] = ()
    grams: tuple[str, ...] = ()


def plain_name(name: str) -> str:
    """A name as it is compared: compatibility forms folded, separators gone, Latin letters lower case."""
    return _NAME_NOISE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def name_key(name: str) -> str:
    """A name as ASCII: its first 20 UTF-16 code units in hexadecimal. A prefix of the name is a prefix of the key."""
    return plain_name(name).encode("utf-16-be", "surrogatepass")[: 2 * _NAME_UNITS].hex()


def name_grams(name: str) -> tuple[str, ...]:
    """Every two neighbouring code units of a name, in hexadecimal, each once."""
    raw = plain_name(name).encode("utf-16-be", "surrogatepass").hex()
    return tuple(dict.fromkeys(raw[at : at + 8] for at in range(0, len(raw) - 7, 4)))


def code_key(text: str) -> str:
    """A number, login or business number as a key: lower-case letters and digits only."""
    return _NOT_KEY.sub("", unicodedata.normalize("NFKC", text).lower())[:_KEY_LENGTH]


def number_keys(access_key: str, area_code: str) -> tuple[str, ...]:
    """The keys an access number is found by: as stored, and without the town's own area code."""
    full = code_key(Phone.compact(access_key) if access_key[:1] in "+0123456789" else access_key)
    local = full.removeprefix(f"0{area_code}") if area_code else full
    return tuple(dict.fromkeys(key for key in (full, local) if key))


def key_range(prefix: str) -> tuple[str, str]:
    """The half-open range of keys that begin with a prefix."""
    return prefix, prefix + _AFTER_ALL


def plan_search(text: str) -> Plan | None:
    """Decide from the shape of a text what is looked for; None when fewer than two characters count."""
    folded = unicodedata.normalize("NFKC", text).strip()
    # A number is looked for as it is dialled within the country, however it was typed.
    compact = code_key(Phone.compact(folded) if folded[:1] in "+0123456789(" else folded)
    if _ID_SHAPE.fullmatch(folded.replace(" ", "")):
        return Plan(id_no=ResidentId.compact(folded), ways=_code_ways(compact))
    if folded.isascii():
        if len(compact) < 2:
            return None
        if compact.isdigit():
            return Plan(ways=_code_ways(compact))
        ways = (Way(KeyKind.INITIALS, compact[:20]),) if compact.isalpha() else ()
        by_name = Way(KeyKind.NAME, name_key(folded))
        return Plan(ways=(*ways, *_code_ways(compact), by_name), grams=name_grams(folded))
    if len(plain_name(folded)) < 2:
        return None
    return Plan(ways=(Way(KeyKind.NAME, name_key(folded)),), grams=name_grams(folded))


def _code_ways(compact: str) -> tuple[Way, ...]:
    kinds = (KeyKind.NUMBER, KeyKind.ACCOUNT, KeyKind.CUSTOMER_NO, KeyKind.CONTACT)
    return tuple(Way(kind, compact) for kind in kinds)


def mask_document(document_no: str) -> str:
    """A document number as anybody may see it."""
    return ResidentId.mask(document_no)


def mask_address(address: str) -> str:
    """The street stays, the numbers and everything behind the first one go: ``玉门市新市区铁人大道***``."""
    match = re.search(r"[0-9０-９]", address)
    shown = address[: match.start()] if match else address[: max(2, len(address) // 2)]
    return shown + "***" if address else ""


def mask_contact(kind: str, value: str) -> str:
    """A contact as anybody may see it: telephone without its middle, mail address without its owner."""
    if kind == "email":
        owner, at, host = value.partition("@")
        return owner[:1] + "***" + at + host
    return Phone.mask(value)
