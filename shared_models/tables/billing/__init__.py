"""Tables of the billing database, a file per slice."""

from shared_models.tables.types import new_metadata

billing_metadata = new_metadata()
