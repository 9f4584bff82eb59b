"""Writing the town as the exports of the three old systems, each with its own headings, codes and bad habits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server_api.migration.mapping import SystemMapping, shipped
from server_api.migration.sample.town import HALLS, Household, Service, Town
from server_api.platform.tabular import sheets_to_excel, write_csv
from shared_models.values.money import Fen
from shared_models.values.period import Month

Rows = list[list[object]]
SYSTEMS = ("tel97", "broadband", "tv")
_KINDS = ("customer", "account", "product", "balance", "bill")


def write_town(folder: Path, *, households: int, seed: int, month: Month) -> dict[str, Any]:
    """Write the files of a town into a folder and return its figures (also kept there as town.json)."""
    folder.mkdir(parents=True, exist_ok=True)
    town = Town(households, seed, month)
    figures: dict[str, Any] = {
        "households": households,
        "groups": len(town.groups),
        "seed": seed,
        "month": month.yyyymm,
    }
    for system in SYSTEMS:
        figures[system] = _SystemFiles(town, system).write(folder)
    services = [service for house in town.everybody() for service in house.services]
    figures["products"] = len(services)
    numbers = [f"0937{one.access}" for one in services if one.offering.startswith("VOICE") and one.state == "active"]
    logins = [one.access for one in services if one.system == "broadband" and one.state == "active"]
    (folder / "numbers.txt").write_text("\n".join(numbers) + "\n", encoding="ascii")
    (folder / "logins.txt").write_text("\n".join(logins) + "\n", encoding="ascii")
    (folder / "halls.json").write_text(json.dumps(_halls(), ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "town.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    return figures


def _halls() -> list[dict[str, object]]:
    names = ("新市区营业厅", "老市区营业厅", "玉门东营业厅", "赤金营业厅")
    return [
        {
            "hall_code": hall, "hall_name": name, "district_code": "D1" if number < 2 else "D2",
            "district_name": "城区" if number < 2 else "郊区", "address": f"玉门市{name[:-3]}",
            "counters": ["01", "02", "03"],
        }
        for number, (hall, name) in enumerate(zip(HALLS, names, strict=True))
    ]  # fmt: skip


class _SystemFiles:
    """The five files of one system."""

    def __init__(self, town: Town, system: str) -> None:
        self.town = town
        self.system = system
        self.mapping: SystemMapping = shipped(system)
        self.back = {name: {new: old for old, new in codes.items()} for name, codes in self.mapping.codes.items()}
        self.rows: dict[str, Rows] = {kind: [] for kind in _KINDS}
        self._accounts = 0
        self._products = 0

    def write(self, folder: Path) -> dict[str, int]:
        """Write the files; returns the number of rows of each kind, good and bad."""
        for house in self.town.everybody():
            if self.system in house.systems():
                self._house(house)
        self._bad_rows()
        for kind in _KINDS:
            columns = list(self.mapping.kinds[kind].columns.values())
            stem = folder / self.mapping.kinds[kind].file
            if self.system == "broadband":
                stem.with_suffix(".xlsx").write_bytes(sheets_to_excel([("data", columns, self.rows[kind])]))
            else:
                encoding = "gb18030" if self.system == "tel97" else "utf-8-sig"
                write_csv(stem.with_suffix(".csv"), columns, self.rows[kind], encoding)
        return {kind: len(rows) for kind, rows in self.rows.items()}

    def _house(self, house: Household) -> None:
        customer_key = self._customer_key(house)
        services = [one for one in house.services if one.system == self.system]
        self._accounts += 1
        account_key = f"{self._accounts:06d}"
        opened_on = min(one.installed_on for one in services)
        self._add("customer", **self._customer(house, customer_key, opened_on.isoformat()))
        self._add("account", old_key=account_key, customer_key=customer_key, payment_type="postpaid",
                  opened_on=opened_on.isoformat())  # fmt: skip
        main = next((one.access for one in services if one.access), "")
        for service in services:
            self._product(house, service, customer_key, account_key, main)
        if self.system in house.balances:
            self._add("balance", account_key=account_key, amount=self._money(house.balances[self.system]))
        for debt in house.debts.get(self.system, []):
            for item, amount in debt.items:
                self._add("bill", account_key=account_key, month=debt.month, item=item, amount=self._money(amount),
                          shown_as=main)  # fmt: skip

    def _customer_key(self, house: Household) -> str:
        prefix = {"tel97": "K", "broadband": "U", "tv": "H"}[self.system]
        return f"{prefix}{house.serial:07d}"

    def _customer(self, house: Household, customer_key: str, since_on: str) -> dict[str, object]:
        # The cable operator knows the document of two in five only: the others are recognised by name and address.
        knows_document = self.system != "tv" or house.serial % 5 < 2
        writing: Callable[[], str] = {
            "tel97": house.address.long, "broadband": house.address.short, "tv": house.address.dashed,
        }[self.system]  # fmt: skip
        if self.system == "tv":
            writing = house.address.short if not knows_document else house.address.dashed
        group = next((one for one in self.town.groups if one.serial == house.group_serial), None)
        return {
            "old_key": customer_key, "name": house.name,
            "customer_kind": "organisation" if house.is_group else "person",
            "customer_class": "group" if house.is_group else "normal",
            "document_kind": "business_licence" if house.is_group else "resident_id",
            "document_no": house.document_no if knows_document else "", "address": writing(), "phone": house.phone,
            "hall": house.hall, "since_on": since_on,
            "group_key": self._customer_key(group) if group and self.system in group.systems() else "",
        }  # fmt: skip

    def _product(self, house: Household, service: Service, customer_key: str, account_key: str, main: str) -> None:
        self._products += 1
        self._add(
            "product", old_key=f"{self.system[0].upper()}{self._products:08d}", customer_key=customer_key,
            account_key=account_key, offering=service.offering, access=service.access,
            shown_as="" if service.access else f"0937-{main}", address=house.address.long(),
            installed_on=service.installed_on.isoformat(), state=service.state,
            state_since_on=service.state_since_on.isoformat() if service.state_since_on else "", bundle=service.bundle,
            bundle_key=f"HT{house.serial:07d}" if service.bundle else "",
        )  # fmt: skip

    def _money(self, fen: int) -> str:
        return str(fen) if self.mapping.amounts_in == "fen" else str(Fen(fen))

    def _add(self, kind: str, **values: object) -> None:
        """One row in the file's own columns and codes; what the file has no column for is left out."""
        row: list[object] = []
        for name in self.mapping.kinds[kind].columns:
            value = values.get(name, "")
            row.append(self.back[name].get(str(value), value) if name in self.back and value != "" else value)
        self.rows[kind].append(row)

    def _bad_rows(self) -> None:
        """What exports hold besides: a wrong document, an unknown code, a key twice, a lost parent, a wrong amount."""
        hall, on = HALLS[0], "2019-05-06"
        person = {"customer_kind": "person", "customer_class": "normal", "document_kind": "resident_id", "hall": hall}
        bad = f"{self.system[0].upper()}BAD"
        self._add(
            "customer", old_key=f"{bad}1", name="证号错误", document_no="990101199001011234", since_on=on, **person
        )
        self._add("customer", old_key=f"{bad}2", name="", since_on=on, **person)
        self._add("customer", old_key=f"{bad}3", name="日期错误", since_on="2019-13-45", **person)
        self.rows["customer"].append(list(self.rows["customer"][0]))
        self._add("account", old_key="999001", customer_key=f"{bad}1", payment_type="postpaid", opened_on=on)
        first = self.rows["account"][0]
        keys = list(self.mapping.kinds["account"].columns)
        account_key, customer_key = first[keys.index("old_key")], first[keys.index("customer_key")]
        known = {"customer_key": customer_key, "account_key": account_key, "installed_on": on, "state": "active"}
        self._add("product", old_key=f"{bad}4", offering="旧资费88", access=_free_access(self.system, 1), **known)
        self._add("product", old_key=f"{bad}5", offering="VOICE-HOME", access="", **{**known, "installed_on": ""})
        self._add("balance", account_key="999002", amount=self._money(1_000))
        self._add("bill", account_key=account_key, month="2025-17", item="x", amount="十元")


def _free_access(system: str, number: int) -> str:
    return {"tel97": f"{3_000_000 + number}", "broadband": f"bad{number}", "tv": f"{8_537_009_900_000_000 + number}"}[
        system
    ]
