"""A provider of fapiao to train and test against: a real HTTP server on this machine, with a menu of faults.

It is started by name and connected by setting its address; nothing ever takes it in place of the real one.
Faults: slow, lost_reply (done, but the line is cut), duplicate (says it knows the order), refused, number_late
(pending for some queries), garbage, busy.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from server_api.billing.payment.fapiao import wire
from server_api.billing.payment.fapiao.provider import Outcome

FAULTS = ("slow", "lost_reply", "duplicate", "refused", "number_late", "garbage", "busy")
KEY_ID, SECRET = "simulator", b"simulator"
_LATE_QUERIES = 2
_POLL_S = 0.05


@dataclass
class SimulatedOrder:
    """An order as the simulator holds it."""

    body: dict[str, Any]
    fapiao_no: str = ""
    queries: int = 0


@dataclass
class Simulator:
    """The simulated provider; ``faults`` may be changed while it runs. Use it as a context."""

    faults: set[str] = field(default_factory=set)
    port: int = 0
    slow_s: float = 0.5
    orders: dict[str, SimulatedOrder] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the simulator is not running")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Simulator:
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self) -> None:
                simulator.serve(self)

            def log_message(self, format: str, *args: object) -> None:
                """Silent: names and tax numbers are in the requests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(_POLL_S,), name="fapiao-simulator", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, with the faults that are on."""
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        body = json.loads(raw)
        path = handler.path.strip("/")
        _same, proof = wire.signed(body, SECRET, handler.headers.get("X-Time", ""))
        if handler.headers.get("X-Proof") != proof:
            self._send(handler, 401, b"{}")
            return
        if "slow" in self.faults:
            time.sleep(self.slow_s)
        if "busy" in self.faults:
            self._send(handler, 503, b"{}")
            return
        with self._guard:
            self.calls.append(path)
            answer = self._answer(path, body)
        if "lost_reply" in self.faults:
            handler.close_connection = True
            handler.connection.close()
            return
        if "garbage" in self.faults:
            self._send(handler, 200, b"<html>gateway")
            return
        self._send(handler, 200, json.dumps({"orderNo": body["orderNo"], **answer}, ensure_ascii=False).encode())

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, str]:
        order_no = body["orderNo"]
        known = self.orders.get(order_no)
        if path == "red_apply":
            if "refused" in self.faults:
                return {"result": Outcome.REFUSED, "code": "E0102", "message": "蓝字发票已入账"}
            return {"result": Outcome.CONFIRMED, "billInfoNo": f"{int(order_no[:12], 16):032d}"}
        if path == "red_issue" and not body.get("billInfoNo"):
            return {"result": Outcome.REFUSED, "code": "E0103", "message": "缺少红字确认单"}
        if path in ("issue", "red_issue"):
            return self._issue(known, body, order_no)
        if known is None:
            return {"result": Outcome.NOT_FOUND}
        known.queries += 1
        if "number_late" in self.faults and known.queries <= _LATE_QUERIES:
            return {"result": Outcome.PENDING}
        return self._number(known)

    def _issue(self, known: SimulatedOrder | None, body: dict[str, Any], order_no: str) -> dict[str, str]:
        if "refused" in self.faults:
            return {"result": Outcome.REFUSED, "code": "E0001", "message": "购方税号不正确"}
        if known is not None:
            return {"result": Outcome.ALREADY, "code": "E0009", "message": "订单号重复"}
        self.orders[order_no] = SimulatedOrder(body)
        if "duplicate" in self.faults:
            return {"result": Outcome.ALREADY, "code": "E0009", "message": "订单号重复"}
        return {"result": Outcome.PENDING}

    def _number(self, known: SimulatedOrder) -> dict[str, str]:
        if not known.fapiao_no:
            issued = sum(1 for order in self.orders.values() if order.fapiao_no)
            known.fapiao_no = f"26{'2' if known.body['invoiceType'] == '2' else '1'}1700{issued + 1:013d}"
        address = f"{self.url}/files/{known.fapiao_no}"
        return {
            "result": Outcome.ISSUED,
            "fphm": known.fapiao_no,
            "pdfUrl": f"{address}.pdf",
            "ofdUrl": f"{address}.ofd",
            "xmlUrl": f"{address}.xml",
        }

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, raw: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)
