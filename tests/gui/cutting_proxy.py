"""A line between the client and a real server that can be cut after the server has answered, or before it hears."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class CuttingProxy:
    """Listens on loopback. ``cut_replies``: so many replies to acts are swallowed and the connection is broken."""

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.cut_replies = 0
        self.cut_requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.close()
        for line in self._lines:
            _break(line)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(client)
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        """One request at a time: hear it whole, pass it on, hear the answer, give it back or cut the line."""
        with client, socket.create_connection(self._target) as server, suppress(OSError):
            while request := _message(client):
                act = b"act-id:" in request.lower()
                if act and self.cut_requests > 0:
                    self.cut_requests -= 1
                    return
                server.sendall(request)
                answer = _message(server)
                if act and self.cut_replies > 0:
                    self.cut_replies -= 1
                    return
                client.sendall(answer)


def _message(line: socket.socket) -> bytes:
    """One HTTP message with a Content-Length or without a body; empty when the other side hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = line.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(header.split(b":")[1]) for header in head.split(b"\r\n") if header.lower().startswith(b"content-length:")),
        0,
    )
    while len(body) < length:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


def _break(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
