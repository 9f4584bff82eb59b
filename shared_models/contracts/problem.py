"""How a refusal looks on the wire: application/problem+json with a code and words in both languages.

Source: RFC 9457 (type, title, status); the rest are extension members.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BothWords(BaseModel):
    """One sentence in each language."""

    model_config = ConfigDict(frozen=True)

    zh: str
    en: str


class Problem(BaseModel):
    """A refusal. ``code`` is stable; the words may change."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="the code as a relative reference", examples=["/problems/not_found"])
    title: str = Field(description="the English sentence", examples=["Nothing was found."])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: BothWords
    remedy: BothWords
    params: dict[str, str | int | bool | None] = Field(default_factory=dict, description="the figures in the sentences")
    retry: bool = Field(default=False, description="the same act id may be sent again later")
