"""The key of the journal: kept in the system's key store, or where there is none in a file only this user can read.

A key is never replaced silently: a journal that cannot be opened holds money somebody handed over.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import secrets
from pathlib import Path

from desktop_client.work.acts import JournalNotUsable

KEY_BYTES = 32
SERVICE = "OneHall journal"
log = logging.getLogger(__name__)


def journal_key(folder: Path, *, journal_exists: bool, use_keyring: bool = True) -> bytes:
    """Return the key for the journal in ``folder``, making one for a new journal.

    Raises JournalNotUsable (key_missing) where the journal exists and no key is found.
    """
    file = folder / "journal.key"
    if file.exists():
        return _decode(file.read_text(encoding="ascii"), file.name)
    account = _account(folder)
    stored = _from_keyring(account) if use_keyring else None
    if stored is not None:
        return _decode(stored, SERVICE)
    if journal_exists:
        raise JournalNotUsable("key_missing", str(folder))
    key = secrets.token_bytes(KEY_BYTES)
    text = base64.b64encode(key).decode("ascii")
    if not (use_keyring and _into_keyring(account, text)):
        _write_private(file, text)
    return key


def _account(folder: Path) -> str:
    """One key per journal folder, so that two installations of one user do not share."""
    return str(folder.resolve())


def _from_keyring(account: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, account)
    except (KeyringError, RuntimeError, OSError) as problem:
        log.info("no key store: %s", problem)
        return None


def _into_keyring(account: str, text: str) -> bool:
    """True only when the key store gives back what was put into it."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, account, text)
        return keyring.get_password(SERVICE, account) == text
    except (KeyringError, RuntimeError, OSError) as problem:
        log.info("no key store, a private file is used: %s", problem)
        return False


def _write_private(file: Path, text: str) -> None:
    """Create the file readable by this user alone, and have it on disk before the journal's first entry is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _decode(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as problem:
        raise JournalNotUsable("key_missing", where) from problem
    if len(key) != KEY_BYTES:
        raise JournalNotUsable("key_missing", where)
    return key
