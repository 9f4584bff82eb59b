"""The gateway: what each kind of trouble becomes, what is sent with an act, and who is trusted."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desktop_client.gateway.health import HealthApi
from desktop_client.gateway.http import HallHttp, ServerAddress
from desktop_client.gateway.sessions import SessionsApi
from desktop_client.gateway.till import TillApi
from desktop_client.gateway.trouble import Refused, Unreachable

PROBLEM = {
    "type": "/problems/till_not_open", "title": "x", "status": 409, "code": "till_not_open",
    "detail": {"zh": "尚未开班", "en": "the till is not open"}, "remedy": {"zh": "请先开班", "en": "open it"},
    "params": {}, "retry": False,
}


class Answering:
    """A server that gives prepared answers in turn and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]] | None] = []
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.heard.append((self.command, self.path, dict(self.headers), body))
                answer = outer.answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, content, headers = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: Any) -> None:
                """Tests want a quiet server."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(self, status: int, content: Any, **headers: str) -> None:
        self.answers.append((status, json.dumps(content, ensure_ascii=False).encode(), headers))

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on; the handshake is done by the connection's own thread."""
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def server() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.close()


@pytest.fixture
def http(server: Answering) -> Iterator[HallHttp]:
    made = HallHttp(ServerAddress(server.url, connect_timeout_s=1, read_timeout_s=1))
    yield made
    made.close_thread()


def test_a_refusal_has_words_in_both_languages(server: Answering, http: HallHttp) -> None:
    server.say(409, PROBLEM)
    with pytest.raises(Refused) as refusal:
        http.send_act("/api/hall/payments", {}, act_id="a" * 32)
    assert refusal.value.text("zh_CN") == "尚未开班"
    assert refusal.value.remedy("en") == "open it"
    assert not refusal.value.retry


@pytest.mark.parametrize(("status", "content"), [(200, b"<html>"), (502, b"Bad gateway"), (500, b'{"detail": "?"}'),
                                                 (200, b"[1, 2]")])
def test_an_answer_nobody_can_read_leaves_the_outcome_unknown(
    server: Answering, http: HallHttp, status: int, content: bytes
) -> None:
    server.answers.append((status, content, {}))
    with pytest.raises(Unreachable) as trouble:
        http.send_act("/api/hall/payments", {}, act_id="a" * 32)
    assert trouble.value.reason == "not_understood"
    assert trouble.value.maybe_sent


def test_a_server_that_failed_leaves_the_outcome_unknown(server: Answering, http: HallHttp) -> None:
    server.say(500, {**PROBLEM, "status": 500, "code": "server_failed"})
    with pytest.raises(Unreachable) as trouble:
        http.send_act("/api/hall/payments", {}, act_id="a" * 32)
    assert trouble.value.reason == "server_failed"
    assert trouble.value.maybe_sent


def test_a_connection_that_breaks_may_have_carried_the_act(server: Answering, http: HallHttp) -> None:
    server.answers.append(None)
    with pytest.raises(Unreachable) as trouble:
        http.send_act("/api/hall/payments", {}, act_id="a" * 32)
    assert (trouble.value.reason, trouble.value.maybe_sent) == ("connection_lost", True)
    assert len(server.heard) == 1, "an act is never sent twice behind the journal's back"


def test_reading_is_tried_once_more(server: Answering, http: HallHttp) -> None:
    server.answers.append(None)
    server.say(200, {"till": None})
    assert TillApi(http).current().till is None


def test_nobody_listening_proves_that_nothing_was_sent(http: HallHttp) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = HallHttp(ServerAddress(f"http://127.0.0.1:{probe.getsockname()[1]}"))
    with pytest.raises(Unreachable) as trouble:
        gone.send_act("/api/hall/payments", {}, act_id="a" * 32)
    assert (trouble.value.reason, trouble.value.maybe_sent) == ("no_connection", False)


def test_a_server_that_keeps_silent_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = ServerAddress(f"http://127.0.0.1:{silent.getsockname()[1]}", read_timeout_s=0.2)
        with pytest.raises(Unreachable) as trouble:
            HallHttp(address).send_act("/x", {}, act_id="a" * 32)
    assert (trouble.value.reason, trouble.value.maybe_sent) == ("timeout", True)


