"""Reports of traffic and settlement, and the import of what they are settled by."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

import resources
from server_api.billing.usage.traffic import store
from server_api.billing.usage.traffic.agreements import CALL_TYPES, Agreements, agreements_of, read_agreements
from server_api.billing.usage.traffic.load import by_hour_of_day, trunk_loads
from server_api.billing.usage.traffic.settlement import settle
from server_api.billing.usage.traffic.words import DIRECTION_NAMES
from server_api.platform.acts import digest_of
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.table import Cell, CellKind, Column, Table
from shared_models.contracts.usage import AgreementVersion
from shared_models.values.faults.usage import NoAgreement
from shared_models.values.period import Month


def report_by(what: str) -> Callable[..., Table]:
    """The report whose rows stand for a trunk group, an office, or an hour of the day."""
    return {"trunk": trunk_report, "office": office_report, "hour": hour_report}[what]


_TYPE_NAMES = {number: name for name, number in CALL_TYPES.items()}


def import_agreements(uow: UnitOfWork, *, text: str, file: str) -> AgreementVersion:
    """Keep a file of operators, trunk groups and rates. The same file again is the same version.

    Raises AgreementNotValid.
    """
    found, document = read_agreements(text, file)
    return AgreementVersion(
        version_no=store.add_agreement(uow.conn, digest_of(document), document, uow.now),
        operator_count=len(found.operators),
        trunk_count=len(found.trunks),
        rate_count=len(found.rates),
    )


def agreements_in_force(conn: Connection, version_no: int | None = None) -> tuple[int, Agreements]:
    """A version of the agreements, or the last. Raises NoAgreement."""
    row = store.agreement(conn, version_no)
    if row is None:
        raise NoAgreement
    return int(row.version_no), agreements_of(row.document)


def trunk_report(conn: Connection, month: Month, *, switch: str | None = None, language: str = "zh_CN") -> Table:
    """Calls, answers, seconds and load of a month per exchange, trunk group and direction.

    Loads are erlangs with three decimals; the use is the mean busy hour in per mille of the circuits.
    """
    named = _known(conn)
    days = month.days
    rows: list[tuple[Cell, ...]] = []
    loads = trunk_loads(store.traffic_rows(conn, month.yyyymm, switch))
    for load in loads:
        trunk = named.trunk_of(load.switch, load.trunk_no, month.first_on)
        (peak_hour, peak), (busy_hour, busy) = load.peak, load.busy(days)
        circuits = trunk.circuits if trunk is not None else 0
        rows.append(
            (
                load.switch,
                load.trunk_no,
                trunk.name if trunk is not None else "",
                named.operators.get(trunk.operator, "") if trunk is not None else "",
                _direction(load.direction, language),
                load.call_count,
                load.answered_count,
                load.answered_per_mille,
                load.talked_s,
                _hour_text(peak_hour),
                _thousandths(peak),
                f"{busy_hour:02d}:00",
                _thousandths(busy),
                circuits or None,
                busy // circuits if circuits else None,
            )
        )
    kinds = dict.fromkeys(("trunk", "calls", "answered", "per_mille", "talked_s", "circuits", "use"), CellKind.COUNT)
    names: tuple[str, ...] = (
        "switch",
        "trunk",
        "name",
        "operator",
        "direction",
        "calls",
        "answered",
        "per_mille",
        "talked_s",
    )
    names += ("peak_hour", "peak", "busy_hour", "busy", "circuits", "use")
    sums = {
        "calls": sum(one.call_count for one in loads),
        "answered": sum(one.answered_count for one in loads),
        "talked_s": sum(one.talked_s for one in loads),
    }
    return _table("trunks", month, names, kinds, rows, sums, language)


def office_report(conn: Connection, month: Month, *, switch: str | None = None, language: str = "zh_CN") -> Table:
    """The same per exchange and direction, over all its trunk groups."""
    loads = trunk_loads(store.traffic_rows(conn, month.yyyymm, switch), whole_offices=True)
    rows: list[tuple[Cell, ...]] = []
    for load in loads:
        (peak_hour, peak), (busy_hour, busy) = load.peak, load.busy(month.days)
        counts = (load.call_count, load.answered_count, load.answered_per_mille, load.talked_s)
        loaded = (_hour_text(peak_hour), _thousandths(peak), f"{busy_hour:02d}:00", _thousandths(busy))
        rows.append((load.switch, _direction(load.direction, language), *counts, *loaded))
    names = ("switch", "direction", "calls", "answered", "per_mille", "talked_s")
    names_loaded = ("peak_hour", "peak", "busy_hour", "busy")
    sums = {
        "calls": sum(one.call_count for one in loads),
        "answered": sum(one.answered_count for one in loads),
        "talked_s": sum(one.talked_s for one in loads),
    }
    kinds = dict.fromkeys(("calls", "answered", "per_mille", "talked_s"), CellKind.COUNT)
    return _table("offices", month, (*names, *names_loaded), kinds, rows, sums, language)


def hour_report(conn: Connection, month: Month, *, switch: str | None = None, language: str = "zh_CN") -> Table:
    """The same per hour of the day, summed over the days of the month."""
    found = by_hour_of_day(store.traffic_rows(conn, month.yyyymm, switch))
    rows: list[tuple[Cell, ...]] = [
        (code, trunk, _direction(direction, language), f"{hour:02d}:00", calls, answered, talked_s, held_s)
        for code, trunk, direction, hour, calls, answered, talked_s, held_s in found
    ]
    names = ("switch", "trunk", "direction", "hour", "calls", "answered", "talked_s", "held_s")
    kinds = dict.fromkeys(("trunk", "calls", "answered", "talked_s", "held_s"), CellKind.COUNT)
    sums = {
        "calls": sum(row[4] for row in found),
        "answered": sum(row[5] for row in found),
        "talked_s": sum(row[6] for row in found),
        "held_s": sum(row[7] for row in found),
    }
    return _table("hours", month, names, kinds, rows, sums, language)


def settlement_report(
    conn: Connection, month: Month, *, version_no: int | None = None, language: str = "zh_CN"
) -> tuple[Table, Table]:
    """What operators owe for a month (negative: what we owe them), and the traffic no rate settles.

    Micro-yuan are floored once a line, fen rounded once a line; the sum is that of the lines. Raises NoAgreement.
    """
    version, agreements = agreements_in_force(conn, version_no)
    lines, left = settle(store.traffic_rows(conn, month.yyyymm), agreements)
    rows: list[tuple[Cell, ...]] = [
        (
            agreements.operators[line.operator],
            line.rate.code,
            _direction(line.rate.direction, language),
            line.answered_count,
            line.talked_s,
            resources.text(f"ui.traffic.unit_{line.rate.unit}", language),
            line.units,
            str(line.amount),
            line.amount_fen.amount_fen,
        )
        for line in lines
    ]
    names = ("operator", "rate", "direction", "answered", "talked_s", "unit", "units", "exact", "amount")
    kinds = dict.fromkeys(("answered", "talked_s", "units"), CellKind.COUNT) | {"amount": CellKind.MONEY_FEN}
    sums = {"amount": sum(line.amount_fen.amount_fen for line in lines)}
    settled = _table("settlement", month, names, kinds, rows, sums, language, version=version)
    rest: list[tuple[Cell, ...]] = [
        (
            one.switch,
            one.trunk_no,
            agreements.operators.get(one.operator, ""),
            _direction(one.direction, language),
            resources.text(f"ui.traffic.type_{_TYPE_NAMES.get(one.call_type, 'other')}", language),
            one.answered_count,
            one.talked_s,
            resources.text(f"ui.traffic.{one.reason}", language),
        )
        for one in left
    ]
    left_names = ("switch", "trunk", "operator", "direction", "type", "answered", "talked_s", "why")
    return settled, _table("unsettled", month, left_names, kinds | {"trunk": CellKind.COUNT}, rest, {}, language)


def _known(conn: Connection) -> Agreements:
    """What trunk groups are called; nothing where no agreements were imported."""
    row = store.agreement(conn)
    return agreements_of(row.document) if row is not None else Agreements()


def _table(
    report: str,
    month: Month,
    names: tuple[str, ...],
    kinds: dict[str, CellKind],
    rows: list[tuple[Cell, ...]],
    sums: dict[str, int],
    language: str,
    **params: object,
) -> Table:
    columns = tuple(
        Column(
            key=name, label=resources.text(f"ui.traffic.column_{name}", language), kind=kinds.get(name, CellKind.TEXT)
        )
        for name in names
    )
    return Table(
        title=resources.text(f"ui.traffic.title_{report}", language, month=str(month)),
        subtitle=resources.text(f"ui.traffic.subtitle_{report}", language, **params),
        columns=columns,
        rows=tuple(rows),
        totals=tuple(sums.get(name) for name in names) if sums else (),
    )


def _direction(direction: int, language: str) -> str:
    return resources.text(f"ui.traffic.direction_{DIRECTION_NAMES[direction]}", language)


def _hour_text(hour_no: int) -> str:
    day, hour = divmod(hour_no, 100)
    return f"{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d} {hour:02d}:00"


def _thousandths(value: int) -> str:
    return f"{value // 1000}.{value % 1000:03d}"
