"""When fapiao are sent and asked about, and their rules to be checked."""

from __future__ import annotations

from server_api.billing.payment.fapiao import checks
from server_api.billing.payment.fapiao.sending import send_due
from server_api.billing.payment.fapiao.service import SEND_JOB
from server_api.platform.registry import Wiring


def wire(wiring: Wiring) -> None:
    """Say what fapiao need: a look each minute (and at once when one is asked for), and their invariants."""
    wiring.job("billing", SEND_JOB, send_due)
    wiring.at("* * * * *", "billing", SEND_JOB)
    wiring.invariant("billing", "fapiao_within_lines", checks.fapiao_within_lines)
    wiring.invariant("billing", "fapiao_equals_lines", checks.fapiao_equals_lines)
    wiring.invariant("billing", "fapiao_numbers", checks.fapiao_numbers)
