"""Turning data into pages: everything escaped, texts in the reader's language, money and days as people read them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from resources import path, texts
from shared_models.values.clock import town_text
from shared_models.values.money import Fen, MicroYuan

#: Nothing inline, nothing from elsewhere: what the page needs comes from /portal/static.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
LANGUAGE_TAGS = {"zh_CN": "zh-CN", "en": "en"}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(path("portal", "templates")),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        yuan=_yuan, fine_yuan=_fine_yuan, day=_day, instant=_instant, month=_month, span=_span, before=_before
    )
    environment.globals["asset"] = asset
    return environment


def render(template: str, language: str, values: Mapping[str, Any]) -> str:
    """Fill a template. ``t(key, …)`` gives a text of resources/translations; every value is escaped."""

    def t(key: str, **params: object) -> str:
        return told(key, language, **params)

    def named(group: str, value: object) -> str:
        """The word for a state or kind; an unknown one is shown as it is rather than hidden."""
        return texts(language).get(f"portal.{group}.{value}", str(value))

    page = _environment().get_template(template)
    return page.render(t=t, named=named, language=language, language_tag=LANGUAGE_TAGS[language], **values)


def told(key: str, language: str, **params: object) -> str:
    """A text of the portal; a missing key shows itself, so that it is seen and mended."""
    known = texts(language).get(f"portal.{key}")
    return key if known is None else known.format(**params)


def page(template: str, language: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """A page as a response, never cached: it shows personal data."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": LANGUAGE_TAGS[language],
        "Content-Security-Policy": POLICY,
        "Vary": "HX-Request, Cookie",
    }
    return Response(render(template, language, values), status, headers, "text/html; charset=utf-8")


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a file in resources/portal/static; its digest is part of it, so browsers may keep it for ever."""
    digest = hashlib.sha256(path("portal", "static", name).read_bytes()).hexdigest()[:12]
    return f"/portal/static/{name}?v={digest}"


def _yuan(amount: Fen | int) -> str:
    return (amount if isinstance(amount, Fen) else Fen(amount)).grouped


def _fine_yuan(amount: MicroYuan) -> str:
    return str(amount)


def _day(on: date | None) -> str:
    return "" if on is None else on.isoformat()


def _before(until_on: date) -> date:
    """The last day of a span whose end is exclusive."""
    return until_on - timedelta(days=1)


def _instant(at: datetime | None) -> str:
    return "" if at is None else town_text(at)[:16]


def _month(yyyymm: int) -> str:
    return f"{yyyymm // 100}-{yyyymm % 100:02d}"


def _span(seconds: int) -> str:
    """A duration as hours, minutes, seconds: ``1:02:03``, ``2:03``."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
