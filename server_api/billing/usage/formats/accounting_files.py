"""RADIUS accounting in files: what a server noted of each message it got, one after the other.

FreeRADIUS detail files (a line with the time, then an attribute a line, then a blank line), the same messages as CSV,
and CSV of whole sessions (the columns of radacct). They are read to messages; what a session used is worked out by
``usage.radius`` from all messages of it, in whatever files they are.

**Source:** RFC 2866 (accounting), RFC 2869 (gigawords: total = gigawords x 2^32 + octets, Event-Timestamp).
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache

import resources
from server_api.billing.usage.formats.reasons import TOWN_OFFSET_S
from server_api.billing.usage.policy import policy

DETAIL, CSV = "radius_detail", "radius_csv"
_DETAIL_HEAD = re.compile(rb"^(?:\w{3} )?\w{3} +\d{1,2} [\d:]{8} (?:\w+ )?\d{4}\r?\n\t[\w-]+ = ", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^\s+([A-Za-z][\w.-]*)\s+\+?=\s+(.*?)\s*$")
_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%b %d %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y")
_ZONES = {"UTC": 0, "GMT": 0, "CST": TOWN_OFFSET_S}
STATUS = {"start": 1, "stop": 2, "interim-update": 3, "alive": 3, "accounting-on": 7, "accounting-off": 8}
START, STOP, INTERIM, SERVER_ON, SERVER_OFF = 1, 2, 3, 7, 8
_CAUSES = {"user-request": 1, "lost-carrier": 2, "lost-service": 3, "idle-timeout": 4, "session-timeout": 5}
_CAUSES |= {"admin-reset": 6, "admin-reboot": 7, "port-error": 8, "nas-error": 9, "nas-request": 10, "nas-reboot": 11}
_MOST_RAW = 2_000
_MOST_LINE = 65_536
#: Counters beyond this are gone wrong (nine petabytes).
_MOST_OCTETS = 2**53
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{1,45}")
_LOGIN = re.compile(r"[0-9a-z@._\-]{1,64}")


@dataclass(frozen=True)
class Message:
    """An accounting message. Counters are totals since the session began; ``wraps``: the server sent no gigawords."""

    status: int
    nas: str
    session: str = ""
    login: str = ""
    at_s: int = 0
    seconds: int = 0
    octets_in: int = 0
    octets_out: int = 0
    wraps: bool = False
    cause: int | None = None
    address: str = ""


@dataclass(frozen=True)
class Note:
    """A message of a file, or why it is none: its number, the reason and what stands there."""

    place: int
    message: Message | None
    reason: str = ""
    raw: str = ""


@lru_cache(maxsize=1)
def rules() -> dict[str, int]:
    """The limits of resources/usage/radius.toml."""
    table = tomllib.loads(resources.path("usage", "radius.toml").read_text(encoding="utf-8"))
    return {name: value for name, value in table.items() if isinstance(value, int)}


@lru_cache(maxsize=1)
def _columns() -> dict[str, tuple[str, ...]]:
    table = tomllib.loads(resources.path("usage", "radius.toml").read_text(encoding="utf-8"))
    return {name: tuple(names) for name, names in table["columns"].items()}


def looks_like(head: bytes) -> str:
    """radius_detail, radius_csv, or '' for neither."""
    if _DETAIL_HEAD.match(head.lstrip(b"\xef\xbb\xbf\r\n")):
        return DETAIL
    names = _header(head.split(b"\n", 1)[0])
    wanted = _columns()
    there = [any(name in names for name in wanted[field]) for field in ("session", "nas", "login", "octets_in")]
    return CSV if all(there) else ""


def _header(line: bytes) -> list[str]:
    text = line.decode("ascii", errors="replace").lstrip("\ufeff?").strip()
    return [re.sub(r"[-_\s\"]", "", name).lower() for name in text.split(",")]


def notes(kind: str, lines: Iterator[bytes]) -> Iterator[Note]:
    """The messages of a file, in its order, from its lines (without their ends)."""
    return _detail_notes(lines) if kind == DETAIL else _csv_notes(lines)


def _detail_notes(lines: Iterator[bytes]) -> Iterator[Note]:
    place, begun, texts = 0, 0, list[str]()
    for line in lines:
        place += 1
        if len(line) > _MOST_LINE:
            yield Note(place, None, "line_too_long", _shown(line[:_MOST_RAW]))
            continue
        text = line.decode("utf-8", errors="backslashreplace").rstrip("\r")
        # a message ends at a blank line, and where the next begins although there is none
        if texts and (not text.strip() or not text[:1].isspace()):
            yield _detail_note(begun, texts)
            texts = []
        if text.strip():
            begun = begun if texts else place
            texts.append(text)
    if texts:
        yield _detail_note(begun, texts)


def _detail_note(place: int, texts: list[str]) -> Note:
    raw = "\n".join(texts)[:_MOST_RAW].replace("\0", "\\x00")
    found: dict[str, str] = {}
    for text in texts:
        match = _ATTRIBUTE.match(text)
        if match:
            value = match.group(2)
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[match.group(1).replace("-", "").lower()] = value[1:-1] if quoted else value
    return note_of(place, found, raw)


def _csv_notes(lines: Iterator[bytes]) -> Iterator[Note]:
    names: list[str] = []
    place = 0
    for line in lines:
        place += 1
        if not names:
            names = _header(line)
            continue
        if len(line) > _MOST_LINE:
            yield Note(place, None, "line_too_long", _shown(line[:_MOST_RAW]))
            continue
        text = line.decode("utf-8", errors="backslashreplace").rstrip("\r").replace("\0", "\\x00")
        if not text.strip():
            continue
        row = _row(text)
        if len(row) != len(names):
            yield Note(place, None, "wrong_field_count", text[:_MOST_RAW])
            continue
        yield note_of(place, dict(zip(names, (value.strip() for value in row), strict=True)), text[:_MOST_RAW])


def believed(note: Note, now_s: int) -> Note:
    """The note, set aside where its time cannot be: a clock gone wrong would keep its session open for ever."""
    if note.message is None:
        return note
    limits = policy()
    if note.message.at_s > now_s + limits.max_ahead_s:
        return Note(note.place, None, "date_in_future", note.raw)
    if note.message.at_s - note.message.seconds < now_s - limits.max_age_days * 86_400:
        return Note(note.place, None, "date_too_old", note.raw)
    return note


def _plain(text: str) -> str:
    """The text in ASCII, what is none written out: a code on every engine."""
    return text.encode("ascii", errors="backslashreplace").decode().replace("\0", "\\x00")


def _row(text: str) -> list[str]:
    """The fields of a line; none where it is no line of fields."""
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []


def note_of(place: int, found: dict[str, str], raw: str) -> Note:
    """A message out of attributes (names in lower case, without -), or the reason why it is none."""
    value = {
        field: next((found[name].strip() for name in names if found.get(name, "").strip()), "")
        for field, names in _columns().items()
    }
    status = _status(value)
    moment = _moment(value, status)
    counts = {name: _count(value[name]) for name in ("seconds", "octets_in", "octets_out", "delay")}
    words = {name: _count(value[f"gigawords_{name}"]) for name in ("in", "out")}
    login = value["login"].lower()
    reason = ""
    if status is None:
        reason = "unknown_record_type"
    elif not value["nas"]:
        reason = "no_caller"
    elif status in (SERVER_ON, SERVER_OFF):
        reason = "" if moment is not None else "bad_time"
    elif not value["session"] or not login:
        reason = "no_caller"
    elif None in counts.values() or None in words.values() or not _LOGIN.fullmatch(login):
        reason = "not_a_number"
    elif moment is None:
        reason = "bad_time"
    octets = {way: (words[way] or 0) * 2**32 + (counts[f"octets_{way}"] or 0) for way in ("in", "out")}
    if not reason and max(octets.values()) > _MOST_OCTETS:
        reason = "not_a_number"
    if reason or status is None or moment is None:
        return Note(place, None, reason, raw)
    message = Message(
        status=status,
        nas=_plain(value["nas"].lower())[:64],
        session=value["session"].replace("\0", "\\x00"),
        login=login[:64],
        at_s=moment - (counts["delay"] or 0),
        seconds=counts["seconds"] or 0,
        octets_in=octets["in"],
        octets_out=octets["out"],
        wraps=not value["gigawords_in"] and not value["gigawords_out"] and bool(value["status"]),
        cause=_cause(value["cause"]),
        address=value["address"] if _ADDRESS.fullmatch(value["address"]) else "",
    )
    return Note(place, message, "", raw)


def _status(value: dict[str, str]) -> int | None:
    """The kind of message; a session row of radacct is a stop where it has one, else an interim."""
    text = value["status"].lower()
    if text:
        return STATUS.get(text) or (int(text) if text in ("1", "2", "3", "7", "8") else None)
    if not value["start"]:
        return None
    return STOP if value["stop"] else INTERIM


def _moment(value: dict[str, str], status: int | None) -> int | None:
    """When it happened, in seconds since 1970."""
    if value["at"]:
        return _second(value["at"])
    for name in ("stop", "update"):
        if value[name]:
            return _second(value[name])
    start, seconds = _second(value["start"]), _count(value["seconds"])
    return start + seconds if start is not None and seconds is not None else None


def _second(text: str) -> int | None:
    count = _count(text.partition(".")[0])
    if text and count is not None:
        return count if 0 < count < 2**40 else None
    words = text.split()
    offset = TOWN_OFFSET_S
    if words and words[-1] in _ZONES:
        offset = _ZONES[words.pop()]
    elif len(words) == 6 and words[4] in _ZONES:
        offset = _ZONES[words.pop(4)]
    plain = " ".join(words).partition(".")[0]
    for written in _TIMES:
        try:
            moment = datetime.strptime(plain, written).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        return int(moment.timestamp()) - offset
    return None


def _count(text: str) -> int | None:
    """A whole number; 0 for nothing, None where it is none."""
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _cause(text: str) -> int | None:
    number = _count(text)
    return number if text and number is not None and number < 32_768 else _CAUSES.get(text.lower())


def _shown(line: bytes) -> str:
    return line.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00")
