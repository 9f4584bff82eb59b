"""The period a call is billed in for accounts whose month does not begin on the first. Pure.

Nearly all accounts have no billing day of their own; where none has, nothing here costs anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from server_api.billing.usage.formats.reasons import TOWN_OFFSET_S
from shared_models.values.period import cycle_label

Ints = npt.NDArray[np.int64]
BillingDays = tuple[tuple[int, int], ...]
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
_DAYS_SPAN = 1 << 24


class Cycles:
    """Billing days (from month, day) of the accounts that have one, by their places in the list of all accounts."""

    def __init__(self, days: Mapping[str, BillingDays], accounts: Sequence[str]) -> None:
        self._days = {place: days[name] for place, name in enumerate(accounts) if name in days} if days else {}
        self._own = np.zeros(len(accounts), np.bool_)
        self._own[list(self._days)] = True

    def periods(self, accounts: npt.NDArray[np.uint32], start_s: Ints, months: Ints) -> Ints:
        """The month (yyyymm) whose cycle each call lies in; ``months`` are those of the calendar."""
        if not self._days:
            return months
        places = np.flatnonzero(self._own[accounts])
        if not len(places):
            return months
        day = (start_s[places] + TOWN_OFFSET_S) // _DAY_S
        found, which = np.unique(accounts[places].astype(np.int64) * _DAYS_SPAN + day, return_inverse=True)
        labels = [_label(self._days[key // _DAYS_SPAN], key % _DAYS_SPAN) for key in found.tolist()]
        billed = months.copy()
        billed[places] = np.array(labels, months.dtype)[which]
        return billed


@lru_cache(maxsize=65_536)
def _label(days: BillingDays, day_number: int) -> int:
    return cycle_label(_EPOCH + timedelta(days=day_number), days)
