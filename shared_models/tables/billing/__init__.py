"""Tables of the billing database, a file per slice; importing this package defines them all."""

from shared_models.tables.billing import account as account
from shared_models.tables.billing import allowances as allowances
from shared_models.tables.billing import bill as bill
from shared_models.tables.billing import cashdesk as cashdesk
from shared_models.tables.billing import charges as charges
from shared_models.tables.billing import credit as credit
from shared_models.tables.billing import debit as debit
from shared_models.tables.billing import decks as decks
from shared_models.tables.billing import fapiao as fapiao
from shared_models.tables.billing import ledger as ledger
from shared_models.tables.billing import migration as migration
from shared_models.tables.billing import payment as payment
from shared_models.tables.billing import rating as rating
from shared_models.tables.billing import traffic as traffic
from shared_models.tables.billing import usage as usage
from shared_models.tables.billing.metadata import billing_metadata, billing_platform

__all__ = ["billing_metadata", "billing_platform"]
