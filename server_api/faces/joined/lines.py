"""A line with whose it is: the resources' trace, and the product's number and address where the caller may see it."""

from __future__ import annotations

from sqlalchemy import Connection

from resources import texts
from server_api.business.inventory import service as inventory
from server_api.business.resource import service as resource
from server_api.business.resource.drawing import draw
from shared_models.contracts.resource import TraceView
from shared_models.contracts.work import WorkContext


def traced(conn: Connection, context: WorkContext, kind: str, code: str) -> TraceView:
    """A line from a product, an order or any thing of it. Raises NotFound outside the caller's scope."""
    if kind == "product":
        inventory.read_product(conn, code, context)
        found = resource.trace_product(conn, code)
    elif kind == "order":
        found = resource.trace_order(conn, code)
    else:
        found = resource.trace_thing(conn, kind, code)
    if found.product_id is None:
        return found.model_copy(update={"title": code if kind != "order" else ""})
    product = inventory.read_product(conn, found.product_id, context)
    return found.model_copy(update={"title": product.shown_as, "address": product.install_address})


def line_picture(trace: TraceView, language: str) -> str:
    """The line as SVG in the reader's language."""
    words = {
        key.removeprefix("resource."): text for key, text in texts(language).items() if key.startswith("resource.")
    }
    return draw(trace, words)
