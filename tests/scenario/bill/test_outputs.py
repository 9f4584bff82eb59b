"""A month's bills for mail, short messages and the printer: each bill in one file, sums those of the run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import update

from server_api.billing.bill import outputs
from server_api.billing.bill.outputs import Channel, channel_of, write_outputs
from server_api.platform.database import Databases
from shared_models.tables.billing.account import payer
from shared_models.values.clock import ManualClock
from shared_models.values.faults.bill_output import BillMonthNotClosed
from shared_models.values.faults.common import NotFound
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import BillTown

MARCH = Month(202603)
CONTACTS = ["li@example.cn", "13893600001", "+86 138-9360-0002", "0937-3960001", "", "=cmd@x.cn"]


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    town = BillTown(databases, clock).on("2026-03-01")
    for number, contact in enumerate(CONTACTS, 1):
        account = town.account(number, name="=1+1" if number == 4 else "")
        town.install(account, "PSTN", "2026-03-01", shown_as=f"0937-396{number:04d}")
        sealed = databases.business.secrets.seal(contact) if contact else None
        with town.billing.batch() as conn:
            customer_id = f"{number:08x}" + "c" * 24
            conn.execute(update(payer).where(payer.c.customer_id == customer_id).values(sealed_contact=sealed))
    return town


def _rows(folder: Path, channel: Channel) -> list[dict[str, str]]:
    with (folder / f"{channel}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_bill_in_one_file(town: BillTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "_PAGE", 2)
    done = town.run(202603)
    made = write_outputs(town.billing, MARCH, tmp_path / "out", "zh_CN")
    assert made.counts == {Channel.EMAIL: 2, Channel.SMS: 2, Channel.PAPER: 2}
    assert Fen.total(made.sums.values()) == done.total_fen
    rows = {channel: _rows(tmp_path / "out", channel) for channel in Channel}
    assert [row["to"] for row in rows[Channel.EMAIL]] == ["li@example.cn", "'=cmd@x.cn"]
    assert [row["to"] for row in rows[Channel.SMS]] == ["13893600001", "'+86 138-9360-0002"]
    assert [row["name"] for row in rows[Channel.PAPER]] == ["'=1+1", "客户5"]
    assert all("甘州区" in row["to"] for row in rows[Channel.PAPER])
    (message,) = {row["text"].split("账户")[1][-30:] for row in rows[Channel.SMS][:1]}
    assert "25.00" in message
    numbers = [row["bill_no"] for some in rows.values() for row in some]
    assert len(set(numbers)) == len(numbers) == 6
    before = {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()}
    assert all(one.stat().st_mode & 0o077 == 0 for one in (tmp_path / "out").iterdir())
    write_outputs(town.billing, MARCH, tmp_path / "out", "zh_CN")
    assert {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()} == before, (
        "the same files, nothing half written"
    )


@pytest.mark.one_engine
def test_papers_are_drawn_once(town: BillTown, tmp_path: Path) -> None:
    town.run(202603)
    made = write_outputs(town.billing, MARCH, tmp_path / "out", "zh_CN", pdf=True)
    papers = sorted(one.name for one in (tmp_path / "out").glob("*.pdf"))
    assert made.drawn == len(papers) == 4
    assert papers == sorted(
        row["pdf"] for one in (Channel.EMAIL, Channel.PAPER) for row in _rows(tmp_path / "out", one)
    )
    assert all((tmp_path / "out" / name).read_bytes().startswith(b"%PDF") for name in papers)
    assert write_outputs(town.billing, MARCH, tmp_path / "out", "zh_CN", pdf=True).drawn == 0


@pytest.mark.one_engine
def test_a_month_that_is_not_closed_is_refused(town: BillTown, tmp_path: Path) -> None:
    with pytest.raises((BillMonthNotClosed, NotFound)):
        write_outputs(town.billing, MARCH, tmp_path / "out", "zh_CN")
    town.on("2026-04-01")
    town.begin(202603)
    with pytest.raises(BillMonthNotClosed):
        write_outputs(town.billing, MARCH, tmp_path / "out", "zh_CN")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("contact", "channel"),
    [("a@b.cn", "email"), ("@b", "paper"), ("a@", "paper"), ("138 0000 0000", "sms"), ("12800000000", "paper")],
)
def test_channels(contact: str, channel: str) -> None:
    assert channel_of(contact) == channel
