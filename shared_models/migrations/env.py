"""Alembic's environment for both histories; ``server_api.platform.schema`` calls it with a role and a connection."""

from __future__ import annotations

from typing import Any

from alembic import context

from shared_models.migrations.options import as_announced, compare_options
from shared_models.tables.billing import billing_metadata
from shared_models.tables.business import business_metadata

_METADATA = {"business": business_metadata, "billing": billing_metadata}


def run() -> None:
    """Run the asked-for steps on the connection given, or print them as SQL."""
    attributes: dict[str, Any] = context.config.attributes
    options = compare_options(_METADATA[attributes["role"]])
    if context.is_offline_mode():
        options["target_metadata"] = None
        context.configure(dialect_name=attributes["engine_name"], **options)
        # Alembic notes the revision by a plain INSERT; a script cannot hold RETURNING ... INTO :bind.
        as_announced(context.get_context().dialect).insert_returning = False
    else:
        context.configure(
            connection=attributes["connection"], render_as_batch=not attributes.get("initial", False), **options,
        )
    with context.begin_transaction():
        context.run_migrations()


run()
