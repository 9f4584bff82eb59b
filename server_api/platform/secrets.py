"""Sealing personal data at rest: AES-GCM for the text, HMAC-SHA256 as blind index for finding it again.

Two levels of keys. The key file lies outside both databases and their backups and only wraps; the data keys are made
at installation and lie wrapped in table ``data_key`` of *both* databases (either side can open its own data while the
other is away). Every sealed text names its data key, so a new one can be begun without touching old text. The blind
index, tokens and audit digests come from data key 1 for good: they are compared, never opened.

Source: NIST SP 800-38D (GCM, 96-bit random nonces); key wrapping with AES-GCM, the key number as associated data.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from server_api.platform.database import Databases

_NONCE_BYTES = 12
_KEY_BYTES = 32


class KeyFileWrong(Exception):
    """The key file does not open this installation's data keys: it belongs to another one, or was replaced."""


class Secrets:
    """Seals and opens text under the data keys of this installation."""

    def __init__(self, key: bytes) -> None:
        """A fixed ring of one key, for tests and tools; an installation uses ``from_file``."""
        self._lock = threading.Lock()
        self._ring: dict[int, bytes] = {}
        self._ciphers: dict[int, AESGCM] = {}
        self._load: Callable[[], Mapping[int, bytes]] | None = None
        self._wrapping: bytes | None = None
        self._use({1: _checked(key)})

    @classmethod
    def from_file(cls, file: Path) -> Secrets:
        """Read the key file; make it (readable by its owner only) where there is none yet.

        The data keys are read when a pair of databases is opened (``open_ring``) or at first use.
        """
        if not file.exists():
            write_key_file(file, os.urandom(_KEY_BYTES))
        made = cls(bytes(_KEY_BYTES))
        made._ring, made._ciphers = {}, {}
        made._wrapping = read_key_file(file)
        return made

    @property
    def wrapping_key(self) -> bytes | None:
        """The key of the key file; None for a fixed ring."""
        return self._wrapping

    def attach(self, load: Callable[[], Mapping[int, bytes]]) -> None:
        """Where the data keys are read from when they are first needed, or a text names one not known yet."""
        self._load = load

    def open_ring(self, databases: Databases) -> None:
        """Read the data keys from the databases, making the first where there is none. Nothing for a fixed ring."""
        if self._wrapping is not None:
            from server_api.platform.keyring import ensure_keys

            self._use(ensure_keys(databases, self._wrapping))

    def _use(self, ring: Mapping[int, bytes]) -> None:
        with self._lock:
            self._ring = dict(ring)
            self._ciphers = {number: AESGCM(_derived(key, b"seal")) for number, key in ring.items()}

    def _first(self) -> bytes:
        self._need(1)
        return self._ring[1]

    def _need(self, number: int) -> None:
        if number not in self._ring and self._load is not None:
            self._use(self._load())
        if number not in self._ring:
            raise KeyFileWrong(f"there is no data key {number}")

    @property
    def token_key(self) -> bytes:
        """Signs sessions and cursors."""
        return _derived(self._first(), b"token")

    @property
    def audit_key(self) -> bytes:
        """Digests the audit trail."""
        return _derived(self._first(), b"audit")

    def seal(self, text: str) -> str:
        """Encrypt a text; the result is ASCII and names its key. An empty text stays empty."""
        if not text:
            return ""
        if not self._ring:
            self._need(1)
        number = max(self._ring)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[number].encrypt(nonce, text.encode(), None)
        return f"{number}:" + base64.b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str | None) -> str:
        """Decrypt what ``seal`` made. Raises cryptography's InvalidTag when it was tampered with, KeyFileWrong."""
        if not sealed:
            return ""
        name, _colon, body = sealed.partition(":")
        if not name.isdigit():
            raise InvalidTag
        number = int(name)
        self._need(number)
        raw = base64.b64decode(body)
        return self._ciphers[number].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()

    def blind(self, text: str) -> str:
        """A fingerprint (64 hex digits) by which an exact value can be found without being stored."""
        return hmac.new(_derived(self._first(), b"blind"), text.encode(), hashlib.sha256).hexdigest()


def _checked(key: bytes) -> bytes:
    if len(key) != _KEY_BYTES:
        raise ValueError(f"the key has {_KEY_BYTES} bytes")
    return key


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.new(key, purpose, hashlib.sha256).digest()


def wrap(wrapping_key: bytes, key_no: int, key: bytes) -> str:
    """A data key under the key of the key file, as ASCII."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_derived(wrapping_key, b"wrap")).encrypt(nonce, key, str(key_no).encode())
    return base64.b64encode(nonce + sealed).decode()


def unwrap(wrapping_key: bytes, key_no: int, wrapped: str) -> bytes:
    """The data key again. Raises KeyFileWrong when the key file is another one."""
    raw = base64.b64decode(wrapped)
    cipher = AESGCM(_derived(wrapping_key, b"wrap"))
    try:
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], str(key_no).encode())
    except InvalidTag:
        raise KeyFileWrong(f"the key file does not open data key {key_no}") from None


def read_key_file(file: Path) -> bytes:
    """The key a key file holds. Raises KeyFileWrong."""
    try:
        return _checked(base64.b64decode(file.read_text(encoding="ascii"), validate=False))
    except (ValueError, UnicodeDecodeError):
        raise KeyFileWrong(f"{file} does not hold a key") from None


def write_key_file(file: Path, key: bytes) -> None:
    """Write a key file that only its owner can read. Raises FileExistsError rather than overwrite one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(base64.b64encode(key).decode() + "\n")
        handle.flush()
        os.fsync(handle.fileno())
