"""The catalogue: listed, taken from and given as files, published as price book versions."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query

from server_api.business.catalog import service as catalog
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    cursor_after,
    cursor_key,
    hall_router,
    permit,
    refusals,
    reply,
)
from shared_models.contracts.catalog import (
    CatalogImported,
    ImportCatalog,
    OfferingPage,
    PriceBookPage,
    PriceBookView,
    PublishPriceBook,
)
from shared_models.values.clock import town_day
from shared_models.values.faults.catalog import CatalogNotReadable, CatalogNotValid

router = hall_router("catalog")
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/catalog/offerings", response_model=OfferingPage)
def list_offerings(
    on: Annotated[date | None, Query(description="prices of this day; today where left out")] = None,
    service: Annotated[str | None, Query(max_length=20)] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.CATALOG_VIEW),
) -> Response:
    """Offerings in order of code, with the prices valid on a day."""
    key = cursor_key(cursor, str)
    day = on or town_day(caller.databases.business.clock.now())
    with caller.reading("business") as connection:
        page = catalog.list_offerings(
            connection, on=day, limit=limit, after_code=key[0] if key else "", service=service
        )
    if page.next_cursor is not None:
        page = page.model_copy(update={"next_cursor": cursor_after(page.next_cursor)})
    return reply(page)


@router.get(
    "/catalog/file", response_class=Response, responses={200: {"content": {"application/yaml": {}, _EXCEL: {}}}}
)
def export_catalog(
    form: Annotated[str, Query(pattern="^(yaml|xlsx)$", description="yaml | xlsx")] = "yaml",
    caller: Caller = permit(Permission.CATALOG_VIEW),
) -> Response:
    """The whole catalogue as a file that imports back to the same."""
    with caller.reading("business") as connection:
        document = catalog.export_catalog(connection)
    if form == "xlsx":
        headers = {"Content-Disposition": 'attachment; filename="catalog.xlsx"'}
        return Response(catalog.to_excel(document), media_type=_EXCEL, headers=headers)
    return Response(catalog.to_yaml(document), media_type="application/yaml; charset=utf-8")


@router.post("/catalog/import", response_model=CatalogImported, responses=refusals(CatalogNotReadable, CatalogNotValid))
def import_catalog(body: ImportCatalog, caller: Caller = permit(Permission.CATALOG_EDIT)) -> Response:
    """Take a catalogue file over, or only say what is wrong with it; a file with errors changes nothing."""
    document, errors = catalog.read_yaml(body.document, body.file_name)
    if errors or body.dry_run:
        return reply(catalog.imported(document, errors, stored=False))
    return caller.act("business", "import_catalog", body, lambda uow: catalog.import_catalog(uow, catalog=document))


@router.get("/catalog/price-books", response_model=PriceBookPage)
def list_price_books(
    limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, caller: Caller = permit(Permission.CATALOG_VIEW)
) -> Response:
    """Frozen price book versions, newest first."""
    key = cursor_key(cursor, int)
    with caller.reading("business") as connection:
        page = catalog.list_price_books(connection, limit=limit, before=max(0, min(key[0], 2**31 - 1)) if key else None)
    if page.next_cursor is not None:
        page = page.model_copy(update={"next_cursor": cursor_after(int(page.next_cursor))})
    return reply(page)


@router.post("/catalog/price-books", response_model=PriceBookView, responses=refusals(CatalogNotValid))
def publish_price_book(body: PublishPriceBook, caller: Caller = permit(Permission.CATALOG_EDIT)) -> Response:
    """Freeze the catalogue as the next version and tell billing."""
    return caller.act("business", "publish_price_book", body, lambda uow: catalog.publish_price_book(uow, wanted=body))
