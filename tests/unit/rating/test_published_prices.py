"""The shipped tariffs give what the published price lists say. Worked by hand, readable by a billing clerk."""

from __future__ import annotations

from pathlib import Path

import pytest

from server_api.billing.rating.offline import explained, rate_file
from server_api.billing.rating.service import sample_tariffs
from server_api.billing.rating.tariff.model import Tariff

HEADER = "seq,caller,called,start,end,duration_s,in_trunk,out_trunk,call_type,charged_party,free"
SESSION_HEADER = "session,login,start,duration_s,octets_in,octets_out,address"


def tariff(code: str) -> list[Tariff]:
    return [one for one in sample_tariffs() if one.code == code]


#        called          start                 seconds  yuan     why
CALLS = """
3962001         2026-10-05 10:00:00        1   0.22     a first block of three minutes
3962001         2026-10-05 10:00:00      180   0.22     exactly three minutes
3962001         2026-10-05 10:00:00      181   0.33     one second more is another minute
3962001         2026-10-05 10:00:00      240   0.33     four minutes
3962001         2026-10-05 10:00:00      241   0.44     four minutes and a second
3962001         2026-10-05 10:00:00     3600   6.49     0.22 + 57 minutes at 0.11
09373962001     2026-10-05 10:00:00      181   0.33     the same with the town's own area code
02164851234     2026-10-05 10:00:00        1   0.07     Shanghai, one block of six seconds
02164851234     2026-10-05 10:00:00        6   0.07     a whole block
02164851234     2026-10-05 10:00:00        7   0.14     and one second
02164851234     2026-10-05 10:00:00       60   0.70     a minute by day
02164851234     2026-10-05 03:00:00       60   0.40     a minute by night
02164851234     2026-10-05 06:59:30       60   0.55     five blocks by night, five by day
02164851234     2026-10-05 06:59:57        9   0.11     the block begun by night costs the night price
02164851234     2026-10-05 23:59:30       60   0.55     five by day, five after midnight
13800138000     2026-10-05 10:00:00       60   0.70     a mobile number of another town is long distance
0085223456789   2026-10-05 10:00:00       60   2.00     Hong Kong
0085362345678   2026-10-05 10:00:00        6   0.20     Macao
00886223456789  2026-10-05 10:00:00       12   0.40     Taiwan
0081312345678   2026-10-05 10:00:00       60   8.00     Japan
0012125550123   2026-10-05 03:00:00        7   1.60     New York; no night price abroad
8008101234      2026-10-05 10:00:00      600   0.00     toll-free
110             2026-10-05 10:00:00       60   0.00     the police
"""


@pytest.mark.parametrize("line", CALLS.strip().splitlines())
def test_fixed_line_prices(line: str, tmp_path: Path) -> None:
    called, on, at, seconds, yuan = line.split()[:5]
    hours, minutes, secs = (int(part) for part in at.split(":"))
    from datetime import datetime, timedelta

    begin = datetime.fromisoformat(f"{on} {at}")
    end = begin + timedelta(seconds=int(seconds))
    assert (begin.hour, begin.minute, begin.second) == (hours, minutes, secs)
    file = tmp_path / "calls.csv"
    file.write_text(f"{HEADER}\n1,09373961234,{called},{begin},{end},{seconds},0,0,3,1,0\n", encoding="ascii")
    charged, tables, totals = rate_file(file, tariff("VOICE-STD"))
    assert totals.rated_count == 1, totals
    assert f"{totals.charge}" == yuan
    (call,) = explained(charged, tables, "en")
    assert sum(step["amount_micro_yuan"] for step in call["steps"]) == totals.charge_micro_yuan


def test_three_hundred_minutes_included(tmp_path: Path) -> None:
    """By the begun minute: 299 minutes are gone after the first call, the second has one left and pays for two."""
    file = tmp_path / "calls.csv"
    file.write_text(
        f"{HEADER}\n"
        "1,3961234,3962001,2026-10-05 10:00:00,2026-10-05 14:58:30,17910,0,0,3,1,0\n"
        "2,3961234,3962001,2026-10-05 16:00:00,2026-10-05 16:02:30,150,0,0,3,1,0\n"
        "3,3961234,02164851234,2026-10-05 17:00:00,2026-10-05 17:00:06,6,0,0,5,1,0\n"
        "4,3961235,3962001,2026-10-05 17:00:00,2026-10-05 17:01:00,60,0,0,3,1,0\n",
        encoding="ascii",
    )
    charged, tables, totals = rate_file(file, [*tariff("VOICE-PKG300"), *tariff("VOICE-STD")])
    calls = list(explained(charged, tables, "en"))
    assert [call["covered"] for call in calls] == [17_910, 60, 0, 60]
    assert [call["charge_micro_yuan"] for call in calls] == [0, 220_000, 70_000, 0]
    assert totals.charge_micro_yuan == 290_000
    assert calls[1]["text"] == "1 min included (local-300), 0 s left + first 3 min 0.22 = 0.22 yuan"
    assert (
        list(explained(charged, tables, "zh_CN"))[1]["text"]
        == "赠送量内 1 分钟（local-300），剩余 0 秒 ＋ 首 3 分钟 0.22 ＝ 0.22 元"
    )


SESSIONS = """
BB-FLAT     3600     1000            0.00      monthly offer
BB-HOUR     144000   0               0.00      forty hours are included
BB-HOUR     147600   0               1.20      the forty-first costs 1.20
BB-HOUR     144001   0               0.02      a begun minute
BB-VOLUME   60       10737418240     0.00      ten gigabytes are included
BB-VOLUME   60       10737418241     0.004882  a begun megabyte, floored once to a micro-yuan
BB-VOLUME   60       11811160064     5.00      an eleventh gigabyte
"""


@pytest.mark.parametrize("line", SESSIONS.strip().splitlines())
def test_broadband_prices(line: str, tmp_path: Path) -> None:
    code, seconds, octets, yuan = line.split()[:4]
    file = tmp_path / "sessions.csv"
    file.write_text(f"{SESSION_HEADER}\ns1,bb1,2026-10-05 10:00:00,{seconds},{octets},0,10.0.0.1\n", encoding="ascii")
    _charged, _tables, totals = rate_file(file, tariff(code))
    assert totals.rated_count == 1, totals
    assert f"{totals.charge}" == yuan
