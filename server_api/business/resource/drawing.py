"""A traced line as a picture (SVG): from the exchange down to the customer, what is used at each place beside it."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from shared_models.contracts.resource import TraceEnd, TraceHop, TraceView

_COLUMN = 380
_STEP = 92
_TOP = 84
_LEFT = 56
_INK, _SOFT, _LINE = "#17212b", "#51606f", "#c3ccd5"
#: What a thing's state looks like: colour of the stretch that leads to the place.
_COLOURS = {"in_use": "#1d6b45", "reserved": "#b36b00", "available": "#0b5c74", "faulty": "#b3261e"}
_FONT = "font-family=\"system-ui,-apple-system,'Noto Sans CJK SC','Microsoft YaHei',sans-serif\""
_LONGEST = 30


def draw(trace: TraceView, words: Mapping[str, str]) -> str:
    """The picture; ``words`` gives the names of kinds, states and 'customer' (texts ``resource.*``)."""
    columns = max(1, len(trace.ends))
    rows = max((len(end.hops) for end in trace.ends), default=0)
    beside = [one for one in trace.things if one.kind not in ("pair", "port", "onu")]
    bottom = _TOP + rows * _STEP
    height = bottom + 78 + 24 * len(beside) + (30 if beside else 0)
    width = columns * _COLUMN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" {_FONT}>',
        f"<title>{escape(trace.title or '-')}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(_LEFT - 28, 30, trace.title or "-", size=18, weight=650),
    ]
    if len(trace.ends) > 1:
        circuit = next((one.state for one in beside if one.kind == "circuit"), "")
        y = _TOP + 14
        parts.append(
            f'<path d="M{_LEFT} {y} V{y - 36} H{_LEFT + _COLUMN * (columns - 1)} V{y}" '
            f'stroke="{_COLOURS.get(circuit, _LINE)}" stroke-width="4" stroke-dasharray="10 6" fill="none"/>'
        )
    for number, end in enumerate(trace.ends):
        parts += _column(end, number * _COLUMN + _LEFT, words, _whose(trace, end))
    if not trace.ends:
        parts.append(_text(_LEFT - 28, _TOP + 10, words.get("no_line", "-"), colour=_SOFT))
    y = bottom + 84
    for one in beside:
        parts.append(_text(_LEFT - 28, y, f"{words.get(one.kind, one.kind)}  {one.code}", size=14))
        parts.append(_badge(_LEFT + 240, y, one.state, words))
        y += 24
    return "\n".join([*parts, "</svg>"])


def _whose(trace: TraceView, end: TraceEnd) -> str:
    return trace.address if end.end in (None, "a") else ""


def _column(end: TraceEnd, x: int, words: Mapping[str, str], address: str) -> list[str]:
    parts = []
    for number in range(len(end.hops)):
        y = _TOP + number * _STEP + 14
        colour = _COLOURS.get(_next_state(end, number) or "", _LINE)
        parts.append(f'<path d="M{x} {y} V{y + _STEP}" stroke="{colour}" stroke-width="4" fill="none"/>')
    for number, hop in enumerate(end.hops):
        parts += _place(hop, x, _TOP + number * _STEP + 14, words)
    y = _TOP + len(end.hops) * _STEP + 14
    parts.append(f'<path d="M{x - 15} {y} L{x} {y - 15} L{x + 15} {y} V{y + 17} H{x - 15} Z" fill="{_INK}"/>')
    parts.append(_text(x + 30, y + 2, words.get("customer", "-"), size=15, weight=600))
    parts.append(_text(x + 30, y + 21, address, size=13, colour=_SOFT))
    return parts


def _next_state(end: TraceEnd, number: int) -> str | None:
    """The state of the first thing used below a place; of the last, its own: that is the pair which leads on."""
    below = [hop.state for hop in end.hops[number + 1 :] if hop.state is not None]
    return below[0] if below else end.hops[number].state


def _place(hop: TraceHop, x: int, y: int, words: Mapping[str, str]) -> list[str]:
    colour = _COLOURS.get(hop.state or "", _SOFT)
    if hop.place_kind in ("exchange", "olt"):
        mark = f'<rect x="{x - 15}" y="{y - 15}" width="30" height="30" rx="3" fill="{colour}"/>'
    elif hop.place_kind in ("mdf", "cabinet"):
        mark = (
            f'<rect x="{x - 13}" y="{y - 13}" width="26" height="26" rx="3" fill="#ffffff" stroke="{colour}" '
            'stroke-width="4"/>'
        )
    else:
        mark = f'<circle cx="{x}" cy="{y}" r="11" fill="#ffffff" stroke="{colour}" stroke-width="4"/>'
    name = f"{words.get(hop.place_kind, hop.place_kind)}  {hop.place_name}"
    parts = [mark, _text(x + 30, y - 4, name, size=15, weight=600)]
    second = f"{words.get(hop.kind, hop.kind)} {hop.code}" if hop.kind else hop.address or hop.place_code
    parts.append(_text(x + 30, y + 16, second, size=13, colour=_SOFT))
    if hop.state:
        parts.append(_badge(x + 30, y + 37, hop.state, words))
    return parts


def _badge(x: int, y: int, state: str, words: Mapping[str, str]) -> str:
    word = words.get(state, state)
    colour = _COLOURS.get(state, _SOFT)
    dot = f'<circle cx="{x + 5}" cy="{y - 5}" r="5" fill="{colour}"/>'
    return dot + _text(x + 16, y, word, size=13, colour=colour)


def _text(x: int, y: int, words: str, *, size: int = 14, colour: str = _INK, weight: int = 400) -> str:
    short = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">{escape(short)}</text>'
