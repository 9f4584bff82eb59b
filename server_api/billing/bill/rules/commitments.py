"""What leaving a commitment early costs: a fixed fee, so much per month left, or one that melts month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from server_api.billing.bill.rules.charges import charge_of
from server_api.billing.bill.rules.inputs import Charge, EventInput, ProductInput
from server_api.billing.bill.rules.prices import Price
from server_api.billing.bill.rules.terms import add_months, whole_months
from server_api.billing.bill.rules.timeline import CHANGE, STOP, Span, left_on, taken_on
from shared_models.values.period import Cycle, Month

#: fixed: all of it on the last day too. per_month: for each month not begun. declining: the part of the months not
#: begun. stepped: less so much for each month served.
METHODS = ("fixed", "per_month", "declining", "stepped")


def early_stop_fee(
    rider: Price, product: ProductInput, events: Sequence[EventInput], spans: Sequence[Span], month: Month | Cycle
) -> Charge | None:
    """The fee for leaving a commitment of ``rider.per_months`` in this month before it was over, or None.

    A commitment is left by stopping or by taking another offering, unless the reason or the new offering forgives it;
    a new price version of the same offering, a suspension or moving on in the same bundle leaves it as it is.
    """
    bundle = bool(rider.bundle_code)
    for index, span in enumerate(spans):
        out_on = left_on(spans, index, bundle)
        if span.until_on != out_on or span.ends not in (STOP, CHANGE):
            continue
        if not month.first_on <= out_on < month.until_on or not _carries(rider, span.event):
            continue
        since_on = taken_on(spans, index, bundle)
        until_on = add_months(since_on, rider.per_months)
        if out_on >= until_on or _forgiven(rider, events, out_on):
            return None
        begun = whole_months(since_on, out_on)
        begun += add_months(since_on, begun) < out_on
        numerator, denominator, whole = _part(rider, rider.per_months - begun, whole_months(since_on, out_on))
        if numerator <= 0 or whole <= 0:
            return None
        rule = f"stop.{rider.terms.method}"
        return charge_of(
            rider, product, span.event, month, "early_stop", rule, out_on, until_on, numerator, denominator, whole
        )
    return None


def _carries(rider: Price, event: EventInput) -> bool:
    return rider.bundle_code == event.bundle_code if rider.bundle_code else rider.offering_code == event.offering_code


def _part(rider: Price, left: int, served: int) -> tuple[int, int, int]:
    method, whole = rider.terms.method, rider.amount_micro_yuan
    if method == "per_month":
        return left, 1, whole
    if method == "declining":
        return left, rider.per_months, whole
    if method == "stepped":
        return 1, 1, whole - rider.terms.decline_micro_yuan * served
    return 1, 1, whole


def _forgiven(rider: Price, events: Sequence[EventInput], on: date) -> bool:
    for event in events:
        if event.effective_on == on and event.kind in ("terminated", "changed"):
            if event.reason and event.reason in rider.terms.forgiven:
                return True
            if event.kind == "changed" and (
                event.offering_code in rider.terms.forgiven_to or event.bundle_code in rider.terms.forgiven_to
            ):
                return True
    return False
