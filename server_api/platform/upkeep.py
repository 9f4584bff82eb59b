"""The platform's own periodic work and invariants: sealing the audit trail, facts applied once and none missing."""

from __future__ import annotations

from typing import Any

from server_api.platform import audit
from server_api.platform.database import Database, Databases, Role
from server_api.platform.facts.parking import list_parked
from server_api.platform.facts.replay import compare
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


def _audit_holds(database: Database) -> Finding:
    report = audit.verify(database)
    counted = report.sealed + report.unsealed
    return Finding(counted=counted, wrong=tuple(report.wrong[:20]), wrong_count=len(report.wrong))


def _facts_crossed(databases: Databases) -> Finding:
    """Each fact applied once, none missing: the inbox against the outbox, aggregate by aggregate."""
    counted, wrong = 0, []
    for source, target in ((databases.business, databases.billing), (databases.billing, databases.business)):
        found = compare(source, target)
        counted += found.facts
        for name, heard, told in found.behind:
            wrong.append(f"{source.role} told {told} facts of {name}, {target.role} heard {heard}")
        for name, heard, told in found.lost_future:
            wrong.append(f"{target.role} heard {heard} facts of {name}, {source.role} knows {told}")
        for row in list_parked(source):
            wrong.append(f"{source.role}: {row.aggregate} stands still at {row.seq}: {row.error}")
    return Finding(counted=counted, wrong=tuple(wrong[:20]), wrong_count=len(wrong))


def wire(wiring: Wiring) -> None:
    """What the platform itself runs and checks, on both sides."""
    roles: tuple[Role, Role] = ("business", "billing")
    for role in roles:
        wiring.job(role, SEAL_AUDIT, seal_audit)
        wiring.at("*/5 * * * *", role, SEAL_AUDIT, name=f"{SEAL_AUDIT}.{role}")
        wiring.invariant(role, "audit_trail", _audit_holds)
    wiring.cross_invariant("facts_crossed", _facts_crossed)
