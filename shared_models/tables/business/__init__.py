"""Tables of the business database, a file per slice."""

from shared_models.tables.types import new_metadata

business_metadata = new_metadata()
