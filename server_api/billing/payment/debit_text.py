"""The files that go to a bank and come back (托收文件), as text. Pure.

Ours, because each bank has a format of its own: lines of fields between bars, amounts in fen, a head and a foot with
count and sum, so that a file cut short is noticed. A bank's own format is made from it, or is another module like this.

```
H|<file no>|<bank>|<day>|<items>|<fen>          D|<seq>|<contract>|<bank account>|<holder>|<fen>        T|<items>|<fen>
R|<file no>|<bank>|<day>|<items>|<fen>          D|<seq>|<contract>|<fen>|<result>|<bank's number>       T|<items>|<fen>
```
Result ``00`` is paid; the sums of an answer count what was paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared_models.values.faults.debit import DebitAnswerNotValid
from shared_models.values.money import ZERO_FEN, Fen

TAKEN = "00"
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class AskedLine:
    """What is asked of one bank account; in clear, never kept."""

    seq_no: int
    contract_no: str
    bank_account_no: str
    holder: str
    amount: Fen


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """What a bank says of one line."""

    seq_no: int
    contract_no: str
    amount: Fen
    result: str
    trace_no: str

    @property
    def taken(self) -> bool:
        return self.result == TAKEN


@dataclass(frozen=True, slots=True)
class Answer:
    """A bank's file read whole."""

    file_no: str
    bank_code: str
    lines: tuple[AnswerLine, ...]


def asked_text(file_no: str, bank_code: str, on: date, lines: Iterable[AskedLine]) -> str:
    """The file for the bank."""
    body, total = [], ZERO_FEN
    for line in lines:
        holder = line.holder.replace("|", " ").replace("\n", " ")
        body.append(f"D|{line.seq_no}|{line.contract_no}|{line.bank_account_no}|{holder}|{line.amount.amount_fen}")
        total = total + line.amount
    head = f"H|{file_no}|{bank_code}|{on.isoformat()}|{len(body)}|{total.amount_fen}"
    return "\n".join([head, *body, f"T|{len(body)}|{total.amount_fen}", ""])


def read_answer(text: str) -> Answer:
    """What a bank answered. Raises DebitAnswerNotValid, which names the line; nothing of such a file is taken."""
    rows = [line.rstrip("\r").split("|") for line in text.splitlines() if line.strip()]
    if len(rows) < 2 or rows[0][0] != "R" or len(rows[0]) != 6:
        raise DebitAnswerNotValid(line=1, problem="head")
    lines = tuple(_line(number, row) for number, row in enumerate(rows[1:-1], 2))
    if len({line.seq_no for line in lines}) != len(lines):
        raise DebitAnswerNotValid(line=len(rows), problem="twice")
    taken = sum((line.amount for line in lines if line.taken), ZERO_FEN)
    sums = [str(len(lines)), str(taken.amount_fen)]
    if rows[-1] != ["T", *sums] or rows[0][4:] != sums:
        raise DebitAnswerNotValid(line=len(rows), problem="sums")
    return Answer(rows[0][1], rows[0][2], lines)


def _line(number: int, row: list[str]) -> AnswerLine:
    if len(row) != 6 or row[0] != "D":
        raise DebitAnswerNotValid(line=number, problem="fields")
    _mark, seq, contract_no, amount, result, trace_no = row
    if not (_whole(seq) and _whole(amount) and 0 < len(result) <= 20 and len(trace_no) <= 60):
        raise DebitAnswerNotValid(line=number, problem="fields")
    if result == TAKEN and not trace_no.strip():
        raise DebitAnswerNotValid(line=number, problem="number")
    return AnswerLine(int(seq), contract_no, Fen(int(amount)), result, trace_no)


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
