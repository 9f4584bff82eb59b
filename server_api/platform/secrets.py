"""Sealing personal data at rest: AES-GCM for the text, HMAC-SHA256 as blind index for finding it again.

The key file lies outside both databases and their backups. Every sealed text names its key, so keys can be rotated.
Source: NIST SP 800-38D (GCM, 96-bit random nonces).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Secrets:
    """Seals and opens text under the data key of this installation."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the key has 32 bytes")
        self._seal_key = AESGCM(hmac.new(key, b"seal", hashlib.sha256).digest())
        self._blind_key = hmac.new(key, b"blind", hashlib.sha256).digest()
        self.token_key = hmac.new(key, b"token", hashlib.sha256).digest()
        self.audit_key = hmac.new(key, b"audit", hashlib.sha256).digest()

    @classmethod
    def from_file(cls, file: Path) -> Secrets:
        """Read the key file; make it (readable by its owner only) where there is none yet."""
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as handle:
                handle.write(base64.b64encode(os.urandom(32)).decode() + "\n")
        return cls(base64.b64decode(file.read_text(encoding="ascii")))

    def seal(self, text: str) -> str:
        """Encrypt a text; the result is ASCII. An empty text stays empty."""
        if not text:
            return ""
        nonce = os.urandom(_NONCE_BYTES)
        return "1:" + base64.b64encode(nonce + self._seal_key.encrypt(nonce, text.encode(), None)).decode()

    def unseal(self, sealed: str | None) -> str:
        """Decrypt what ``seal`` made. Raises cryptography's InvalidTag when it was tampered with."""
        if not sealed:
            return ""
        raw = base64.b64decode(sealed.partition(":")[2])
        return self._seal_key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()

    def blind(self, text: str) -> str:
        """A fingerprint (64 hex digits) by which an exact value can be found without being stored."""
        return hmac.new(self._blind_key, text.encode(), hashlib.sha256).hexdigest()
