"""Tables of the business database, a file per slice; importing this package defines them all."""

from shared_models.tables.business.metadata import business_metadata, business_platform

__all__ = ["business_metadata", "business_platform"]
