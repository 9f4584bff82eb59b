"""Papers: their numbers, the frozen document, and further copies."""

from __future__ import annotations

from sqlalchemy import Connection

from server_api.billing.cashdesk import rules, store
from server_api.platform import audit
from server_api.platform.numbering import next_number
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.cashdesk import Reprint
from shared_models.contracts.receipt import Receipt
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.cashdesk import ReceiptNotFound


def take_receipt_no(uow: UnitOfWork) -> tuple[int, str]:
    """The next number of the caller's counter, gapless, and the paper number made of it. Last in the lock order."""
    hall_code, counter_no = uow.context.hall_code, uow.context.counter_no
    seq_no = next_number(uow, f"receipt:{hall_code}:{counter_no}")
    return seq_no, rules.receipt_no_of(hall_code, counter_no, seq_no)


def keep_receipt(
    uow: UnitOfWork,
    receipt: Receipt,
    *,
    seq_no: int,
    till_id: str,
    account_id: str = "",
    payment_id: str = "",
) -> None:
    """Keep a paper as issued: the document is sealed and never changes."""
    store.insert_receipt(
        uow.conn,
        {
            "receipt_no": receipt.receipt_no,
            "hall_code": uow.context.hall_code,
            "district_code": uow.context.district_code,
            "counter_no": uow.context.counter_no,
            "seq_no": seq_no,
            "kind": receipt.kind.value,
            "till_id": till_id,
            "account_id": account_id,
            "payment_id": payment_id,
            "staff_id": uow.context.staff_id,
            "total_fen": receipt.total_fen,
            "issued_at": uow.now,
            "copy_count": 1,
            "act_id": uow.act_id,
            "document": uow.database.secrets.seal(receipt.model_dump_json()),
        },
    )


def read_receipt(conn: Connection, receipt_no: str, context: WorkContext, secrets: Secrets) -> Receipt:
    """A paper as it was issued. Raises ReceiptNotFound, also outside the caller's data scope."""
    row = store.find_receipt(conn, receipt_no, context)
    if row is None:
        raise ReceiptNotFound(receipt_no=receipt_no)
    return Receipt.model_validate_json(secrets.unseal(row.document))


def reprint_receipt(uow: UnitOfWork, *, receipt_no: str, request: Reprint) -> Receipt:
    """Another copy of a paper: the same document with the next copy number, so that it says 补打.

    Raises ReceiptNotFound.
    """
    row = store.lock_receipt(uow, receipt_no, uow.context)
    if row is None:
        raise ReceiptNotFound(receipt_no=receipt_no)
    copy_no = row.copy_count + 1
    store.count_copy(uow.conn, receipt_no, copy_no)
    audit.note(uow, "receipt.reprinted", f"receipt:{receipt_no}", str(copy_no))
    issued = Receipt.model_validate_json(uow.database.secrets.unseal(row.document))
    return issued.model_copy(update={"copy_no": copy_no, "printed_at": uow.now})
