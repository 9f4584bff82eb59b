"""Why a record is set aside, and the town's clock: plain values, for those who must not load the decoders."""

from __future__ import annotations

from datetime import datetime, timezone

#: Town time is UTC + 8 h; China has had no summer time since 1991, and older usage is refused.
TOWN_OFFSET_S = 28_800

#: Reasons by number, the order in which a record is tested. 0 is none.
REASONS: tuple[str, ...] = (
    "",
    "cut_short",  # the file or block ends inside the record
    "bad_block_head",  # a block says it is longer than a block
    "unknown_record_type",  # no record of that type has a known length
    "not_a_call",  # meter readings and service records: kept, never priced
    "wrong_field_count",  # a line with fewer or more fields than the layout
    "not_a_number",  # letters or foreign bytes where digits belong
    "number_too_long",  # more than 18 digits
    "no_caller",  # nobody to charge
    "no_called",  # a call to nowhere
    "bad_time",  # no such day or hour
    "times_disagree",  # start + duration is not the end
    "date_too_old",
    "date_in_future",
    "marked_invalid",  # the exchange itself says so
    "zero_duration",  # attempts: nothing was used
    "too_long",  # longer than anybody talks
    "not_retail",  # transit and incoming trunk records: statistics, not a subscriber's charge
    "open_partial",  # a part of a long call whose other parts are missing
    "no_owner",  # the number belongs to nobody at that time
    "no_tariff",  # the owner's offering names no tariff valid then
    "no_price",  # the tariff has no price for that destination
    "no_account",  # nobody pays for the owner at that time
    "awaiting_parts",  # a part of a long call; the others may come with the next files
    "line_too_long",  # more bytes in a line than any record has
)
REASON_NO = {name: number for number, name in enumerate(REASONS)}

#: Records that say something of the traffic although no subscriber is charged for them.
TRAFFIC_REASONS = ("not_retail", "zero_duration")


def town_moment(start_s: int | None) -> str:
    """An instant in seconds as the town writes it; '' for none."""
    if start_s is None:
        return ""
    try:
        moment = datetime.fromtimestamp(start_s + TOWN_OFFSET_S, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
