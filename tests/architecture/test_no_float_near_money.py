"""No float where money, usage or prices are worked with: no float literal, no float(), no true division.

Prevents: the fen that appears or vanishes in the twelfth digit, found by a customer and never by a test with round
numbers. Times and ratios that never become money live in files outside these, or name themselves below.
"""

from __future__ import annotations

import ast
import re

from tests.support.source import SourceFile, planted, source_files

#: Where money is worked with (made-up calls, a page's millimetres and a plot's points are not).
NEAR_MONEY = re.compile(
    r"shared_models/values/(money|quantity|rounding|price|rmb|ledger).*"
    r"|server_api/billing/(?!usage/samples|bill/paper/|rating/preview_plot).*"
    r"|shared_models/contracts/(account|bill|cashdesk|ledger|payment|rating|receipt|catalog).*"
    r"|shared_models/tables/billing/.*"
    r"|server_api/business/catalog/.*"
    r"|desktop_client/.*/presenter\.py"
)
#: A duration in seconds, a share for a progress bar, a layout on paper: never money. Names say so by their unit.
NEVER_MONEY = re.compile(r".*(_s|_ms|_seconds|timeout|_mm|_pt|ratio|progress|fraction)$", re.IGNORECASE)


#: A statement that measures time: the size of the next turn follows from how long the last one took.
MEASURES_TIME = re.compile(r"\b(seconds|elapsed\w*|since|\w*pace\w*|\w*_turn\w*|monotonic|\w+_[sS])\b")


def floats(file: SourceFile) -> list[str]:
    allowed = _allowed(file.tree)
    found = []
    for node in ast.walk(file.tree):
        if id(node) in allowed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{file.at(node)}: float literal {node.value}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            found.append(f"{file.at(node)}: float()")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _is_path(node):
            found.append(f"{file.at(node)}: true division")
    return found


def _is_path(node: ast.BinOp) -> bool:
    """``folder / "file"`` is not arithmetic: one side is text, or a name that says it is a place."""
    sides = [node.left, node.right]
    if any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    ):
        return True
    names = re.compile(r"(folder|path|file|root|name|FOLDER|ROOT)", re.IGNORECASE)
    return any(names.search(ast.unparse(side)) for side in sides)


def _allowed(tree: ast.Module) -> set[int]:
    """Everything inside an assignment or argument whose name says that it is not money."""
    allowed: set[int] = set()
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr):
            if MEASURES_TIME.search(ast.unparse(node)):
                allowed.update(id(inner) for inner in ast.walk(node))
        if isinstance(node, ast.If) and MEASURES_TIME.search(ast.unparse(node.test)):
            allowed.update(id(inner) for inner in ast.walk(node.test))
        if isinstance(node, ast.Assign):
            names = [ast.unparse(target) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            names = [ast.unparse(node.target)]
        elif isinstance(node, ast.keyword | ast.arg):
            names = [node.arg or ""]
        elif isinstance(node, ast.Call):
            # time.sleep(0.05), lock.acquire(timeout): waiting, not counting.
            names = ["wait_s"] if ast.unparse(node.func).rpartition(".")[2] in ("sleep", "wait", "uniform") else []
        elif isinstance(node, ast.FunctionDef):
            names = []
            for argument, default in zip(reversed(node.args.args), reversed(node.args.defaults), strict=False):
                if NEVER_MONEY.match(argument.arg):
                    allowed.update(id(inner) for inner in ast.walk(default))
            for argument, maybe in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
                if maybe is not None and NEVER_MONEY.match(argument.arg):
                    allowed.update(id(inner) for inner in ast.walk(maybe))
            if NEVER_MONEY.match(node.name):
                names = [node.name]
        if any(NEVER_MONEY.match(name) for name in names):
            allowed.update(id(inner) for inner in ast.walk(node))
    return allowed


def test_no_float_near_money() -> None:
    files = [file for file in source_files() if NEAR_MONEY.fullmatch(file.path)]
    assert len(files) >= 10, "the rule looks at nothing: has the layout changed?"
    assert [line for file in files for line in floats(file)] == []


def test_the_rule_bites() -> None:
    assert len(floats(planted("x.py", "tax = gross * 0.06"))) == 1
    assert len(floats(planted("x.py", "net = gross / 106"))) == 1
    assert len(floats(planted("x.py", "net = float(gross)"))) == 1
    assert floats(planted("x.py", "timeout_s = 0.5\npath = folder / 'a.txt'\nnet = gross // 106")) == []
