"""Style sheets, scripts and pictures of the portal: the few files there are, by name, kept by browsers for ever."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter
from starlette.responses import Response

from resources import path
from server_api.faces.edge.caller import open_to_all
from shared_models.values.faults.edge import PathUnknown

router = APIRouter(prefix="/portal", include_in_schema=False)
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@router.get("/static/{name}", dependencies=[open_to_all("style sheets and scripts hold no data")])
def static_file(name: str) -> Response:
    """One file of resources/portal/static."""
    files = _files()
    if name not in files:
        raise PathUnknown()
    body, media_type = files[name]
    return Response(body, 200, {"Cache-Control": "public, max-age=31536000, immutable"}, media_type)


@lru_cache(maxsize=1)
def _files() -> dict[str, tuple[bytes, str]]:
    found = path("portal", "static").iterdir()
    return {file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in found if file.suffix in _TYPES}
