"""A service function is one act: ``uow`` first, at most one plain argument after it, no transaction of its own.

Prevents: two amounts handed over in the wrong order, and an act that quietly becomes two transactions.
"""

from __future__ import annotations

import re

from tests.support.source import SourceFile, planted, source_files

SERVICE = re.compile(r"server_api/(business|billing)/.*/service(\.py|/.*\.py)")


def misshapen(file: SourceFile) -> list[str]:
    found = []
    tops = {id(node) for node in file.tree.body}
    for function in file.functions():
        if id(function) not in tops or function.name.startswith("_"):
            continue
        names = [argument.arg for argument in function.args.posonlyargs + function.args.args]
        if "uow" in names[1:]:
            found.append(f"{file.at(function)} {function.name}: uow comes first")
        elif names[:1] == ["uow"] and len(names) > 2:
            found.append(f"{file.at(function)} {function.name}: {', '.join(names[2:])} by keyword only, please")
    found += [f"{file.at(call)}: a service does not start acts" for call in file.calls("perform")]
    return found


def test_services_are_acts() -> None:
    files = [file for file in source_files("server_api") if SERVICE.fullmatch(file.path)]
    assert [line for file in files for line in misshapen(file)] == []


def test_the_rule_bites() -> None:
    assert misshapen(planted("x.py", "def take_payment(uow, account_id, amount): ..."))
    assert misshapen(planted("x.py", "def take_payment(amount, uow): ..."))
    assert not misshapen(planted("x.py", "def take_payment(uow, *, amount): ..."))
