"""The ledger hears nothing; it only has rules to be checked."""

from __future__ import annotations

from server_api.billing.ledger import checks
from server_api.platform.registry import Wiring


def wire(wiring: Wiring) -> None:
    """Register the ledger's invariants."""
    wiring.invariant("billing", "trial_balance_zero", checks.trial_balance_zero)
    wiring.invariant("billing", "mirrors_undo_exactly", checks.mirrors_undo_exactly)
