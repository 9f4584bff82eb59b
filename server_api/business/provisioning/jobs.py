"""What runs by itself: the engine beside every worker, the nightly comparison, the rule that is checked."""

from __future__ import annotations

from server_api.business.provisioning import checks
from server_api.business.provisioning.reconcile import JOB, reconcile_all
from server_api.platform.database import Databases
from server_api.platform.registry import Companion, Wiring


def wire(wiring: Wiring) -> None:
    """Say what provisioning needs."""
    wiring.beside(_engine)
    wiring.job("business", JOB, reconcile_all)
    wiring.at("30 3 * * *", "business", JOB)
    wiring.invariant("business", "commands_in_order", checks.commands_in_order)


def _engine(databases: Databases) -> Companion:
    from server_api.business.provisioning.engine import Engine  # asyncio and its clients are loaded by workers only

    return Engine(databases.business)
