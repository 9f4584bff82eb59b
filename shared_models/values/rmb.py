"""Amounts of money in Chinese capitals (大写金额), as receipts and vouchers must show them.

What it is not: a general number speller. It takes whole fen only and always writes 人民币 before the amount.

Source: 中国人民银行 支付结算办法 附件一 正确填写票据和结算凭证的基本规定, 第一条至第三条. Where the rule leaves
two spellings open we write the one with 零 after 元 (壹仟陆佰捌拾元零叁角贰分) and without it after 万
(壹拾万柒仟元), as its own examples do; 整 is written after 元 (required), not after 角 (optional), never after 分.
"""

from __future__ import annotations

from shared_models.values.money import FEN_PER_YUAN, Fen

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("仟", "佰", "拾", "")
_GROUPS = ("", "万", "亿")
#: The first amount too long for three groups of four digits; a hundred times what one act may name.
_LIMIT_FEN = 10 ** (4 * len(_GROUPS)) * FEN_PER_YUAN


def rmb_capitals(amount: Fen) -> str:
    """Write an amount in capitals, 人民币 first; a negative one (red entry) gets 负 before its first digit.

    Raises ValueError at 10^12 yuan and above.

    >>> rmb_capitals(Fen(140950)), rmb_capitals(Fen(32504)), rmb_capitals(Fen(-10000))
    ('人民币壹仟肆佰零玖元伍角', '人民币叁佰贰拾伍元零肆分', '人民币负壹佰元整')
    """
    magnitude = abs(amount.amount_fen)
    if magnitude >= _LIMIT_FEN:
        raise ValueError("the amount has too many digits to be written in capitals")
    yuan, rest = divmod(magnitude, FEN_PER_YUAN)
    jiao, fen = divmod(rest, 10)
    sign = "负" if amount.amount_fen < 0 else ""
    return f"人民币{sign}{_yuan_part(yuan, alone=rest == 0)}{_small_part(yuan, jiao, fen)}"


def _yuan_part(yuan: int, alone: bool) -> str:
    """The part up to 元; empty for an amount below one yuan that has jiao or fen."""
    if yuan == 0:
        return "零元整" if alone else ""
    text = _whole_number(yuan) + "元"
    return text + "整" if alone else text


def _whole_number(number: int) -> str:
    """A positive whole number, four digits at a time; zeros in a row inside it become one 零."""
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    gap = False
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if group == 0:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        text += _four_digits(group) + _GROUPS[index]
        gap = False
    return text


def _four_digits(group: int) -> str:
    """A number from 1 to 9999 without a leading 零; zeros between digits become one 零, trailing ones nothing."""
    text = ""
    gap = False
    for place, digit in zip(_PLACES, f"{group:04d}", strict=True):
        if digit == "0":
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _DIGITS[int(digit)] + place
        gap = False
    return text


def _small_part(yuan: int, jiao: int, fen: int) -> str:
    """Jiao and fen. 零 stands for a missing 角 before 分, and for a 元 place that is zero before 角."""
    if jiao == 0 and fen == 0:
        return ""
    if jiao == 0:
        return ("零" if yuan else "") + _DIGITS[fen] + "分"
    bridge = "零" if yuan and yuan % 10 == 0 else ""
    text = f"{bridge}{_DIGITS[jiao]}角"
    return text + (_DIGITS[fen] + "分" if fen else "")
