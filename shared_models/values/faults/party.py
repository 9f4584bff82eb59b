"""Refusals around customers."""

from shared_models.values.faults.base import Fault


class CustomerAlreadyKnown(Fault):
    """A customer with this document exists; ``customer_no`` says which, where the caller may see it."""

    code = "customer_already_known"
    status = 409


class CustomerIdTaken(Fault):
    """A customer with this id exists already."""

    code = "customer_id_taken"
    status = 409


class NotAGroup(Fault):
    """The customer named as group is not a group customer."""

    code = "not_a_group"
    status = 422


class DocumentNotValid(Fault):
    """The document number cannot be right: length, check digit or birthday."""

    code = "document_not_valid"
    status = 422


class SearchTooShort(Fault):
    """The search text has fewer than two characters that count."""

    code = "search_too_short"
    status = 422
