"""Shadow compile: every statement the tests execute is compiled for SQL Server 2019 and Oracle 19c as well.

Neither server is at hand where most tests run, and most portability mistakes pass on SQLite and PostgreSQL. Each
executed statement on our tables is held against the rules of portable SQL; one that breaks a rule fails the test that
executed it. Statements are judged once per shape; lengths of IN lists and empty texts each time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Engine, Table, event
from sqlalchemy.exc import CompileError
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseElement, ColumnElement
from sqlalchemy.sql.selectable import CompoundSelect, Select
from sqlalchemy.types import Text, TypeDecorator, UnicodeText

from shared_models.migrations.options import offline_dialect
from shared_models.tables.billing import billing_metadata
from shared_models.tables.business import business_metadata

MOST_IN_LIST = 900
MOST_PARAMETERS = 2_099
ENGINES = ("mssql", "oracle")
_OURS = (business_metadata, billing_metadata)

#: (engine or '*', pattern in the compiled text with literals taken out, what is wrong)
_RULES: tuple[tuple[str, str, str], ...] = (
    ("*", r"\bIS (NOT )?([01]\b|:)", "IS 1 is no SQL there: compare flags with =="),
    ("mssql", r"(?<!AS )\[\w+\]", "a reserved or mixed-case name"),
    ("oracle", r'(?<!AS )"[^"]+"', "a reserved or mixed-case name"),
    ("*", r"\bBOOLEAN\b", "there is no BOOLEAN"),
    ("mssql", r"SELECT (?:[^()]*, )?(?:NOT )?\(?EXISTS \(", "EXISTS cannot be selected: use case()"),
    ("mssql", r"\(\w+\.\w+, [^()]*\) (NOT )?IN \(", "no tuples in IN"),
    ("mssql", r"\bNULLS (FIRST|LAST)\b", "no NULLS FIRST/LAST"),
    ("mssql", r"\b(greatest|least|substr|lpad|rpad|strftime|date_trunc|to_char|regexp\w*)\(", "no such function"),
    ("*", r"\b(now|CURRENT_TIMESTAMP|SYSDATE|SYSTIMESTAMP|getdate)\b\(?", "the time comes from the application"),
    ("*", r"\bavg\((?!CAST)", "the average of integers is an integer on SQL Server: cast"),
    ("oracle", r"\|\|(?![^|]* ESCAPE)", "concatenate in Python (NULL behaves differently)"),
    ("oracle", r"FETCH FIRST.*FOR UPDATE|ROWNUM.*FOR UPDATE", "ORA-02014: no limit together with FOR UPDATE"),
    ("*", r"GROUP BY (?:(?!ORDER BY|HAVING|FETCH|OFFSET|UNION)[^)])*:\w+", "no bind parameter inside GROUP BY"),
    ("*", r"\bON CONFLICT\b|\bREPLACE INTO\b", "no upsert: update, then insert"),
)
_COMPILED_RULES = tuple(
    (engine, re.compile(pattern, re.IGNORECASE | re.DOTALL), wrong) for engine, pattern, wrong in _RULES)
_LATER = re.compile(r"__\[POSTCOMPILE_\w+\]")
_LITERAL = re.compile(r"'(?:[^']|'')*'")


class Shadow:
    """Judges statements and keeps what is wrong until the test that executed them ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._judged: dict[Any, bool] = {}
        self._wrong: list[str] = []

    def take(self) -> list[str]:
        """What has been wrong since the last call."""
        with self._lock:
            wrong, self._wrong = self._wrong, []
        return wrong

    def look(self, _connection: Any, statement: Any, multiparams: Any, params: Any, _options: Any) -> None:
        """Called before each execution."""
        if not isinstance(statement, ClauseElement) or not statement.supports_execution:
            return
        key = statement._generate_cache_key()
        shape = repr(statement) if key is None else key.key
        with self._lock:
            ours = self._judged.get(shape)
        wrong: list[str] = []
        if ours is None:
            ours = _is_ours(statement)  # the engines' own catalogues are read in their own ways
            if ours:
                wrong += judge(statement, _insert_names(multiparams, params))
            with self._lock:
                self._judged[shape] = ours
        if ours and key is not None:
            wrong += _wrong_values(statement, key.bindparams)
        if wrong:
            with self._lock:
                shown = " ".join(str(statement).split())[:600]
                self._wrong += [f"{line}\n    {shown}" for line in dict.fromkeys(wrong)]


