"""What must hold of commands: an order of ends, nothing begun behind something open."""

from __future__ import annotations

from server_api.business.provisioning.store import tasks as commands
from server_api.platform.database import Database
from server_api.platform.registry import Finding


def commands_in_order(database: Database) -> Finding:
    """No command was begun or done while an earlier one of its subscriber is open or for a person."""
    with database.reading() as connection:
        counted = sum(row.tasks for row in commands.counts(connection))
        wrong = [f"{row.system_name} {row.subscriber_key}: {row.task_id}" for row in commands.overtaken(connection, 20)]
    return Finding(counted=counted, wrong=tuple(wrong), wrong_count=len(wrong))
