"""Sessions without a drawer: one per file of a bank, so that every payment belongs to a session that can be audited."""

from __future__ import annotations

from server_api.billing.cashdesk import store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.ids import derived_id
from shared_models.values.money import ZERO_FEN
from shared_models.values.money_states import TillState

_COUNTER = "bank"


def bank_session(uow: UnitOfWork, file_no: str) -> str:
    """The session of a bank's file, begun at its first line; returns its id. It holds no cash and is deposited at once:
    the money is at the bank already."""
    till_id = derived_id("bank_session", file_no)
    if store.read_till(uow.conn, till_id) is not None:
        return till_id
    context = uow.context
    store.insert_till(
        uow.conn,
        {
            "till_id": till_id,
            "hall_code": context.hall_code,
            "district_code": context.district_code,
            "counter_no": _COUNTER,
            "staff_id": context.staff_id,
            "staff_no": context.staff_no,
            "staff_name": context.staff_name,
            "state": TillState.DEPOSITED.value,
            "counter_key": till_id,
            "staff_key": till_id,
            "business_on": uow.today,
            "opened_at": uow.now,
            "float_fen": ZERO_FEN,
            "count_no": 0,
            "counted_fen": ZERO_FEN,
            "difference_fen": ZERO_FEN,
            "closed_at": uow.now,
            "closed_by": context.staff_id,
            "deposited_fen": ZERO_FEN,
            "deposited_at": uow.now,
            "remark": file_no,
        },
    )
    return till_id
