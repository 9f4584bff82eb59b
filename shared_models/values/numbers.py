"""Numbers people carry or dial: telephone, resident identity card, smart card.

Each kind has the same four verbs: ``compact`` (what counts), ``validate`` (compact form or ValueError), ``is_valid``
and ``format`` (as people read it). ValueError, not Fault: the caller knows which field it was.

Source: GB 11643-1999 (resident identity number, check digit ISO 7064 MOD 11-2, by python-stdnum); ITU-T E.164 and the
Chinese numbering plan (by phonenumbers); GY/Z 175-2001 calls the smart card's number CARD_NO and fixes no check digit.
"""

from __future__ import annotations

import unicodedata

import phonenumbers
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

_SEPARATORS = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\u2014()（）\t.")
COUNTRY_CODE = "86"


def _plain(text: str) -> str:
    """Full-width digits become digits; blanks, hyphens and brackets go."""
    return unicodedata.normalize("NFKC", text).translate(_SEPARATORS)


class Phone:
    """Chinese telephone numbers: fixed lines with or without area code, mobiles."""

    @staticmethod
    def compact(text: str, area_code: str = "") -> str:
        """The number as dialled within the country: ``09373961234``, ``13909371234``.

        ``area_code`` without the trunk 0 completes a local number of 7 or 8 digits. A number that is not understood
        comes back as its digits.
        """
        digits = _plain(text)
        for prefix in (f"+{COUNTRY_CODE}", f"00{COUNTRY_CODE}"):
            if digits.startswith(prefix):
                rest = digits[len(prefix) :]
                return rest if len(rest) == 11 and rest.startswith("1") else "0" + rest.lstrip("0")
        if area_code and len(digits) in (7, 8) and digits.isascii() and digits.isdigit() and digits[0] not in "01":
            return f"0{area_code}{digits}"
        return digits

    @staticmethod
    def validate(text: str, area_code: str = "") -> str:
        """The compact form of a number that can exist in the numbering plan; raises ValueError otherwise."""
        number = Phone.compact(text, area_code)
        if not (number.isascii() and number.isdigit()):
            raise ValueError("a telephone number has digits only")
        try:
            parsed = phonenumbers.parse(number, "CN")
        except phonenumbers.NumberParseException as error:
            raise ValueError("not a telephone number") from error
        if not phonenumbers.is_valid_number(parsed):
            raise ValueError("no such number in the numbering plan")
        return number

    @staticmethod
    def is_valid(text: str, area_code: str = "") -> bool:
        """True when ``validate`` would take it."""
        try:
            Phone.validate(text, area_code)
        except ValueError:
            return False
        return True

    @staticmethod
    def format(text: str, area_code: str = "") -> str:
        """As people read it: ``0937-3961234``, ``139 0937 1234``; unchanged where it is not understood."""
        number = Phone.compact(text, area_code)
        if number.isdigit() and len(number) == 11 and number.startswith("1"):
            return f"{number[:3]} {number[3:7]} {number[7:]}"
        if area_code and number.startswith(f"0{area_code}"):
            return f"0{area_code}-{number[len(area_code) + 1 :]}"
        return number

    @staticmethod
    def local(text: str, area_code: str) -> str:
        """The part dialled within the area, or the whole number where it lies elsewhere."""
        number = Phone.compact(text, area_code)
        return number.removeprefix(f"0{area_code}") if area_code else number

    @staticmethod
    def mask(text: str) -> str:
        """All but the first three and the last two digits hidden: ``139******34``."""
        number = _plain(text)
        if len(number) <= 5:
            return "*" * len(number)
        return number[:3] + "*" * (len(number) - 5) + number[-2:]


class ResidentId:
    """Chinese resident identity numbers of 18 characters."""

    @staticmethod
    def compact(text: str) -> str:
        """Digits and the X, upper case."""
        return _plain(text).upper()

    @staticmethod
    def validate(text: str) -> str:
        """The compact form; raises ValueError for wrong length, characters, check digit or birthday.

        The region is not looked up: residence permits and numbers of dissolved counties are valid too.
        """
        number = ResidentId.compact(text)
        if len(number) != 18 or not number.isascii():
            raise ValueError("a resident identity number has 18 characters")
        if not number[:17].isdigit():
            raise ValueError("the first 17 characters are digits")
        if number[17] != ric.calc_check_digit(number):
            raise ValueError("the check digit is wrong")
        try:
            ric.get_birth_date(number)
        except ValidationError as error:
            raise ValueError("the birthday does not exist") from error
        return number

    @staticmethod
    def is_valid(text: str) -> bool:
        """True when ``validate`` would take it."""
        try:
            ResidentId.validate(text)
        except ValueError:
            return False
        return True

    @staticmethod
    def format(text: str) -> str:
        """In groups as on the card's back: ``620981 19900101 123X``."""
        number = ResidentId.compact(text)
        return f"{number[:6]} {number[6:14]} {number[14:]}" if len(number) == 18 else number

    @staticmethod
    def mask(text: str) -> str:
        """All but the first three and the last four characters hidden: ``620***********123X``."""
        number = ResidentId.compact(text)
        if len(number) <= 7:
            return "*" * len(number)
        return number[:3] + "*" * (len(number) - 7) + number[-4:]

    @staticmethod
    def complete(first_17: str) -> str:
        """Add the check digit to 17 digits."""
        return first_17 + str(ric.calc_check_digit(first_17 + "0"))


class SmartCard:
    """Smart card numbers of set-top boxes: 8 to 20 digits; makers add their own check digits or none."""

    @staticmethod
    def compact(text: str) -> str:
        """Digits only."""
        return _plain(text)

    @staticmethod
    def validate(text: str) -> str:
        """The compact form; raises ValueError when it is not 8 to 20 digits."""
        number = SmartCard.compact(text)
        if not (number.isascii() and number.isdigit() and 8 <= len(number) <= 20):
            raise ValueError("a smart card number has 8 to 20 digits")
        return number

    @staticmethod
    def is_valid(text: str) -> bool:
        """True when ``validate`` would take it."""
        try:
            SmartCard.validate(text)
        except ValueError:
            return False
        return True

    @staticmethod
    def format(text: str) -> str:
        """In groups of four: ``8537 0025 1234 5678``."""
        number = SmartCard.compact(text)
        return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
