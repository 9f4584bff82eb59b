"""The period a call is billed in for accounts whose month does not begin on the first. Pure.

Nearly all accounts have no billing day of their own; where none has, nothing here costs anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from server_api.billing.usage.formats.reasons import TOWN_OFFSET_S
from shared_models.values.period import Month, closing_day, cycle_label

Ints = npt.NDArray[np.int64]
BillingDays = tuple[tuple[int, int], ...]
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
_DAYS_SPAN = 1 << 24


class Cycles:
    """Billing days (from month, day) of the accounts that have one, by their places in the list of all accounts."""

    def __init__(
        self, days: Mapping[str, BillingDays], accounts: Sequence[str], shut: Collection[int] = frozenset()
    ) -> None:
        self._by_name, self._shut = days, shut
        self._days = {place: days[name] for place, name in enumerate(accounts) if name in days} if days else {}
        self._own = np.zeros(len(accounts), np.bool_)
        self._own[list(self._days)] = True

    def periods(self, accounts: npt.NDArray[np.uint32], start_s: Ints, months: Ints) -> Ints:
        """The month (yyyymm) each call is billed in by its account's billing day, **below zero**; else ``months``.

        ``months`` are those of the calendar. Below zero tells that billed cycles are left behind already.
        """
        if not self._days:
            return months
        places = np.flatnonzero(self._own[accounts])
        if not len(places):
            return months
        day = (start_s[places] + TOWN_OFFSET_S) // _DAY_S
        found, which = np.unique(accounts[places].astype(np.int64) * _DAYS_SPAN + day, return_inverse=True)
        labels = []
        for key in found.tolist():
            days = self._days[key // _DAYS_SPAN]
            labels.append(-first_open(_label(days, key % _DAYS_SPAN), days, self._shut))
        billed = months.copy()
        billed[places] = np.array(labels, months.dtype)[which]
        return billed

    def again(self, month: int, account_id: str, shut: Collection[int]) -> int | None:
        """Where usage stored under a month belongs by now; None for an account without a day of its own."""
        days = self._by_name.get(account_id)
        return None if days is None else first_open(month, days, shut)


def first_open(month: int, days: BillingDays, shut: Collection[int]) -> int:
    """The first month (yyyymm) from this one on whose cycle is not billed yet. See ``cycle_key``."""
    while cycle_key(month, closing_day(month, days)) in shut:
        month = Month(month).next().yyyymm
    return month


def cycle_key(month: int, day: int) -> int:
    """The cycles of a month that end on a billing day, as a number; the month itself for those of the calendar."""
    return month if day == 1 else month * 100 + day


@lru_cache(maxsize=65_536)
def _label(days: BillingDays, day_number: int) -> int:
    return cycle_label(_EPOCH + timedelta(days=day_number), days)
