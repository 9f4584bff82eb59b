"""Orders and answers as they cross the wire: JSON, amounts as decimal text in yuan. Pure.

Field names follow the public documents of the Nuonuo open platform (buyerName, buyerTaxNum, orderNo, invoiceType 1 blue
2 red, invoiceLine pc general bs special, invoiceDetail[goodsName, goodsCode, taxRate, withTaxFlag]; results fphm, kprq,
pdfUrl, ofdUrl, xmlUrl; a red one carries its confirmation's id). An integrator with other names gets an adapter of its
own beside ``remote.py``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from server_api.billing.payment.fapiao.provider import Answer, Order, Outcome
from shared_models.values.fapiao import FapiaoType

_LINE = {FapiaoType.GENERAL.value: "pc", FapiaoType.SPECIAL.value: "bs"}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_LONGEST_URL = 400


def order_body(order: Order) -> dict[str, Any]:
    """The order as JSON; amounts are text, because a JSON number may become a binary float on the way."""
    body: dict[str, Any] = {
        "orderNo": order.order_no,
        "invoiceType": "2" if order.blue_no else "1",
        "invoiceLine": _LINE[order.type_code],
        "buyerName": order.buyer.get("name", ""),
        "buyerTaxNum": order.buyer.get("tax_no", ""),
        "buyerAddress": order.buyer.get("address_phone", ""),
        "buyerAccount": order.buyer.get("bank_account", ""),
        "buyerTel": order.buyer.get("contact", ""),
        "totalAmount": str(order.amount),
        "invoiceDetail": [
            {
                "goodsName": line.goods_name,
                "goodsCode": line.goods_code,
                "taxRate": f"0.{line.tax_per_mille:03d}",
                "withTaxFlag": "1",
                "taxIncludedAmount": str(line.amount),
                "taxExcludedAmount": str(line.net),
                "tax": str(line.tax),
            }
            for line in order.lines
        ],
    }
    if order.blue_no:
        body |= {"invoiceNum": order.blue_no, "redReason": order.red_reason, "billInfoNo": order.confirmation_no}
    return body


def signed(body: Mapping[str, Any], secret: bytes, timestamp: str) -> tuple[bytes, str]:
    """The body as sent and the proof that it is ours: HMAC-SHA256 over the time and the octets."""
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return raw, hmac.new(secret, timestamp.encode() + b"\n" + raw, hashlib.sha256).hexdigest()


def answer_of(status: int, raw: bytes, order_no: str) -> Answer:
    """What an answer says. Anything that is not whole, or about another order, is unknown: never a guess."""
    if status in (401, 403):
        return Answer(Outcome.AUTH, str(status))
    if status == 429 or status == 503:
        return Answer(Outcome.BUSY, str(status))
    try:
        found = json.loads(raw.decode("utf-8"))
    except ValueError:
        return Answer(Outcome.UNKNOWN, str(status), "not JSON")
    if not isinstance(found, dict) or found.get("orderNo") != order_no or found.get("result") not in _OUTCOMES:
        return Answer(Outcome.UNKNOWN, str(status), "not about this order")
    return Answer(
        _OUTCOMES[found["result"]],
        code=_text(found, "code", 40),
        text=_text(found, "message", 200),
        fapiao_no=_text(found, "fphm", 40),
        confirmation_no=_text(found, "billInfoNo", 40),
        pdf_url=_text(found, "pdfUrl", _LONGEST_URL),
        ofd_url=_text(found, "ofdUrl", _LONGEST_URL),
        xml_url=_text(found, "xmlUrl", _LONGEST_URL),
    )


def _text(found: Mapping[str, Any], name: str, longest: int) -> str:
    value = found.get(name, "")
    return value[:longest] if isinstance(value, str) else ""
