"""The data keys in both databases: made at installation, rotated and put in escrow by ``onehall keys``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError

from server_api.platform.database import Database, Databases
from server_api.platform.dialects import Trouble
from server_api.platform.secrets import read_key_file, unwrap, wrap, write_key_file
from shared_models.values.faults.common import DatabaseAway

_KEY_BYTES = 32


def load_keys(databases: Databases, wrapping_key: bytes) -> dict[int, bytes]:
    """The data keys either side holds; empty where none were made yet. Raises DatabaseAway when neither answers."""
    wrapped: dict[int, str] = {}
    away: list[DatabaseAway] = []
    for database in (databases.business, databases.billing):
        try:
            wrapped = {**_read(database), **wrapped}
        except DatabaseAway as fault:
            away.append(fault)
    if len(away) == 2:
        raise away[0]
    return {number: unwrap(wrapping_key, number, text) for number, text in sorted(wrapped.items())}


def ensure_keys(databases: Databases, wrapping_key: bytes) -> Mapping[int, bytes]:
    """The data keys, the first one made and both sides completed where needed. Raises DatabaseAway."""
    business = _read(databases.business)
    billing = _read(databases.billing)
    if not business and not billing:
        # The business side decides, should two processes do this at once.
        _add(databases.business, 1, wrap(wrapping_key, 1, os.urandom(_KEY_BYTES)))
        business = _read(databases.business)
    for number, text in {**billing, **business}.items():
        if number not in billing:
            _add(databases.billing, number, text)
        if number not in business:
            _add(databases.business, number, text)
    return load_keys(databases, wrapping_key)


def _read(database: Database) -> dict[int, str]:
    table = database.platform.data_key
    with database.reading() as connection:
        return {int(row.key_no): row.wrapped_key for row in connection.execute(select(table))}


def _add(database: Database, key_no: int, wrapped: str) -> None:
    table = database.platform.data_key
    try:
        database.write(lambda connection: connection.execute(
            insert(table).values(key_no=key_no, wrapped_key=wrapped, made_at=database.clock.now())))
    except DBAPIError as error:
        if database.dialect.classify(error) is not Trouble.DUPLICATE:
            raise


def begin_data_key(databases: Databases, wrapping_key: bytes) -> int:
    """Make the next data key on both sides and return its number; what is sealed from now on uses it."""
    keys = ensure_keys(databases, wrapping_key)
    number = max(keys) + 1
    _add(databases.business, number, wrap(wrapping_key, number, os.urandom(_KEY_BYTES)))
    return max(ensure_keys(databases, wrapping_key))


def rotate_key_file(databases: Databases, file: Path) -> Path:
    """Replace the key of the key file: every data key is wrapped anew. Returns where the old key was put.

    The new key is on the disk before any row changes, beside the old one; a crash in between is mended by running it
    again, because both files are tried.
    """
    old_key = read_key_file(file)
    incoming = file.with_name(file.name + ".new")
    if not incoming.exists():
        write_key_file(incoming, os.urandom(_KEY_BYTES))
    new_key = read_key_file(incoming)
    for database in (databases.business, databases.billing):
        database.write(lambda connection, d=database: _wrap_anew(d, connection, old_key, new_key))  # type: ignore[misc]
    retired = file.with_name(f"{file.name}.retired-{databases.business.clock.now():%Y%m%d%H%M%S}")
    file.rename(retired)
    incoming.rename(file)
    return retired


def _wrap_anew(database: Database, connection: Connection, old_key: bytes, new_key: bytes) -> None:
    table = database.platform.data_key
    for row in connection.execute(select(table)).all():
        key = _open_with_either(old_key, new_key, int(row.key_no), row.wrapped_key)
        connection.execute(update(table).where(table.c.key_no == row.key_no).values(
            wrapped_key=wrap(new_key, int(row.key_no), key)))


def _open_with_either(old_key: bytes, new_key: bytes, key_no: int, wrapped: str) -> bytes:
    from server_api.platform.secrets import KeyFileWrong

    try:
        return unwrap(old_key, key_no, wrapped)
    except KeyFileWrong:
        return unwrap(new_key, key_no, wrapped)


def escrow(file: Path, to: Path, at: datetime) -> None:
    """Copy the key file to where it is kept safe; refuses to overwrite. When and from where goes beside it."""
    write_key_file(to, read_key_file(file))
    to.with_name(to.name + ".txt").write_text(
        f"OneHall key file, copied {at:%Y-%m-%d %H:%M:%S} UTC from {file}\n", encoding="utf-8")
