"""The acts and reads of products."""

from server_api.business.inventory.service.change import (
    change_offer,
    resume_product,
    suspend_product,
    terminate_product,
)
from server_api.business.inventory.service.install import install_product
from server_api.business.inventory.service.read import products_of_customer, read_product
from server_api.business.inventory.service.takeover import take_over_products

__all__ = [
    "change_offer",
    "install_product",
    "products_of_customer",
    "read_product",
    "resume_product",
    "suspend_product",
    "take_over_products",
    "terminate_product",
]