def _insert_names(multiparams: Any, params: Any) -> tuple[str, ...] | None:
    first = multiparams[0] if multiparams else params
    return tuple(first) if isinstance(first, dict) and first else None


def _is_ours(statement: ClauseElement) -> bool:
    return any(isinstance(part, Table) and part.metadata in _OURS for part in visitors.iterate(statement))


@cache
def _dialect(engine: str) -> Any:
    return offline_dialect(engine)


def judge(statement: Any, column_keys: tuple[str, ...] | None = None) -> list[str]:
    """What is wrong with a statement on either engine, in words; empty when it will do."""
    wrong = [*_structure(statement)]
    for engine in ENGINES:
        try:
            keys = column_keys if getattr(statement, "is_dml", False) else None
            compiled = statement.compile(dialect=_dialect(engine), column_keys=keys)
        except (CompileError, NotImplementedError) as error:
            wrong.append(f"{engine}: does not compile: {error}")
            continue
        text = _LATER.sub(":listed", _LITERAL.sub("''", str(compiled)))
        wrong += [f"{engine}: {what}" for name, pattern, what in _COMPILED_RULES
                  if name in ("*", engine) and pattern.search(text)]
        if engine == "mssql" and getattr(statement, "_for_update_arg", None) is not None and "UPDLOCK" not in text:
            wrong.append("mssql: FOR UPDATE vanished: use UnitOfWork.lock or Dialect.lock")
    return wrong


def _structure(statement: Any) -> Iterator[str]:
    """What can be told from the statement itself."""
    for part in visitors.iterate(statement):
        if isinstance(part, Select):
            limits = (part._limit_clause, part._offset_clause, part._fetch_clause)
            if any(limit is not None for limit in limits) and not part._order_by_clauses:
                yield "a limit needs an order_by"
            if part._distinct and any(_is_lob(column) for column in part.selected_columns):
                yield "oracle: DISTINCT over a long text"
            for column in (*part._order_by_clauses, *part._group_by_clauses):
                if _is_lob(column):
                    yield "oracle: sorting or grouping by a long text"
        elif isinstance(part, CompoundSelect):
            if part.keyword.name != "UNION_ALL" and any(_is_lob(column) for column in part.selected_columns):
                yield "oracle: UNION over a long text"
        elif isinstance(part, BinaryExpression) and part.operator not in (operators.is_, operators.is_not):
            if getattr(part, "_is_assignment", False):
                continue
            if _is_lob(part.left) or (_is_lob(part.right) and not isinstance(part.right, BindParameter)):
                yield "oracle: comparing a long text"


def _is_lob(element: Any) -> bool:
    if not isinstance(element, ColumnElement):
        return False
    kind = element.type.impl if isinstance(element.type, TypeDecorator) else element.type
    return isinstance(kind, UnicodeText) or type(kind) is Text


def _wrong_values(statement: Any, parameters: list[BindParameter[Any]]) -> list[str]:
    wrong = []
    count = 0
    for parameter in parameters:
        value = parameter.value
        if parameter.expanding and isinstance(value, (list, tuple, set, frozenset)):
            count += len(value)
            if len(value) > MOST_IN_LIST:
                wrong.append(f"an IN list of {len(value)} (Oracle takes 1,000, SQL Server 2,100 parameters): chunk it")
        else:
            count += 1
            if value == "" and isinstance(value, str) and getattr(statement, "is_select", False):
                wrong.append("a comparison with the empty text, which is NULL")
    if count > MOST_PARAMETERS:
        wrong.append(f"{count} parameters (SQL Server takes 2,100)")
    return wrong


SHADOW = Shadow()


def pytest_configure() -> None:
    event.listen(Engine, "before_execute", SHADOW.look)


@pytest.fixture(autouse=True)
def shadow_compiled() -> Iterator[None]:
    """Fail the test that executed a statement SQL Server 2019 or Oracle 19c would refuse or misunderstand."""
    SHADOW.take()
    yield
    wrong = SHADOW.take()
    if wrong:
        pytest.fail("not portable SQL:\n  " + "\n  ".join(wrong), pytrace=False)
