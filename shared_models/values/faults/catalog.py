"""Refusals of the catalogue."""

from shared_models.values.faults.base import Fault


class OfferingUnknown(Fault):
    """There is no offering of that code."""

    code = "offering_unknown"
    status = 422


class OfferingNotSold(Fault):
    """The offering is not sold on that day."""

    code = "offering_not_sold"
    status = 422


class NoPriceBook(Fault):
    """No price book version is in force yet."""

    code = "no_price_book"
    status = 409


class CatalogNotValid(Fault):
    """The catalogue contradicts itself; ``count`` says how many rows are wrong."""

    code = "catalog_not_valid"
    status = 422


class CatalogNotReadable(Fault):
    """The file is no catalogue."""

    code = "catalog_not_readable"
    status = 422
