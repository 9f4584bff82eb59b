"""The acts and reads of customers."""

from server_api.business.party.service.accounts import (
    account_standing,
    heard_account,
    heard_new_accounts,
    heard_standing,
)
from server_api.business.party.service.customers import (
    change_customer,
    create_customer,
    need_customer,
    read_customer,
    reveal_customer,
)
from server_api.business.party.service.keys import NumberOwner, area_code, index_many, index_numbers, unindex_numbers
from server_api.business.party.service.search import search_customers
from server_api.business.party.service.takeover import take_over_customers

__all__ = [
    "NumberOwner",
    "account_standing",
    "area_code",
    "change_customer",
    "create_customer",
    "heard_account",
    "heard_new_accounts",
    "heard_standing",
    "index_many",
    "index_numbers",
    "need_customer",
    "read_customer",
    "reveal_customer",
    "search_customers",
    "take_over_customers",
    "unindex_numbers",
]
