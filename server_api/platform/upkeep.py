"""The platform's own periodic work and invariants: sealing the audit trail, facts applied once and none missing."""

from __future__ import annotations

from typing import Any

from server_api.platform import audit
from server_api.platform.jobs import JobRun
from server_api.platform.registry import Finding, Wiring

SEAL_AUDIT = "platform.seal_audit"


def seal_audit(run: JobRun) -> dict[str, Any]:
    """Seal all audit entries that have no seal yet."""
    sealed = 0
    while count := audit.seal(run.database):
        sealed += count
        run.beat()
    return {"sealed": sealed}


def _audit_holds(database: Any) -> Finding:
    report = audit.verify(database)
    return Finding(counted=report.sealed + report.unsealed, wrong=tuple(report.wrong[:20]), wrong_count=len(report.wrong))


def wire(wiring: Wiring) -> None:
    """What the platform itself runs and checks, on both sides."""
    for role in ("business", "billing"):
        wiring.job(role, SEAL_AUDIT, seal_audit)
        wiring.at("*/5 * * * *", role, SEAL_AUDIT, name=f"{SEAL_AUDIT}.{role}")
        wiring.invariant(role, "audit_trail", _audit_holds)
