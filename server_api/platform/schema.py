"""The schema of both databases by Alembic: one history per database, one environment for both.

``create`` is ``upgrade`` from nothing. Steps can be run again where the engine commits DDL by itself (Oracle).
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, select

from server_api.platform.database import Database, Role
from server_api.platform.revision import FOLDER, current, head, is_current
from shared_models.migrations.options import compare_options

__all__ = ["current", "differences", "head", "is_current", "new_revision", "offline_sql", "stamp", "upgrade"]


def _config(role: Role, output: io.StringIO | None = None, **attributes: Any) -> Config:
    config = Config(output_buffer=output, stdout=io.StringIO()) if output else Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("version_locations", str(FOLDER / role))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(role=role, **attributes)
    return config


def upgrade(database: Database, to: str = "head") -> tuple[str, str]:
    """Bring the schema to the newest revision and say who this side is; returns (from, to). Nothing to do is fine."""
    before = current(database)
    with database.faults_translated(), database.engine.begin() as connection:
        command.upgrade(_config(database.role, connection=connection), to)
        _introduce(database, connection)
    return before, current(database)


def stamp(database: Database) -> None:
    """Create every table from the models and say that they are current: for measurements and trials."""
    database.create_all()
    with database.faults_translated(), database.engine.begin() as connection:
        command.stamp(_config(database.role, connection=connection), "head")
        _introduce(database, connection)


def _introduce(database: Database, connection: Connection) -> None:
    """The side's own row: its role and its first epoch."""
    side = database.platform.side
    if connection.execute(select(side.c.epoch).where(side.c.role == database.role)).one_or_none() is None:
        connection.execute(insert(side).values(role=database.role, epoch=1, epoch_since=database.clock.now()))


def differences(database: Database) -> list[str]:
    """How the database differs from the models, in words; empty when they are equal."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts=compare_options(database.metadata))
        return [_in_words(difference) for difference in compare_metadata(context, database.metadata)]


def _in_words(difference: Any) -> str:
    """``add_table payment``, ``modify_type payment.amount_fen BIGINT -> INTEGER`` and the like."""
    if isinstance(difference, list):
        return "; ".join(_in_words(part) for part in difference)
    words = [str(difference[0])]
    for part in difference[1:]:
        if isinstance(part, dict) or part is None:
            continue
        words.append(str(getattr(part, "name", None) or part))
    return " ".join(words)


def new_revision(database: Database, message: str, *, initial: bool = False) -> list[Path]:
    """Write a revision from what models and database differ in (development); ``initial`` replaces the history."""
    folder = FOLDER / database.role
    if initial:
        for old in folder.glob("*.py"):
            if old.name != "__init__.py":
                old.unlink()
    with database.engine.connect() as connection:
        config = _config(database.role, connection=connection, initial=initial)
        rev_id = f"{len(list(folder.glob('0*.py'))) + 1:04d}"
        made = command.revision(config, message, autogenerate=True, rev_id=rev_id, version_path=str(folder))
    scripts = made if isinstance(made, list) else [made]
    paths = [Path(script.path) for script in scripts if script is not None]
    for path in paths:
        _formatted(path, _A_STEP_A_LINE)
        path.write_text(_repeatable(path.read_text(encoding="utf-8")), encoding="utf-8")
        _formatted(path)
    return paths


#: So wide that no step is broken over lines while steps are replaced line by line.
_A_STEP_A_LINE = 320


def _formatted(path: Path, width: int = 120) -> None:
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--line-length", str(width), str(path)]
    subprocess.run(command, check=True)


_CREATE_INDEX = re.compile(r'^        batch_op\.create_index\((?:batch_op\.f\()?("\w+")\)?,')
_ADD_COLUMN = re.compile(r"^        batch_op\.add_column\(")


def _repeatable(text: str) -> str:
    """A revision as Alembic wrote it, its steps replaced by ours, which can be run again."""
    for verb in ("create_table", "create_index"):
        text = text.replace(f"    op.{verb}(", f"    steps.{verb}(")
    lines: list[str] = []
    table = ""
    for line in text.splitlines():
        if (begin := re.match(r'    with op\.batch_alter_table\("(\w+)"', line)) is not None:
            table = begin[1]
            continue
        line = _CREATE_INDEX.sub(rf'    steps.create_index(\1, "{table}",', line)
        lines.append(_ADD_COLUMN.sub(f'    steps.add_column("{table}", ', line))
    text = "\n".join(lines) + "\n"
    return text if re.search(r"\bop\.", text) else text.replace("from alembic import op\n", "")


def offline_sql(role: Role, engine_name: str) -> str:
    """The whole history as an SQL script for ``mssql`` or ``oracle`` (for a DBA to read and run)."""
    output = io.StringIO()
    command.upgrade(_config(role, output, engine_name=engine_name), "head", sql=True)
    return output.getvalue()
