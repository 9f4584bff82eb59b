"""A month's bills for those who carry them: a file for mail, one for short messages, one for the printer.

The files name people, so only their owner may read them, and they stand under their names only once they are whole.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import resources
from server_api.billing.bill import service
from server_api.billing.bill.paper import Paper, bill_pdf
from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.store import outputs as store
from server_api.platform.database import Database
from shared_models.values.faults.bill_output import BillMonthNotClosed
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month

_PAGE = 500
_OWNER_ONLY = 0o600
_MOBILE = re.compile(r"\+?(?:86)?1[3-9][0-9]{9}")
_HEAD = ("bill_no", "account_no", "to", "name", "total_yuan", "to_pay_yuan", "due_on", "text", "pdf")


class Channel(StrEnum):
    """How a bill reaches its payer."""

    EMAIL = "email"
    SMS = "sms"
    PAPER = "paper"


@dataclass
class Outputs:
    """What was written: bills and their sum by channel, and how many papers were drawn anew."""

    counts: dict[Channel, int] = field(default_factory=lambda: dict.fromkeys(Channel, 0))
    sums: dict[Channel, Fen] = field(default_factory=lambda: dict.fromkeys(Channel, ZERO_FEN))
    drawn: int = 0


def channel_of(contact: str) -> Channel:
    """Mail where there is an address, a message where there is a mobile number, paper for all others.

    >>> channel_of("a@b.cn"), channel_of("13800000000"), channel_of("0937-3960001"), channel_of("")
    (<Channel.EMAIL: 'email'>, <Channel.SMS: 'sms'>, <Channel.PAPER: 'paper'>, <Channel.PAPER: 'paper'>)
    """
    plain = re.sub(r"[ \-]", "", contact)
    if "@" in plain[1:-1]:
        return Channel.EMAIL
    return Channel.SMS if _MOBILE.fullmatch(plain) else Channel.PAPER


def write_outputs(
    database: Database,
    month: Month,
    folder: Path,
    language: str,
    *,
    pdf: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Outputs:
    """Write ``email.csv``, ``sms.csv`` and ``paper.csv`` of a closed month; with ``pdf`` the papers beside them.

    Written anew each time; papers that are there already are left. Raises BillMonthNotClosed.
    """
    with database.reading() as conn:
        run = service.read_run(conn, service.run_id_of(month), database.clock.now())
    if str(run.state) != "closed":
        raise BillMonthNotClosed(month=str(month))
    folder.mkdir(parents=True, exist_ok=True)
    made = Outputs()
    with ExitStack() as stack:
        files = {one: stack.enter_context(_new_file(folder / f"{one}.csv.part")) for one in Channel}
        writers = {one: csv.writer(file, lineterminator="\n") for one, file in files.items()}
        for writer in writers.values():
            writer.writerow(_HEAD)
        for done, row in enumerate(_bills(database, month), 1):
            contact = database.secrets.unseal(row.sealed_contact or "")
            channel = channel_of(contact)
            paper = ""
            if pdf and channel is not Channel.SMS:
                paper = f"{row.bill_no}.pdf"
                made.drawn += _draw(database, row.bill_id, folder / paper, language)
            writers[channel].writerow(_fields(database, row, month, channel, contact, paper, language))
            made.counts[channel] += 1
            made.sums[channel] = made.sums[channel] + row.total_fen
            progress(done)
    for one in Channel:
        (folder / f"{one}.csv.part").replace(folder / f"{one}.csv")
    return made


def _bills(database: Database, month: Month) -> Iterator[Any]:
    after: str | None = None
    while True:
        with database.reading() as conn:
            rows = store.bills_to_send(conn, month.yyyymm, after, _PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1].bill_id


def _fields(
    database: Database, row: Any, month: Month, channel: Channel, contact: str, paper: str, language: str
) -> list[str]:
    unseal = database.secrets.unseal
    to_pay = max(row.open_fen, ZERO_FEN)
    text = resources.text(
        "ui.bill_output.message", language, operator=billing_policy().operator.name, account_no=row.account_no,
        month=str(month), total=row.total_fen, to_pay=to_pay, due_on=row.due_on.isoformat(),
    )  # fmt: skip
    to = contact if channel is not Channel.PAPER else unseal(row.sealed_address or "")
    amounts = (str(row.total_fen), str(to_pay))
    return [
        row.bill_no, row.account_no, _cell(to), _cell(unseal(row.sealed_name or "")), *amounts,
        row.due_on.isoformat(), text, paper,
    ]  # fmt: skip


def _cell(text: str) -> str:
    """A name or address no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _draw(database: Database, bill_id: str, file: Path, language: str) -> int:
    if file.exists():
        return 0
    with database.reading() as conn:
        document = service.read_bill(conn, bill_id, language, database.secrets)
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as out:
        out.write(bill_pdf(document, Paper.A4, language))
    part.replace(file)
    return 1


def _new_file(path: Path) -> TextIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    return os.fdopen(handle, "w", encoding="utf-8", newline="")
