"""What a database error means is told by its native code, whatever class the driver raises it in."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError, ProgrammingError

from server_api.platform.database import Database
from server_api.platform.dialects import Dialect, Trouble, dialect_for
from server_api.platform.secrets import Secrets
from shared_models.values.faults.common import DatabaseAway, DiskFull, InputNotValid, TooBusy


class _OracleError:
    """The shape of oracledb's error object."""

    def __init__(self, code: int, full_code: str = "") -> None:
        self.code = code
        self.full_code = full_code or f"ORA-{code:05d}"


class _Sqlstate(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class _Sqlite(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sqlite_errorname = name


def _odbc(state: str, number: int) -> Exception:
    driver = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"
    return Exception(state, f"[{state}] {driver}text ({number}) (SQLExecDirectW)")


def _freetds(state: str, number: int) -> Exception:
    return Exception(state, f"[{state}] [FreeTDS][SQL Server]Transaction was deadlocked ({number}) (SQLExecute)")


def _error(original: BaseException, kind: type[DBAPIError] = DatabaseError, lost: bool = False) -> DBAPIError:
    return kind("statement", {}, original, connection_invalidated=lost)


SQLSERVER = dialect_for("mssql+pyodbc://u:p@host/db?driver=ODBC+Driver+18+for+SQL+Server")
ORACLE = dialect_for("oracle+cx_oracle://u:p@host/?service_name=x")
POSTGRES = dialect_for("postgresql://u:p@host/db")
SQLITE = dialect_for("sqlite:///some/file.db")

CASES: list[tuple[Dialect, DBAPIError, Trouble]] = [
    (SQLSERVER, _error(_odbc("40001", 1205), DBAPIError), Trouble.RETRY),
    (SQLSERVER, _error(_freetds("42000", 1205), ProgrammingError), Trouble.RETRY),
    (SQLSERVER, _error(_odbc("42000", 1222)), Trouble.RETRY),
    (SQLSERVER, _error(_odbc("42000", 3960)), Trouble.RETRY),
    (SQLSERVER, _error(_odbc("23000", 2627), IntegrityError), Trouble.DUPLICATE),
    (SQLSERVER, _error(_odbc("23000", 2601), IntegrityError), Trouble.DUPLICATE),
    (SQLSERVER, _error(_odbc("23000", 547), IntegrityError), Trouble.BROKEN_RULE),
    (SQLSERVER, _error(_odbc("22001", 2628)), Trouble.TOO_LONG),
    (SQLSERVER, _error(_odbc("42000", 1105)), Trouble.FULL),
    (SQLSERVER, _error(_odbc("42000", 9002)), Trouble.FULL),
    (SQLSERVER, _error(Exception("08S01", "[08S01] Communication link failure (0)"), OperationalError), Trouble.AWAY),
    (SQLSERVER, _error(Exception("HYT00", "[HYT00] Login timeout expired (0)"), OperationalError), Trouble.AWAY),
    (SQLSERVER, _error(_odbc("28000", 18456)), Trouble.AWAY),
    (SQLSERVER, _error(_odbc("42S02", 208), ProgrammingError), Trouble.OTHER),
    (ORACLE, _error(Exception(_OracleError(60))), Trouble.RETRY),
    (ORACLE, _error(Exception(_OracleError(8177))), Trouble.RETRY),
    (ORACLE, _error(Exception(_OracleError(54))), Trouble.RETRY),
    (ORACLE, _error(Exception(_OracleError(1)), IntegrityError), Trouble.DUPLICATE),
    (ORACLE, _error(Exception(_OracleError(2291)), IntegrityError), Trouble.BROKEN_RULE),
    (ORACLE, _error(Exception(_OracleError(12899))), Trouble.TOO_LONG),
    (ORACLE, _error(Exception(_OracleError(1438)), IntegrityError), Trouble.TOO_LONG),
    (ORACLE, _error(Exception(_OracleError(1653))), Trouble.FULL),
    (ORACLE, _error(Exception(_OracleError(3113)), OperationalError), Trouble.AWAY),
    (ORACLE, _error(Exception(_OracleError(0, "DPY-4011")), lost=True), Trouble.AWAY),
    (ORACLE, _error(Exception(_OracleError(0, "DPY-6005")), OperationalError), Trouble.AWAY),
    (ORACLE, _error(Exception(_OracleError(942))), Trouble.OTHER),
    (POSTGRES, _error(_Sqlstate("40P01")), Trouble.RETRY),
    (POSTGRES, _error(_Sqlstate("40001")), Trouble.RETRY),
    (POSTGRES, _error(_Sqlstate("55P03")), Trouble.RETRY),
    (POSTGRES, _error(_Sqlstate("23505"), IntegrityError), Trouble.DUPLICATE),
    (POSTGRES, _error(_Sqlstate("23503"), IntegrityError), Trouble.BROKEN_RULE),
    (POSTGRES, _error(_Sqlstate("22001")), Trouble.TOO_LONG),
    (POSTGRES, _error(_Sqlstate("53100")), Trouble.FULL),
    (POSTGRES, _error(_Sqlstate("57P01"), OperationalError), Trouble.AWAY),
    (POSTGRES, _error(_Sqlstate("53300"), OperationalError), Trouble.AWAY),
    (POSTGRES, _error(Exception("connection refused"), OperationalError), Trouble.AWAY),
    (POSTGRES, _error(_Sqlstate("42P01"), ProgrammingError), Trouble.OTHER),
    (SQLITE, _error(_Sqlite("SQLITE_CONSTRAINT_PRIMARYKEY"), IntegrityError), Trouble.DUPLICATE),
    (SQLITE, _error(_Sqlite("SQLITE_CONSTRAINT_FOREIGNKEY"), IntegrityError), Trouble.BROKEN_RULE),
    (SQLITE, _error(_Sqlite("SQLITE_BUSY"), OperationalError), Trouble.RETRY),
    (SQLITE, _error(_Sqlite("SQLITE_FULL"), OperationalError), Trouble.FULL),
    (SQLITE, _error(_Sqlite("SQLITE_IOERR_WRITE"), OperationalError), Trouble.AWAY),
    (SQLITE, _error(_Sqlite("SQLITE_ERROR"), OperationalError), Trouble.OTHER),
]


@pytest.mark.parametrize(("dialect", "error", "meaning"), CASES,
                         ids=[f"{case[0].name}-{case[2].name}-{number}" for number, case in enumerate(CASES)])
def test_meaning(dialect: Dialect, error: DBAPIError, meaning: Trouble) -> None:
    assert dialect.classify(error) is meaning


@pytest.mark.parametrize(("code", "fault"), [
    ("SQLITE_BUSY", TooBusy), ("SQLITE_FULL", DiskFull), ("SQLITE_CANTOPEN", DatabaseAway),
    ("SQLITE_TOOBIG", InputNotValid),
])
def test_each_trouble_is_a_fault_people_understand(code: str, fault: type[Exception], tmp_path: object) -> None:
    database = Database("billing", f"sqlite:///{tmp_path}/x.db", secrets=Secrets(bytes(32)))
    try:
        assert type(database.fault_of(_error(_Sqlite(code)))) is fault
        assert database.fault_of(_error(_Sqlite("SQLITE_ERROR"))) is None
    finally:
        database.close()


def test_every_engine_is_reached_by_its_url_alone() -> None:
    freetds = dialect_for("mssql+pyodbc://u:p@host/db?driver=FreeTDS&port=1433&TDS_Version=7.4&ClientCharset=UTF-8")
    assert freetds.name == "mssql"
    assert ORACLE.url.drivername == "oracle+oracledb"
    assert dialect_for("oracle+cx_Oracle://u:p@h/?service_name=x").url.drivername == "oracle+oracledb"
    assert dialect_for("oracle://u:p@h/?service_name=x").url.drivername == "oracle+oracledb"
    assert dialect_for("mssql://u:p@h/db?driver=FreeTDS").url.drivername == "mssql+pyodbc"
    with pytest.raises(ValueError, match="no such database engine: mysql"):
        dialect_for("mysql://u:p@h/db")


def test_engines_are_made_with_what_each_needs() -> None:
    sqlserver = SQLSERVER.new_engine("tests", 3)
    assert sqlserver.dialect.fast_executemany is True  # type: ignore[attr-defined]
    assert sqlserver.pool.size() == 3  # type: ignore[attr-defined]
    import pyodbc

    assert pyodbc.pooling is False
    oracle = dialect_for("oracle+cx_oracle://u:p@host/?service_name=x&thick=").new_engine("tests", 2)
    assert oracle.dialect._use_nchar_for_unicode  # type: ignore[attr-defined]
    for engine in (sqlserver, oracle):
        engine.dispose()


@pytest.mark.parametrize(("text", "pattern"), [
    ("张", "张%"), ("50%", "50\\%%"), ("a_b", "a\\_b%"), ("a[b]", "a\\[b]%"), ("c\\d", "c\\\\d%"),
])
def test_prefix_patterns_escape_what_some_engine_takes_for_a_wildcard(text: str, pattern: str) -> None:
    assert SQLSERVER.like_prefix(text) == pattern
