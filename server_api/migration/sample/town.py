"""The town: households with what they have in each old system. The same seed gives the same town."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from server_api.migration.sample.people import Address, identity_no, mobile_no, organisation_name, person_name
from shared_models.values.period import Month

HALLS = ("H01", "H02", "H03", "H04")
GROUPS = 50
FIRST_NUMBER = 3_100_000


@dataclass
class Service:
    """One product in one old system."""

    system: str
    offering: str
    access: str
    installed_on: date
    bundle: str = ""
    state: str = "active"
    state_since_on: date | None = None


@dataclass
class Debt:
    """What one old account owes for a month, by item, in fen."""

    month: int
    items: list[tuple[str, int]]


@dataclass
class Household:
    """People (or a group customer) with their services, balances (fen) and debts by system."""

    serial: int
    name: str
    document_no: str
    address: Address
    phone: str
    hall: str
    is_group: bool = False
    group_serial: int = 0
    services: list[Service] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=dict)
    debts: dict[str, list[Debt]] = field(default_factory=dict)

    def systems(self) -> list[str]:
        """The systems this household is a customer of."""
        return [one for one in ("tel97", "broadband", "tv") if any(service.system == one for service in self.services)]


class Town:
    """Makes households one after another."""

    def __init__(self, households: int, seed: int, month: Month) -> None:
        self.random = Random(seed)
        self.month = month
        self._next_number = FIRST_NUMBER
        self._next_login = 1
        self._next_card = 1
        self.groups = [self._group(serial) for serial in range(1, min(GROUPS, max(1, households // 200)) + 1)]
        self.households = [self._household(serial) for serial in range(1, households + 1)]

    def everybody(self) -> list[Household]:
        """Group customers first."""
        return self.groups + self.households

    def _group(self, serial: int) -> Household:
        random = self.random
        licence = f"9991{serial:014d}"
        group = Household(
            900_000 + serial, organisation_name(serial - 1), licence, Address(20_000 + serial), mobile_no(random),
            HALLS[serial % len(HALLS)], is_group=True,
        )  # fmt: skip
        for _line in range(random.randrange(4, 13)):
            group.services.append(Service("tel97", "VOICE-OFFICE", self._number(), self._installed()))
        for _line in range(random.randrange(1, 4)):
            group.services.append(Service("broadband", "BB-100M", self._login("dw"), self._installed()))
        if serial % 4 == 0:
            group.services.append(Service("tel97", "LEASED-10M", f"ZX{serial:06d}", self._installed()))
        group.balances["tel97"] = random.randrange(1_000, 90_000) * 10
        return group

    def _household(self, serial: int) -> Household:
        random = self.random
        house = Household(
            serial, person_name(random), identity_no(random, serial), Address(serial), mobile_no(random),
            HALLS[serial % len(HALLS)],
        )  # fmt: skip
        if serial % 40 == 0:
            house.group_serial = self.groups[serial // 40 % len(self.groups)].serial
        draw = random.random()
        if draw < 0.12:
            self._bundle(house)
        else:
            self._single_services(house)
        self._money(house)
        return house

    def _bundle(self, house: Household) -> None:
        bundle = "BUNDLE-139" if self.random.random() < 0.4 else "BUNDLE-99"
        voice = "VOICE-B300" if bundle == "BUNDLE-139" else "VOICE-HOME"
        on = max(self._installed(), date(2015, 2, 1))
        house.services += [
            Service("tel97", voice, self._number(), on, bundle),
            Service("broadband", "BB-100M", self._login("ym"), on, bundle),
            Service("tv", "TV-BASIC", self._card(), on, bundle),
        ]  # fmt: skip
        if self.random.random() < 0.2:
            house.services.append(Service("tv", "TV-SECOND", self._card(), on))

    def _single_services(self, house: Household) -> None:
        random = self.random
        wants_voice, wants_net, wants_tv = random.random() < 0.40, random.random() < 0.41, random.random() < 0.38
        if not (wants_voice or wants_net or wants_tv):
            wants_voice = True
        if wants_voice:
            number, on = self._number(), self._installed()
            house.services.append(Service("tel97", "VOICE-HOME", number, on))
            if random.random() < 0.20:
                house.services.append(Service("tel97", "CLIP", "", on))
            if random.random() < 0.06:
                house.services.append(Service("tel97", "CRBT", "", on))
        if wants_net:
            offering = random.choices(("BB-100M", "BB-100M-YEAR", "BB-HOURLY"), (70, 25, 5))[0]
            house.services.append(
                Service("broadband", offering, self._login("ym"), max(self._installed(), date(2015, 2, 1)))
            )
        if wants_tv:
            on = self._installed()
            house.services.append(Service("tv", "TV-BASIC", self._card(), on))
            if random.random() < 0.16:
                house.services.append(Service("tv", "TV-SECOND", self._card(), on))
        if random.random() < 0.012:
            for service in house.services:
                service.state = "owner_request"
                service.state_since_on = max(
                    service.installed_on, self.month.first_on - timedelta(days=random.randrange(5, 200))
                )

    def _money(self, house: Household) -> None:
        """Two in five have something in advance, one in twelve owes for up to three months; nobody does both."""
        random = self.random
        for system in house.systems():
            draw = random.random()
            if draw < 0.40:
                house.balances[system] = random.randrange(100, 20_000)
            elif draw < 0.48:
                house.debts[system] = [
                    Debt(self.month.plus(-back).yyyymm, self._items(system))
                    for back in range(random.randrange(1, 4), 0, -1)
                ]

    def _items(self, system: str) -> list[tuple[str, int]]:
        random = self.random
        if system == "tel97":
            items = [("voice.monthly", 2_000), ("voice.local", 11 * random.randrange(2, 180))]
            return items + [("voice.long_distance", 7 * random.randrange(10, 400))] if random.random() < 0.5 else items
        return [("broadband.monthly", 6_900)] if system == "broadband" else [("tv.monthly", 2_400)]

    def _installed(self) -> date:
        """A day from 2006 on; one in fifty within the month that is to be billed."""
        if self.random.random() < 0.02:
            return self.month.first_on + timedelta(days=self.random.randrange(self.month.days))
        days = (self.month.plus(-3).first_on - date(2006, 1, 1)).days
        return date(2006, 1, 1) + timedelta(days=self.random.randrange(days))

    def _number(self) -> str:
        self._next_number += self.random.randrange(1, 60)
        return str(self._next_number)

    def _login(self, letters: str) -> str:
        self._next_login += 1
        return f"{letters}{self._next_login:06d}"

    def _card(self) -> str:
        self._next_card += 1
        return f"85370025{self._next_card:08d}"
