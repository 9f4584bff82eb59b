"""The base of every request and reply, and the field types they share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints, WithJsonSchema

from shared_models.values.money import MAX_AMOUNT_FEN, Fen, MicroYuan


class Contract(BaseModel):
    """A frozen document that crosses the wire; unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, arbitrary_types_allowed=True)


def example(**fields: Any) -> ConfigDict:
    """The ``model_config`` of a request that shows one example in OpenAPI; ids and amounts as on the wire."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def _to_fen(value: Any) -> Fen:
    if isinstance(value, Fen):
        return value
    if type(value) is not int:
        raise ValueError("an amount is a whole number of fen")
    if abs(value) > MAX_AMOUNT_FEN:
        raise ValueError(f"an amount lies between -{MAX_AMOUNT_FEN} and {MAX_AMOUNT_FEN} fen")
    return Fen(value)


def _to_positive_fen(value: Any) -> Fen:
    amount = _to_fen(value)
    if amount.amount_fen <= 0:
        raise ValueError("the amount must be above zero")
    return amount


def _to_micro_yuan(value: Any) -> MicroYuan:
    if isinstance(value, MicroYuan):
        return value
    if type(value) is not int:
        raise ValueError("a price is a whole number of micro-yuan")
    return MicroYuan(value)


_FEN_OUT = PlainSerializer(lambda amount: amount.amount_fen, return_type=int)
_FEN_LIMITS = {"type": "integer", "minimum": -MAX_AMOUNT_FEN, "maximum": MAX_AMOUNT_FEN}

#: Money on the wire: an integer number of fen.
FenField = Annotated[Fen, PlainValidator(_to_fen), _FEN_OUT, WithJsonSchema({**_FEN_LIMITS, "description": "fen"})]
#: Money above zero.
PositiveFen = Annotated[
    Fen, PlainValidator(_to_positive_fen), _FEN_OUT, WithJsonSchema({**_FEN_LIMITS, "minimum": 1, "description": "fen"})
]
#: A price or charge: an integer number of micro-yuan.
MicroYuanField = Annotated[
    MicroYuan,
    PlainValidator(_to_micro_yuan),
    PlainSerializer(lambda amount: amount.amount_micro_yuan, return_type=int),
    WithJsonSchema({"type": "integer", "description": "micro-yuan"}),
]
#: 32 lower-case hex digits.
IdField = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
#: An upper-case ASCII code.
CodeField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}$")]


class PageOf(Contract):
    """The tail of every list: ``next_cursor`` is None on the last page."""

    next_cursor: str | None = Field(default=None, description="hand it back as ?cursor= for the next page")
