"""Every refusal as application/problem+json: faults, bad input, unknown addresses; defects without their cause."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from resources import texts
from shared_models.contracts.problem import BothWords, Problem
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import InputNotValid, NotPermitted, NotSignedIn
from shared_models.values.faults.edge import BodyTooLarge, MethodNotOffered, PathUnknown, RequestNotUnderstood
from shared_models.values.money import Fen, MicroYuan

log = logging.getLogger("onehall.faces")

PROBLEM_MEDIA_TYPE = "application/problem+json"
_LONGEST_PARAM = 200


class _Blanks(dict[str, object]):
    """Fills a text whose parameter was not given with an ellipsis: a refusal must never fail on its own words."""

    def __missing__(self, key: str) -> str:
        log.warning("a fault text lacks its parameter %s", key)
        return "…"


def words(fault: Fault, language: str) -> tuple[str, str]:
    """The sentence and the remedy of a fault in one language."""
    known = texts(language)
    params = _Blanks({name: _shown(value, language) for name, value in fault.params.items()})
    if isinstance(fault, NotPermitted) and "permission" in params:
        params["permission"] = known.get(f"permission.{fault.params['permission']}", str(params["permission"]))
    sentence = known.get(f"fault.{fault.code}.text", fault.code)
    remedy = known.get(f"fault.{fault.code}.remedy", "")
    return sentence.format_map(params), remedy.format_map(params)


def _shown(value: object, language: str) -> str:
    if isinstance(value, Mapping):
        value = value.get("zh" if language == "zh_CN" else "en", "")
    return str(value)[:_LONGEST_PARAM]


def _wire(value: object) -> str | int | bool | None:
    match value:
        case bool() | int() | None:
            return value
        case Fen():
            return value.amount_fen
        case MicroYuan():
            return value.amount_micro_yuan
        case Mapping():
            return str(value.get("en", ""))
        case _:
            return str(value)[:_LONGEST_PARAM]


def problem_of(fault: Fault) -> Problem:
    """The document a fault is sent as."""
    (zh, zh_remedy), (en, en_remedy) = words(fault, "zh_CN"), words(fault, "en")
    return Problem(
        type=f"/problems/{fault.code}",
        title=en,
        status=fault.status,
        code=fault.code,
        detail=BothWords(zh=zh, en=en),
        remedy=BothWords(zh=zh_remedy, en=en_remedy),
        retry=fault.retry,
        params={name: _wire(value) for name, value in fault.params.items()},
    )


def headers_of(fault: Fault) -> dict[str, str]:
    """Headers a fault adds: where to sign in, how long to wait."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(fault, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in fault.params:
        headers["Retry-After"] = str(fault.params["retry_after_s"])
    elif fault.retry and fault.status == 503:
        headers["Retry-After"] = "1"
    if isinstance(fault, MethodNotOffered) and fault.params.get("allow"):
        headers["Allow"] = str(fault.params["allow"])
    return headers


def fault_of(error: Exception) -> Fault | None:
    """The fault an exception of the web framework stands for; None for a defect."""
    match error:
        case Fault():
            return error
        case RequestValidationError() | ValidationError():
            return fault_of_validation(error.errors())
        case HTTPException() if isinstance(error.__cause__, Fault):
            return error.__cause__  # refused while the framework was reading the body
        case HTTPException(status_code=404):
            return PathUnknown()
        case HTTPException(status_code=405):
            return MethodNotOffered(allow=(error.headers or {}).get("Allow", ""))
        case HTTPException(status_code=413):
            return BodyTooLarge(limit_kib=256)
        case HTTPException():
            return RequestNotUnderstood()
        case _:
            return None


def fault_of_validation(errors: Any) -> InputNotValid | RequestNotUnderstood:
    """The first thing wrong with the input, by field. What was typed is not repeated: it may be personal."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return InputNotValid(
            field="body", reason={"zh": "不是有效的 JSON", "en": "not valid JSON"}, more=len(errors) - 1
        )
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    return InputNotValid(
        field=".".join(where)[:_LONGEST_PARAM] or "body",
        reason=_reason(first),
        kind=first["type"],
        more=len(errors) - 1,
    )


def _reason(first: dict[str, Any]) -> dict[str, str]:
    """Why, in both languages. The library's own sentence is kept for English where we have no better one."""
    english = str(first["msg"]).removeprefix("Value error, ")[:_LONGEST_PARAM]
    context = _Blanks(first.get("ctx") or {})
    key = f"input.{first['type']}"
    zh, en = texts("zh_CN").get(key), texts("en").get(key)
    if first["type"] == "value_error":
        return {"zh": f"{zh}（{english}）", "en": english}
    return {"zh": zh.format_map(context) if zh else english, "en": en.format_map(context) if en else english}