def test_an_act_carries_its_id_reason_and_what_it_builds_on(server: Answering, http: HallHttp) -> None:
    server.say(200, {"till": None}, After="account:1@7, customer:2@3")
    TillApi(http).current()
    http.credentials.token = "secret"
    server.say(200, {"ok": True})
    http.send_act("/api/hall/payments/p/reverse", {"reason": "付错"}, act_id="b" * 32, reason="客户\n付错")
    _, path, headers, body = server.heard[-1]
    assert path == "/api/hall/payments/p/reverse"
    assert headers["Act-Id"] == "b" * 32
    assert headers["Act-Reason"].encode("latin-1").decode("utf-8") == "客户 付错"
    assert headers["After"] == "account:1@7, customer:2@3"
    assert headers["Authorization"] == "Bearer secret"
    assert json.loads(body) == {"reason": "付错"}


def test_news_tokens_only_go_forward(server: Answering, http: HallHttp) -> None:
    http.credentials.heard("account:1@7")
    http.credentials.heard("account:1@5, nonsense, x@y")
    assert http.credentials.after == {"account:1": 7}
    http.credentials.heard(", ".join(f"account:{number}@1" for number in range(50)))
    assert len(http.credentials.after) == 20


def test_signing_in_keeps_the_token_and_signing_out_forgets_it(server: Answering, http: HallHttp) -> None:
    context = {"staff_id": "s", "staff_no": "1001", "staff_name": "张丽", "hall_code": "H", "district_code": "D"}
    server.say(200, {"token": "tok", "expires_at": "2026-11-24T00:00:00Z", "context": context,
                     "server_time": "2026-11-23T00:00:00Z"})
    sessions = SessionsApi(http)
    assert sessions.sign_in("1001", "pw", "03").context.staff_no == "1001"
    assert http.credentials.token == "tok"
    server.answers.append(None)
    server.answers.append(None)
    sessions.sign_out()
    assert http.credentials.token == ""


def test_an_ended_session_is_told_once_for_the_window_to_ask_again(server: Answering) -> None:
    told: list[int] = []
    http = HallHttp(ServerAddress(server.url), lambda: told.append(1))
    server.say(401, {**PROBLEM, "status": 401, "code": "not_signed_in"})
    with pytest.raises(Refused) as refusal:
        TillApi(http).current()
    assert refusal.value.must_sign_in
    assert told == [1]
    server.say(401, {**PROBLEM, "status": 401, "code": "sign_in_refused"})
    with pytest.raises(Refused) as refusal:
        SessionsApi(http).sign_in("1001", "wrong", "03")
    assert not refusal.value.must_sign_in
    http.close_thread()


def test_a_server_in_trouble_that_answers_is_there(server: Answering, http: HallHttp) -> None:
    server.say(503, {"status": "down", "version": "1"})
    assert HealthApi(http).ask().status == "down"


def test_redirects_are_not_followed(server: Answering, http: HallHttp) -> None:
    server.answers.append((302, b"", {"Location": "http://127.0.0.1:1/"}))
    with pytest.raises(Unreachable):
        TillApi(http).current()


@pytest.mark.parametrize("url", ["", "hall", "ftp://x", "http://hall.example", "https://"])
def test_an_address_that_is_none_or_not_safe_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="server"):
        ServerAddress(url)


def test_the_environment_cannot_change_whom_we_trust(monkeypatch: pytest.MonkeyPatch, http: HallHttp) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/tmp/evil.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    session = HallHttp(ServerAddress("https://hall.example", "/etc/ours.pem"))._session()
    settings = session.merge_environment_settings("https://hall.example", {}, None, None, None)
    assert settings["verify"] == "/etc/ours.pem"
    assert settings["proxies"] == {}


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.key", folder / f"{name}.pem"
    files[0].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))
    files[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files


def test_only_the_certificate_we_were_told_of_is_trusted(server: Answering, tmp_path: Path) -> None:
    key_file, ours = self_signed(tmp_path, "ours")
    _, theirs = self_signed(tmp_path, "theirs")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ours, key_file)
    server.wrap(context)
    url = server.url.replace("http:", "https:")
    server.say(200, {"till": None})
    trusted = HallHttp(ServerAddress(url, str(ours)))
    assert TillApi(trusted).current().till is None
    trusted.close_thread()
    for ca_file in (str(theirs), ""):
        stranger = HallHttp(ServerAddress(url, ca_file))
        with pytest.raises(Unreachable) as trouble:
            stranger.send_act("/api/hall/payments", {}, act_id="a" * 32)
        assert (trouble.value.reason, trouble.value.maybe_sent) == ("certificate", False)
    assert len(server.heard) == 1
