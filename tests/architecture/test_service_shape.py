"""A service function is one act: no two plain arguments of one kind, no act inside an act.

Prevents: two amounts handed over in the wrong order, and an act that quietly becomes two transactions.
"""

from __future__ import annotations

import ast
import re

from tests.support.source import SourceFile, called_name, planted, source_files

SERVICE = re.compile(r"server_api/(business|billing)/.*/service(\.py|/.*\.py)")


def misshapen(file: SourceFile) -> list[str]:
    found = []
    tops = {id(node) for node in file.tree.body}
    for function in file.functions():
        if id(function) not in tops or function.name.startswith("_"):
            continue
        arguments = function.args.posonlyargs + function.args.args
        if not arguments or arguments[0].arg != "uow":
            continue
        kinds = [ast.unparse(argument.annotation) for argument in arguments[1:] if argument.annotation]
        alike = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if alike or len(arguments) > 4:
            found.append(f"{file.at(function)} {function.name}: by keyword only, please ({', '.join(alike) or 'many'})")
        found += [f"{file.at(call)}: an act does not start acts" for call in _calls(function, "perform")]
    return found


def _calls(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call) and called_name(node) == name]


def test_services_are_acts() -> None:
    files = [file for file in source_files("server_api") if SERVICE.fullmatch(file.path)]
    assert [line for file in files for line in misshapen(file)] == []


def test_the_rule_bites() -> None:
    assert misshapen(planted("x.py", "def take_payment(uow, account_id: str, receipt_no: str): ..."))
    assert misshapen(planted("x.py", "def take_payment(uow): perform(database, act, work)"))
    assert not misshapen(planted("x.py", "def take_payment(uow, *, amount): ..."))
