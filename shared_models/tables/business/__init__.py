"""Tables of the business database, a file per slice; importing this package defines them all."""

from shared_models.tables.business import catalog as catalog
from shared_models.tables.business import inventory as inventory
from shared_models.tables.business import migration as migration
from shared_models.tables.business import ordering as ordering
from shared_models.tables.business import party as party
from shared_models.tables.business import provisioning as provisioning
from shared_models.tables.business import resource as resource
from shared_models.tables.business import staff as staff
from shared_models.tables.business import trouble as trouble
from shared_models.tables.business import workorder as workorder
from shared_models.tables.business.metadata import business_metadata, business_platform

__all__ = ["business_metadata", "business_platform"]
