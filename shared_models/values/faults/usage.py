"""Refusals of usage files."""

from shared_models.values.faults.base import Fault


class UsageFileEmpty(Fault):
    """The file has no bytes."""

    code = "usage_file_empty"
    status = 422


class UsageFormatUnknown(Fault):
    """The file begins like no kind of usage file known here."""

    code = "usage_format_unknown"
    status = 422


class UsageFormatAmbiguous(Fault):
    """The file could be of several kinds, and what it holds does not say of which."""

    code = "usage_format_ambiguous"
    status = 422


class UsageIsMeterFile(Fault):
    """The file holds meter readings of an exchange, not calls."""

    code = "usage_is_meter_file"
    status = 422


class UsageIsAccounting(Fault):
    """The file holds RADIUS messages, which say what was used only together with those before them."""

    code = "usage_is_accounting"
    status = 422


class RadiusClientsNotValid(Fault):
    """The list of servers that may send accounting cannot be used."""

    code = "radius_clients_not_valid"
    status = 422


class AgreementNotValid(Fault):
    """A file of operators, trunk groups and settlement rates cannot be used."""

    code = "agreement_not_valid"
    status = 422


class NoAgreement(Fault):
    """No operators, trunk groups and settlement rates were imported."""

    code = "no_agreement"
    status = 409


class UsageColumnsMissing(Fault):
    """The first line of the file names nearly the columns of a kind, but not all that are needed."""

    code = "usage_columns_missing"
    status = 422


class UsageProfileNotValid(Fault):
    """A table that describes a kind of usage file cannot be used."""

    code = "usage_profile_not_valid"
    status = 422


class UsageFileChanged(Fault):
    """The file is no longer what it was when it was looked at."""

    code = "usage_file_changed"
    status = 409
    retry = True


class UsageFileRefused(Fault):
    """The path is no plain file."""

    code = "usage_file_refused"
    status = 422


class UsageLooksWrong(Fault):
    """Most records at the beginning of the file cannot be read in the layout it seems to have."""

    code = "usage_looks_wrong"
    status = 422


class AlreadyRegistered(Fault):
    """A file with this very content was taken before, under whatever name."""

    code = "usage_already_registered"
    status = 409


class UsageBeingImported(Fault):
    """Another worker is importing this file just now."""

    code = "usage_being_imported"
    status = 409
    retry = True


class ImportCancelled(Fault):
    """The import was stopped by a person; it can be gone on with."""

    code = "usage_import_cancelled"
    status = 409
    retry = True
