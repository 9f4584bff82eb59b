"""Fapiao (数电票): what one is, how it stands, and what may follow what."""

from __future__ import annotations

import re
from enum import StrEnum


class FapiaoType(StrEnum):
    """The kinds of fully digitalised fapiao a counter issues, by their codes."""

    SPECIAL = "81"
    """数电专票: the buyer deducts the VAT, so a tax number is needed."""
    GENERAL = "82"
    """数电普票."""


class FapiaoState(StrEnum):
    """How a fapiao stands. The first five are of one on its way; it has no number yet."""

    INTENDED = "intended"
    """Durable, not sent yet (or surely not arrived: sent again)."""
    SENT = "sent"
    """On its way to the provider; whoever finds it so asks before sending again."""
    ASKED = "asked"
    """The provider has it and will give a number."""
    UNKNOWN = "unknown"
    """No answer, or one that made no sense: a query or a person decides, never a guess."""
    REFUSED = "refused"
    """The provider will not issue it; what it was for may be asked for anew."""
    NORMAL = "normal"
    RETURNED = "returned"
    """The customer handed it back; the red fapiao is on its way."""
    PARTLY_RED = "partly_red"
    FULLY_RED = "fully_red"
    RED_LETTER = "red_letter"
    """Itself a red fapiao, issued."""
    VOID = "void"
    """Never issued: taken back before it was sent."""


#: It counts against what may still be put on a fapiao.
COUNTS = frozenset(FapiaoState) - {FapiaoState.REFUSED, FapiaoState.VOID}
#: It has a number.
ISSUED = frozenset(
    {
        FapiaoState.NORMAL,
        FapiaoState.RETURNED,
        FapiaoState.PARTLY_RED,
        FapiaoState.FULLY_RED,
        FapiaoState.RED_LETTER,
    }
)
#: A job, a query or a person must still do something about it.
ON_ITS_WAY = frozenset({FapiaoState.INTENDED, FapiaoState.SENT, FapiaoState.ASKED, FapiaoState.UNKNOWN})


class RedReason(StrEnum):
    """Why a fapiao is made red, by the codes of the red-letter information form (红字发票信息确认单)."""

    MISTAKE = "01"
    """开票有误"""
    RETURNED = "02"
    """销货退回"""
    SERVICE_ENDED = "03"
    """服务中止"""
    ALLOWANCE = "04"
    """销售折让"""


_NUMBER = re.compile(r"[0-9]{20}")


def is_fapiao_no(text: str) -> bool:
    """True for 20 digits: a fully digitalised fapiao has a number and no code.

    Source: 国家税务总局 数电发票 公告 (全面数字化的电子发票 20 位发票号码, 无发票代码).
    """
    return _NUMBER.fullmatch(text) is not None
