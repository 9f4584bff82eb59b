"""The collection all tables of the billing database belong to."""

from shared_models.tables.platform import define_platform_tables
from shared_models.tables.types import new_metadata

billing_metadata = new_metadata()
billing_platform = define_platform_tables(billing_metadata)
