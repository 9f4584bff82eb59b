"""Where a call goes: number prefixes of the town, the country and the world, each with its zone.

The prefixes come from the phonenumbers library (Google's libphonenumber data); ``resources/usage/zones.csv`` is what
``python -m server_api.billing.rating.zones`` makes of them, kept because loading the library's place names takes
seconds. A test holds the file against the library.

Zones: ``local`` (the town's area code, and mobile numbers of that area), ``national``, ``tollfree``, ``service``
(emergency calls), and the ISO 3166 code of any other region (``US``, ``HK``). Longest prefix wins.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path

import resources
from server_api.billing.usage.policy import Numbering, numbering

LOCAL, NATIONAL, TOLL_FREE, SERVICE = "local", "national", "tollfree", "service"
#: Zones inside the country; every other zone is abroad.
INLAND = frozenset((LOCAL, NATIONAL, TOLL_FREE, SERVICE))
#: Numbers hold at most 15 digits (ITU-T E.164).
NUMBER_DIGITS = 15
_FILE = ("usage", "zones.csv")


@lru_cache(maxsize=4)
def town_zones(home: Numbering | None = None) -> dict[str, str]:
    """Zone by prefix (digits with country code) as seen from the town."""
    home = home or numbering()
    with resources.path(*_FILE).open(encoding="ascii", newline="") as file:
        rows = list(csv.reader(file))
    if rows[0] == ["area", home.country_code, home.area_code]:
        return dict(rows[1:])
    return build(home)


def build(home: Numbering) -> dict[str, str]:
    """The zones of a town from the library's data (takes some seconds)."""
    zones = _abroad(home.country_code)
    zones[home.country_code] = NATIONAL
    for prefix in _local_prefixes(home):
        zones[prefix] = LOCAL
    zones[home.country_code + "800"] = TOLL_FREE
    zones[home.country_code + "400"] = LOCAL  # shared-cost numbers: the caller pays a local call
    for short in _emergency_numbers():
        zones[home.country_code + home.area_code + short] = SERVICE
    return dict(sorted(zones.items()))


def _abroad(own_code: str) -> dict[str, str]:
    """Country codes by their main region, and the prefixes by which other regions share a code."""
    from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

    zones: dict[str, str] = {}
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        main = regions[0] if regions[0] != "001" else f"I{code}"
        if str(code) == own_code:
            continue
        zones[str(code)] = main
        if len(regions) == 1:
            continue
        for area in range(200 if code == 1 else 100, 1_000):  # +1 0.. and +1 1.. are not assigned
            found = _region(code, area)
            if found and found != main:
                zones[f"{code}{area:03d}"] = found
    return zones


def _region(code: int, area: int) -> str | None:
    """The region a shared country code and three more digits belong to, asked with numbers of several lengths."""
    from phonenumbers import PhoneNumber, region_code_for_number

    for tail in ("2345678", "234567", "23456", "345"):
        region = region_code_for_number(PhoneNumber(country_code=code, national_number=int(f"{area:03d}{tail}")))
        if region:
            return str(region)
    return None


def _local_prefixes(home: Numbering) -> list[str]:
    """The town's area code and all longer prefixes the library places in the same town (mobile numbers)."""
    from phonenumbers.geodata import GEOCODE_DATA

    own = home.country_code + home.area_code
    place = GEOCODE_DATA.get(own, {}).get("zh") or GEOCODE_DATA.get(own, {}).get("en")
    same = [
        prefix
        for prefix, names in GEOCODE_DATA.items()
        if place and prefix.startswith(home.country_code) and place in names.values()
    ]
    return sorted({own, *same})


def _emergency_numbers() -> list[str]:
    from phonenumbers.shortdata.region_CN import PHONE_METADATA_CN

    emergency = PHONE_METADATA_CN.emergency
    pattern = (emergency.national_number_pattern if emergency else None) or "never"
    return [str(number) for number in range(100, 1000) if re.fullmatch(pattern, str(number))]


def main() -> None:
    """Write resources/usage/zones.csv anew."""
    home = numbering()
    path: Path = resources.path(*_FILE)
    lines = [
        f"area,{home.country_code},{home.area_code}",
        *(f"{prefix},{zone}" for prefix, zone in build(home).items()),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
