"""How a number, login or card is written where owners are kept and looked for. Pure, and without the decoders."""

from __future__ import annotations

import re

from server_api.billing.usage.policy import Numbering, numbering


def full_number_of(text: str, home: Numbering | None = None) -> int:
    """The same for one number as text: how access keys are stored and looked up. 0 where there are no digits.

    >>> full_number_of("3961234", Numbering("86", "937", (7, 8)))
    869373961234
    >>> full_number_of("09373961234", Numbering("86", "937", (7, 8)))
    869373961234
    """
    compact = re.sub(r"[ ()\-]", "", text)
    if compact.startswith("+"):
        return int(compact[1:]) if compact[1:].isdigit() else 0
    if not compact.isascii() or not compact.isdigit() or len(compact) > 18:
        return 0
    home = home or numbering()
    value, length, country = int(compact or 0), len(compact), home.country_code
    if not compact or (compact.startswith("00") and length > 2):
        return value
    if compact.startswith("0") and length > 1:
        return int(country + compact[1:])
    mobile_here = int(country) * 10**11 + 13 * 10**9
    if length == 13 and mobile_here <= value < (int(country) + 1) * 10**11:
        return value
    if length == 10 or (length == 11 and 13_000_000_000 <= value <= 19_999_999_999):
        return int(country + compact)
    return int(country + home.area_code + compact) if length <= 9 else value


def access_key(kind: str, key: str) -> str:
    """How an access is stored: numbers in full, logins and cards in lower case without blanks."""
    if kind == "number":
        return str(full_number_of(key) or key.strip().lower())
    return key.strip().lower()
