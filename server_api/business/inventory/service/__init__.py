"""The acts and reads of products."""

from server_api.business.inventory.service.change import (
    change_offer,
    resume_product,
    suspend_product,
    terminate_product,
)
from server_api.business.inventory.service.install import install_product
from server_api.business.inventory.service.move import (
    KnownProduct,
    change_access,
    change_payer,
    know_product,
    owned_offerings,
    relocate_product,
    transfer_product,
)
from server_api.business.inventory.service.read import products_of_customer, read_product
from server_api.business.inventory.service.takeover import take_over_products

__all__ = [
    "KnownProduct",
    "change_access",
    "change_offer",
    "change_payer",
    "install_product",
    "know_product",
    "owned_offerings",
    "products_of_customer",
    "read_product",
    "relocate_product",
    "resume_product",
    "suspend_product",
    "take_over_products",
    "terminate_product",
    "transfer_product",
]
