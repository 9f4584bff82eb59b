"""The made certificate is one a strict TLS client accepts, and is renewed without a new CA."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

from server_api.faces.edge.certificates import certificate_for
from server_api.settings import load_settings


def _shake_hands(certificate: Path, key: Path, ca: Path, name: str) -> str | None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with server.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        client = ssl.create_default_context(cafile=str(ca))
        with (
            socket.create_connection(listener.getsockname()) as raw,
            client.wrap_socket(raw, server_hostname=name) as tls,
        ):
            version = tls.version()
            tls.send(b"x")
        thread.join(5)
        return version


def test_a_strict_client_that_has_the_ca_is_content(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "data", {})
    certificate, key = certificate_for(settings)
    assert _shake_hands(certificate, key, settings.tls_dir / "ca.pem", "localhost") == "TLSv1.3"
    assert _shake_hands(certificate, key, settings.tls_dir / "ca.pem", "127.0.0.1") == "TLSv1.3"
    assert key.stat().st_mode & 0o077 == 0


def test_a_new_name_makes_a_new_certificate_under_the_same_ca(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "data", {})
    first, _key = certificate_for(settings)
    before, ca = first.read_bytes(), (settings.tls_dir / "ca.pem").read_bytes()
    assert certificate_for(settings)[0].read_bytes() == before
    other = load_settings(tmp_path / "data", {"ONEHALL_TLS_NAMES": "hall.example"})
    certificate, key = certificate_for(other)
    assert certificate.read_bytes() != before and (settings.tls_dir / "ca.pem").read_bytes() == ca
    assert _shake_hands(certificate, key, settings.tls_dir / "ca.pem", "hall.example") == "TLSv1.3"
