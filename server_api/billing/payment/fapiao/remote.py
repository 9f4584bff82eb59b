"""The provider over HTTP: a signed POST a call. Whatever does not come back whole and in time is unknown."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from server_api.billing.payment.fapiao import wire
from server_api.billing.payment.fapiao.provider import Answer, Order, Outcome

_LONGEST_ANSWER = 256 * 1024


class RemoteProvider:
    """A provider at an address, with a key of its own."""

    def __init__(
        self,
        url: str,
        key_id: str,
        secret: bytes,
        *,
        timeout_s: float = 15.0,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError("the provider's address begins with https:// (or http:// for a simulator)")
        self._url = url.rstrip("/")
        self._key_id = key_id
        self._secret = secret
        self._timeout_s = timeout_s
        self._now_s = now_s

    def issue(self, order: Order) -> Answer:
        """Ask for a blue fapiao."""
        return self._ask("issue", wire.order_body(order), order.order_no)

    def query(self, order_no: str) -> Answer:
        """Ask what became of an order."""
        return self._ask("query", {"orderNo": order_no}, order_no)

    def red_apply(self, order: Order) -> Answer:
        """Ask for the confirmation (红字确认单) a red fapiao needs."""
        return self._ask("red_apply", wire.order_body(order), order.order_no)

    def red_issue(self, order: Order) -> Answer:
        """Ask for a red fapiao under its confirmation."""
        return self._ask("red_issue", wire.order_body(order), order.order_no)

    def download(self, order_no: str, fapiao_no: str) -> Answer:
        """Ask where the files of a fapiao are."""
        return self._ask("download", {"orderNo": order_no, "fphm": fapiao_no}, order_no)

    def _ask(self, path: str, body: dict[str, Any], order_no: str) -> Answer:
        timestamp = str(int(self._now_s()))
        raw, proof = wire.signed(body, self._secret, timestamp)
        request = urllib.request.Request(
            f"{self._url}/{path}",
            data=raw,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "X-Key": self._key_id,
                "X-Time": timestamp,
                "X-Proof": proof,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                return wire.answer_of(answer.status, answer.read(_LONGEST_ANSWER), order_no)
        except urllib.error.HTTPError as refused:
            with refused:
                return wire.answer_of(refused.code, refused.read(_LONGEST_ANSWER), order_no)
        except urllib.error.URLError as trouble:
            if isinstance(trouble.reason, ConnectionRefusedError):
                return Answer(Outcome.BUSY, "refused", "nobody listens there")  # surely not arrived
            return Answer(Outcome.UNKNOWN, type(trouble.reason).__name__)
        except (OSError, http.client.HTTPException) as trouble:
            return Answer(Outcome.UNKNOWN, type(trouble).__name__)
