"""What may be put on a fapiao, what follows from an answer, and when to ask again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server_api.billing.payment.fapiao.provider import Answer, Outcome
from shared_models.values.fapiao import FapiaoState, is_fapiao_no
from shared_models.values.money import ZERO_FEN, Fen, round_half_up

#: So long after sending, a provider that does not know the order never got it: it may be sent again.
SURELY_LOST_AFTER = timedelta(minutes=10)
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(hours=1)

ISSUE, QUERY, RED_APPLY, RED_ISSUE, DOWNLOAD = "issue", "query", "red_apply", "red_issue", "download"


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A bill line as far as fapiao go: what is left of it, what of that is paid, what is on fapiao already."""

    period: int
    bill_id: str
    line_no: int
    item_code: str
    label: str
    tax_per_mille: int
    amount: Fen
    tax: Fen
    left: Fen
    paid: Fen
    invoiced: Fen
    invoiced_tax: Fen

    @property
    def most(self) -> Fen:
        """What may be on fapiao of it in all: what is owed of it, as far as it is paid."""
        return max(ZERO_FEN, min(self.left, self.paid))


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a bill line, with its tax; of a red fapiao below zero."""

    period: int
    bill_id: str
    line_no: int
    item_code: str
    label: str
    tax_per_mille: int
    amount: Fen
    tax: Fen

    @property
    def net(self) -> Fen:
        return self.amount - self.tax


@dataclass(frozen=True, slots=True)
class OnFapiao:
    """A line of a blue fapiao with what red ones (also those on their way) took back of it, above zero."""

    fapiao_id: str
    part: Part
    red: Fen
    red_tax: Fen

    @property
    def left(self) -> Fen:
        return self.part.amount - self.red


@dataclass(frozen=True, slots=True)
class Next:
    """What an answer makes of a fapiao."""

    state: FapiaoState
    at: datetime
    problem: str = ""


def parts_to_issue(lines: Iterable[BilledLine], at_most: dict[tuple[str, int], Fen] | None = None) -> list[Part]:
    """What of these lines may still go on a fapiao: owed, paid, and not on one yet; ``at_most`` bounds single lines."""
    parts: list[Part] = []
    for line in lines:
        amount = line.most - line.invoiced
        if at_most is not None:
            amount = min(amount, at_most.get((line.bill_id, line.line_no), ZERO_FEN))
        if amount.amount_fen > 0:
            tax = _share(line.tax, line.invoiced + amount, line.amount) - line.invoiced_tax
            parts.append(_part(line, amount, max(ZERO_FEN, min(tax, amount))))
    return parts


def excess_of(line: BilledLine) -> Fen:
    """How much more is on fapiao of a line than may be."""
    return max(ZERO_FEN, line.invoiced - line.most)


def red_parts(covered: Sequence[OnFapiao], amount: Fen) -> list[Part]:
    """Take an amount back from these lines, in their order; fewer parts where they do not hold it all. Below zero."""
    parts: list[Part] = []
    wanted = amount
    for each in covered:
        taken = min(wanted, each.left)
        if taken.amount_fen <= 0:
            continue
        line = each.part
        tax = _share(line.tax, each.red + taken, line.amount) - each.red_tax
        parts.append(
            Part(line.period, line.bill_id, line.line_no, line.item_code, line.label, line.tax_per_mille, -taken, -tax)
        )
        wanted = wanted - taken
    return parts


def question(state: FapiaoState, *, red: bool, confirmed: bool) -> str:
    """What to ask the provider next. What was sent and not answered is asked about, never sent again blindly."""
    if state is FapiaoState.INTENDED:
        return ISSUE if not red else RED_ISSUE if confirmed else RED_APPLY
    if state in (FapiaoState.SENT, FapiaoState.ASKED, FapiaoState.UNKNOWN):
        return QUERY
    return DOWNLOAD


def after(
    state: FapiaoState, asked: str, answer: Answer, *, red: bool, tries: int, sent_at: datetime | None, now: datetime
) -> Next:
    """The state after an answer, and when to ask again."""
    outcome = answer.outcome
    later = now + wait_after(tries)
    said = f"{answer.code} {answer.text}".strip()[:200]
    if asked == DOWNLOAD:
        return Next(state, later, said)
    if outcome is Outcome.ISSUED:
        if not is_fapiao_no(answer.fapiao_no):
            return Next(FapiaoState.UNKNOWN, later, f"number {answer.fapiao_no[:40]!r}")
        return Next(FapiaoState.RED_LETTER if red else FapiaoState.NORMAL, now)
    if outcome is Outcome.REFUSED:
        return Next(FapiaoState.REFUSED, now, said)
    if asked == RED_APPLY:
        confirmed = outcome is Outcome.CONFIRMED or (outcome is Outcome.ALREADY and answer.confirmation_no)
        return Next(FapiaoState.INTENDED, now if confirmed else later, "" if confirmed else said)
    if asked in (ISSUE, RED_ISSUE):
        if outcome is Outcome.PENDING:
            return Next(FapiaoState.ASKED, later)
        if outcome is Outcome.ALREADY:
            return Next(FapiaoState.ASKED, now, said)
        if outcome in (Outcome.BUSY, Outcome.AUTH):
            return Next(FapiaoState.INTENDED, later, said)
        return Next(FapiaoState.UNKNOWN, later, said)
    if asked == QUERY:
        if outcome is Outcome.PENDING:
            return Next(FapiaoState.ASKED, later)
        if outcome is Outcome.NOT_FOUND:
            lost = sent_at is None or now - sent_at >= SURELY_LOST_AFTER
            return Next(FapiaoState.INTENDED if lost else FapiaoState.UNKNOWN, now if lost else later, said)
        return Next(FapiaoState.UNKNOWN if state is FapiaoState.SENT else state, later, said)
    return Next(state, later, said)


def wait_after(tries: int) -> timedelta:
    """Longer after each try, up to an hour."""
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(max(tries - 1, 0), 10))


def blue_state(amount: Fen, red_issued: Fen) -> FapiaoState:
    """How a blue fapiao stands once red ones of so much (above zero) are issued."""
    if not red_issued:
        return FapiaoState.NORMAL
    return FapiaoState.FULLY_RED if red_issued >= amount else FapiaoState.PARTLY_RED


def _share(tax: Fen, taken: Fen, whole: Fen) -> Fen:
    return Fen(round_half_up(tax.amount_fen * taken.amount_fen, whole.amount_fen))


def _part(line: BilledLine, amount: Fen, tax: Fen) -> Part:
    return Part(line.period, line.bill_id, line.line_no, line.item_code, line.label, line.tax_per_mille, amount, tax)
