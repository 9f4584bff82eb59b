"""A small stand-in for the hall API with a menu of faults, for what the real server cannot be asked to do on demand.

Keeps one customer's money in memory, remembers acts by id, and can lose replies after booking, hang, or be gone.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared_models.contracts.receipt import ReceiptKind
from shared_models.values.money import Fen
from shared_models.values.permissions import Permission
from shared_models.values.rmb import rmb_capitals

CUSTOMER_ID, ACCOUNT_ID = "c1" * 16, "a1" * 16
NOW = "2026-11-23T02:15:32Z"
BILLS = (("b1" * 16, "B202609-1504", 202609, 5800), ("b2" * 16, "B202610-1504", 202610, 11736))


class Problem(Exception):
    """A refusal to be answered as problem+json."""

    def __init__(self, status: int, code: str, retry: bool = False) -> None:
        self.status, self.code, self.retry = status, code, retry
        super().__init__(code)


class FakeHall:
    """Listens on loopback at once. Faults: ``lose_replies`` (book, then hang up), ``delay_s``, ``refuse`` (a code)."""

    def __init__(self, port: int = 0) -> None:
        self.lose_replies = 0
        self.delay_s = 0.0
        self.refuse: Problem | None = None
        self.must_change_password = False
        self.requests: list[tuple[str, str, dict[str, Any] | None, str]] = []
        self.acts: dict[str, tuple[str, dict[str, Any]]] = {}
        self.payments: list[dict[str, Any]] = []
        self.owed = {number: amount for number, _, _, amount in BILLS}
        self.balance = 0
        self.till: dict[str, Any] | None = None
        self.hits = [hit()]
        self.lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening and break every connection that is still open."""
        self._server.shutdown()
        self._server.server_close()
        for line in list(self.lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, act_id: str) -> dict[str, Any] | None:
        """Book and reply; an act id seen before gives the stored reply."""
        if self.delay_s:
            time.sleep(self.delay_s)
        self.requests.append((method, path, body, act_id))
        with self._lock:
            if act_id:
                content = json.dumps([path, body], sort_keys=True)
                if act_id in self.acts:
                    if self.acts[act_id][0] != content:
                        raise Problem(409, "act_reused")
                    return self.acts[act_id][1]
                if self.refuse is not None:
                    raise self.refuse
                reply = self._route(method, path, query, body)
                self.acts[act_id] = (content, reply or {})
                return reply
            return self._route(method, path, query, body)

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> dict[str, Any] | None:
        parts = path.removeprefix("/api/hall/").split("/")
        routes: dict[tuple[str, str], Callable[[], dict[str, Any] | None]] = {
            ("POST", "sessions"): lambda: self._sign_in(body), ("POST", "password"): lambda: self._new_password(),
            ("DELETE", "sessions"): lambda: None, ("GET", "/health"): lambda: {"status": "ok"},
            ("GET", "customers"): lambda: self._desk() if parts[-1] == "desk" else self._search(query["q"]),
            ("POST", "payments"): lambda: self._payments(parts, body),
            ("POST", "receipts"): lambda: self._reprint(parts[1]), ("GET", "receipts"): lambda: self._receipt(parts[1]),
            ("GET", "till"): lambda: {"till": self.till}, ("POST", "till"): lambda: self._till(parts[1], body),
        }
        found = routes.get((method, parts[0] if path.startswith("/api/hall/") else path))
        if found is None:
            raise Problem(404, "not_found")
        return found()

    # ---- sessions ------------------------------------------------------------------------------------------------
    def _sign_in(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["password"] not in ("first", "second"):
            raise Problem(401, "sign_in_refused")
        return self._session(body["password"] == "first" and self.must_change_password, body["counter_no"])

    def _new_password(self) -> dict[str, Any]:
        self.must_change_password = False
        return self._session(False, "03")

    @staticmethod
    def _session(must_change: bool, counter_no: str) -> dict[str, Any]:
        context = {
            "staff_id": "51" * 16, "staff_no": "1001", "staff_name": "张丽", "hall_code": "YM01",
            "district_code": "YM", "counter_no": counter_no, "permissions": [right.value for right in Permission],
        }
        return {
            "token": "t" * 20, "must_change_password": must_change, "expires_at": NOW, "context": context,
            "hall_name": "玉门油田营业厅", "server_time": NOW,
        }

    # ---- customers -----------------------------------------------------------------------------------------------
    def _search(self, words: str) -> dict[str, Any]:
        found = [one for one in self.hits if words in json.dumps(one, ensure_ascii=False) or words == "wjg"]
        return {"items": found, "next_cursor": None}

    def _desk(self) -> dict[str, Any]:
        bills = [
            {
                "bill_id": bill_id, "bill_no": number, "yyyymm": month,
                "due_on": date(2026, month % 100 + 1, 25).isoformat(), "total_fen": total,
                "paid_fen": total - self.owed[bill_id], "owed_fen": self.owed[bill_id],
                "overdue": month == 202609, "lines": LINES[month],
            }
            for bill_id, number, month, total in BILLS if self.owed[bill_id]
        ]
        account = {
            "account_id": ACCOUNT_ID, "account_no": "A00001504", "standing": "overdue" if bills else "clear",
            "owed_fen": sum(self.owed.values()), "balance_fen": self.balance, "bills": bills,
            "recent_payments": [
                {key: payment[key] for key in ("payment_id", "receipt_no", "paid_at", "amount_fen", "method", "state",
                                               "staff_no", "reversible")} for payment in reversed(self.payments)
            ],
        }
        names = ("customer_id", "customer_no", "name", "customer_class", "masked_id_no", "address", "phones")
        shown = {name: self.hits[0][name] for name in names}
        return {"customer": shown, "products": PRODUCTS, "accounts": [account], "as_of": NOW}

    # ---- money ---------------------------------------------------------------------------------------------------
    def _allocate(self, amount: int) -> list[dict[str, Any]]:
        applied = []
        for bill_id, number, month, _ in BILLS:
            part = min(amount, self.owed[bill_id])
            if part:
                amount -= part
                applied.append({
                    "bill_id": bill_id, "bill_no": number, "yyyymm": month, "amount_fen": part,
                    "label": f"{month // 100}年{month % 100}月账单",
                })
        return applied

    def _payments(self, parts: list[str], body: dict[str, Any]) -> dict[str, Any]:
        if parts[-1] == "reverse":
            return self._reverse(parts[1], body)
        applied = self._allocate(body["amount_fen"])
        advance = body["amount_fen"] - sum(one["amount_fen"] for one in applied)
        outcome = {
            "applied": applied, "advance_fen": advance, "change_fen": body["received_fen"] - body["amount_fen"],
            "owed_after_fen": sum(self.owed.values()) - body["amount_fen"] + advance,
            "balance_after_fen": self.balance + advance,
        }
        if parts[-1] == "preview":
            return outcome
        if self.till is None:
            raise Problem(409, "till_not_open")
        for one in applied:
            self.owed[one["bill_id"]] -= one["amount_fen"]
        self.balance += advance
        number = f"YM01-03-{len(self.payments) + 1:07d}"
        payment = {
            "payment_id": f"{len(self.payments) + 1:032x}", "receipt_no": number, "paid_at": NOW,
            "amount_fen": body["amount_fen"], "method": "cash", "state": "done", "staff_no": "1001", "reversible": True,
            "applied": applied, "advance": advance,
        }
        self.payments.append(payment)
        self.till["cash_in_fen"] += body["amount_fen"]
        self.till["expected_cash_fen"] += body["amount_fen"]
        self.till["payment_count"] += 1
        paper = self._paper(ReceiptKind.PAYMENT, number, body["amount_fen"], body["received_fen"])
        return {**outcome, "payment_id": payment["payment_id"], "receipt": paper,
                "standing": "clear" if not any(self.owed.values()) else "owing"}

    def _reverse(self, payment_id: str, body: dict[str, Any]) -> dict[str, Any]:
        payment = next(one for one in self.payments if one["payment_id"] == payment_id)
        if payment["state"] != "done":
            raise Problem(409, "payment_already_reversed")
        payment.update(state="reversed", reversible=False)
        for one in payment["applied"]:
            self.owed[one["bill_id"]] += one["amount_fen"]
        self.balance -= payment["advance"]
        assert self.till is not None and body["reason"]
        self.till["cash_out_fen"] += payment["amount_fen"]
        self.till["expected_cash_fen"] -= payment["amount_fen"]
        self.till["reversal_count"] += 1
        paper = self._paper(ReceiptKind.REVERSAL, payment["receipt_no"] + "R", -payment["amount_fen"], 0)
        return {"payment_id": payment_id, "reversal_id": "e" * 32, "receipt": paper, "standing": "overdue",
                "refund_cash_fen": payment["amount_fen"]}

    def _receipt(self, number: str) -> dict[str, Any]:
        payment = next((one for one in self.payments if one["receipt_no"] == number), None)
        if payment is None:
            raise Problem(404, "receipt_not_found")
        return self._paper(ReceiptKind.PAYMENT, number, payment["amount_fen"], 0)

    def _reprint(self, number: str) -> dict[str, Any]:
        payment = next(one for one in self.payments if one["receipt_no"] == number)
        paper = self._paper(ReceiptKind.PAYMENT, number, payment["amount_fen"], 0)
        return {**paper, "copy_no": 2, "printed_at": NOW}

    @staticmethod
    def _paper(kind: ReceiptKind, number: str, amount: int, received: int) -> dict[str, Any]:
        return {
            "kind": kind.value, "receipt_no": number, "hall_code": "YM01", "hall_name": "玉门油田营业厅",
            "counter_no": "03", "staff_no": "1001", "staff_name": "张丽", "customer_no": "YM00001504",
            "customer_name": "王建国", "account_no": "A00001504",
            "lines": [{"label": "通信费", "detail": "", "amount_fen": amount}], "total_fen": amount,
            "total_capitals": rmb_capitals(Fen(amount)), "methods": [{"method": "cash", "amount_fen": amount}],
            "received_fen": received, "change_fen": max(received - amount, 0), "issued_at": NOW,
            "barcode_text": number.replace("-", ""),
        }

    def _till(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        if verb == "open":
            self.till = {
                "till_session_id": "d" * 32, "hall_code": "YM01", "counter_no": "03", "staff_no": "1001",
                "staff_name": "张丽", "state": "open", "opened_at": NOW, "business_on": "2026-11-23",
                "float_fen": body["float_fen"], "cash_in_fen": 0, "cash_out_fen": 0,
                "expected_cash_fen": body["float_fen"], "payment_count": 0, "reversal_count": 0, "totals": [],
            }
            return self.till
        if self.till is None:
            raise Problem(409, "till_not_open")
        if verb == "count":
            difference = body["counted_fen"] - self.till["expected_cash_fen"]
            self.till.update(state="counted", counted_fen=body["counted_fen"], difference_fen=difference)
            return self.till
        kind = ReceiptKind.DAY_CLOSE if verb == "close" else ReceiptKind.DEPOSIT_SLIP
        self.till["state"] = "closed" if verb == "close" else "deposited"
        paper = self._paper(kind, f"D-{verb}", self.till["counted_fen"], 0)
        return {"till": self.till, "report" if verb == "close" else "slip": paper}


def hit(name: str = "王建国", number: str = "YM00001504", **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": CUSTOMER_ID, "customer_no": number, "name": name, "customer_class": "normal",
        "customer_kind": "person", "masked_id_no": "6229**********0015", "address": "玉门市南坪小区12号楼3单元***",
        "phones": ["0937-3913183", "ymkd39131832"], "account_ids": [ACCOUNT_ID], "account_nos": ["A00001504"],
        "hall_code": "YM01", "matched_by": "name", **changes,
    }


LINES = {
    202609: [{"label": "固定电话月租费", "detail": "0937-3913183", "service": "voice", "amount_fen": 2800},
             {"label": "本地通话费", "detail": "32 次 86 分钟", "service": "voice", "amount_fen": 3000}],
    202610: [{"label": "固定电话月租费", "detail": "0937-3913183", "service": "voice", "amount_fen": 2236},
             {"label": "宽带 100M 包月", "detail": "ymkd39131832", "service": "broadband", "amount_fen": 6500},
             {"label": "数字电视基本收视维护费", "detail": "8712 3456 7890 1234", "service": "tv", "amount_fen": 3000}],
}
PRODUCTS = [
    {
        "product_id": number * 16, "account_id": ACCOUNT_ID, "product_no": number, "service": service,
        "shown_as": shown_as, "state": state, "offering_name": offering,
    }
    for number, service, shown_as, state, offering in (
        ("a1", "voice", "0937-3913183", "active", "普通固话"),
        ("a2", "broadband", "ymkd39131832", "active", "宽带 100M"),
        ("a3", "tv", "8712345678901234", "suspended", "基本收视"),
    )
]


def _handler(hall: FakeHall) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            hall.lines.add(self.connection)

        def finish(self) -> None:
            hall.lines.discard(self.connection)
            super().finish()

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            raw = self.rfile.read(length)
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            act_id = self.headers.get("Act-Id", "")
            try:
                reply = hall.answer(self.command, parts.path, query, json.loads(raw) if raw else None, act_id)
            except Problem as problem:
                self._send(problem.status, _problem(problem))
                return
            if act_id and hall.lose_replies > 0:
                hall.lose_replies -= 1
                self.close_connection = True
                self.connection.close()
                return
            self._send(204 if reply is None else 200, reply)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the library's names

        def _send(self, status: int, content: Any) -> None:
            data = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests want a quiet server."""

    return Handler


def _problem(problem: Problem) -> dict[str, Any]:
    words = {"zh": f"拒绝：{problem.code}", "en": f"refused: {problem.code}"}
    return {
        "type": f"/problems/{problem.code}", "title": problem.code, "status": problem.status, "code": problem.code,
        "detail": words, "remedy": {"zh": "请核对", "en": "please check"}, "params": {}, "retry": problem.retry,
    }


