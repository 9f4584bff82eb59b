"""What must always hold of live charges, for ``onehall check-books``."""

from __future__ import annotations

from server_api.billing.rating.credit import store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.money import ZERO_FEN, Fen, MicroYuan


def account_is_its_sessions(database: Database) -> Finding:
    """What an account holds for calls is the sum of its open sessions; unbooked is what months wait to have cut."""
    with database.reading() as conn:
        rows = store.account_rows(conn)
        held = store.held_sums(conn)
        months = store.month_rows(conn)
    unbooked: dict[tuple[str, str], int] = {}
    for month in months:
        if not month.released:
            key = (month.account_id, month.item_group)
            left = int(month.debited_micro_yuan) - MicroYuan.of_fen(month.cut_fen).amount_micro_yuan
            unbooked[key] = unbooked.get(key, 0) + left
    wrong: list[str] = []
    total = 0
    for row in rows:
        key = (row.account_id, row.item_group)
        total += int(row.held_micro_yuan)
        open_sum, waiting = held.pop(key, 0), unbooked.pop(key, 0)
        if int(row.held_micro_yuan) != open_sum or int(row.unbooked_micro_yuan) != waiting:
            wrong.append(
                f"{row.account_id} {row.item_group}: holds {row.held_micro_yuan}, sessions say {open_sum}; "
                f"unbooked {row.unbooked_micro_yuan}, months say {waiting}"
            )
    wrong += [f"{key}: sessions hold {amount} of an account without a row" for key, amount in held.items() if amount]
    wrong += [f"{key}: {amount} unbooked of an account without a row" for key, amount in unbooked.items() if amount]
    return Finding(counted=len(rows), amount=MicroYuan(total).to_fen(), wrong=tuple(wrong))


def month_is_its_sessions(database: Database) -> Finding:
    """The live debits of a month are the sum of its settled sessions."""
    with database.reading() as conn:
        months = store.month_rows(conn)
        sessions = store.debit_sums(conn)
    wrong: list[str] = []
    total = 0
    for month in months:
        taken = sessions.pop((month.period, month.account_id, month.item_group), 0)
        total += taken
        if taken != int(month.debited_micro_yuan):
            where = f"{month.period} {month.account_id} {month.item_group}"
            wrong.append(f"{where}: {month.debited_micro_yuan}, sessions say {taken}")
    wrong += [f"{key}: sessions took {amount}, no month has it" for key, amount in sessions.items() if amount]
    return Finding(counted=len(months), amount=MicroYuan(total).to_fen(), wrong=tuple(wrong))


def cut_is_one_rounding(database: Database) -> Finding:
    """The daily lines of a month come to what was cut, and where nothing waits that is its sum rounded once."""
    with database.reading() as conn:
        months = store.month_rows(conn)
        cuts = store.cut_sums(conn)
    wrong: list[str] = []
    for month in months:
        lines = cuts.pop((month.period, month.account_id, month.item_group), ZERO_FEN)
        whole = MicroYuan(int(month.debited_micro_yuan)).to_fen()
        if lines != month.cut_fen or (not month.due and not month.released and month.cut_fen != whole):
            wrong.append(
                f"{month.period} {month.account_id} {month.item_group}: lines {lines}, cut {month.cut_fen}, sum {whole}"
            )
    wrong += [f"{key}: daily lines of {amount} without a month" for key, amount in cuts.items() if amount]
    return Finding(counted=len(months), amount=Fen.total(month.cut_fen for month in months), wrong=tuple(wrong))
