"""What gives wrong or shifting totals on one of the rating engines is not used.

Prevents: a window without a total order (two runs gave two totals), integers divided as floats on Spark, Decimal that
loses exactness there, and calls Spark lacks.
"""

from __future__ import annotations

import ast

from tests.support.source import SourceFile, planted, source_files

LACKING = ("join_asof", "cum_count", "rolling_sum", "rolling_mean")


def traps(file: SourceFile) -> list[str]:
    found = [f"{file.at(call)}: {name} is not on Spark" for name in LACKING for call in file.calls(name)]
    for call in file.calls("over"):
        inner = ast.unparse(call.func)
        ordered = any(keyword.arg == "order_by" for keyword in call.keywords)
        if not ordered and any(word in inner for word in ("cum_", "shift(", "rank(", "diff(")):
            found.append(f"{file.at(call)}: a running window without order_by")
    for module, name, node in file.imports():
        if module == "decimal" or name == "Decimal":
            found.append(f"{file.at(node)}: Decimal")
    return found


def test_no_traps_in_rating() -> None:
    assert [line for file in source_files("server_api/billing") for line in traps(file)] == []


def test_the_rule_bites() -> None:
    assert traps(planted("x.py", "nw.col('a').cum_sum().over('owner')"))
    assert traps(planted("x.py", "from decimal import Decimal"))
    assert not traps(planted("x.py", "nw.col('a').cum_sum().over('owner', order_by=['b'])"))
