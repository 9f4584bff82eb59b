"""The collection all tables of the business database belong to."""

from shared_models.tables.platform import define_platform_tables
from shared_models.tables.types import new_metadata

business_metadata = new_metadata()
business_platform = define_platform_tables(business_metadata)
