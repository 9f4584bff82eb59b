"""The cash desk hears nothing; it only has rules to be checked."""

from __future__ import annotations

from server_api.billing.cashdesk import checks
from server_api.platform.registry import Wiring


def wire(wiring: Wiring) -> None:
    """Register the invariants of tills and papers."""
    wiring.invariant("billing", "till_cash_equals_entries", checks.till_cash_equals_entries)
    wiring.invariant("billing", "receipts_gapless", checks.receipts_gapless)
