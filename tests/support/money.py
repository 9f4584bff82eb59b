"""A counter for tests: tellers, accounts with open bills, and payments as the product takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import select

from server_api.billing.account import service as account
from server_api.billing.account import store as account_store
from server_api.billing.bill.service import adjust
from server_api.billing.bill.service.importing import OpenBill, OpenBillLine, import_open_bill
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment import service as payment
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Databases
from server_api.platform.registry import Finding, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from server_api.wiring import wire_databases
from shared_models.contracts.account import AccountOwed, AccountView, OpenAccount
from shared_models.contracts.adjustment import (
    AccountCharged,
    ChargeAccount,
    ChargeRow,
    CreditLine,
    LineCredited,
    UndoCharge,
)
from shared_models.contracts.approval import Approval
from shared_models.contracts.cashdesk import CloseTill, CountTill, DayClose, OpenTill, TillSession
from shared_models.contracts.deposit import (
    BalanceTransferred,
    DepositMoved,
    ForfeitDeposit,
    ReturnDeposit,
    TakeDeposit,
    TransferBalance,
)
from shared_models.contracts.payment import (
    AdvanceRefunded,
    PaymentReversed,
    PaymentTaken,
    RefundAdvance,
    ReversePayment,
    TakePayment,
)
from shared_models.contracts.work import DataScope, WorkContext, system_context
from shared_models.values.clock import town_day
from shared_models.values.giving import Giving
from shared_models.values.ids import derived_id, new_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen
from shared_models.values.period import Month
from shared_models.values.permissions import Permission

Reply = TypeVar("Reply", bound=BaseModel)
TELLER_RIGHTS = frozenset(
    {
        Permission.PAYMENT_TAKE.value,
        Permission.PAYMENT_REVERSE_OWN.value,
        Permission.TILL_OPERATE.value,
        Permission.RECEIPT_REPRINT.value,
        Permission.PAYMENT_REFUND.value,
        Permission.ACCOUNT_VIEW.value,
    }
)
SUPERVISOR_RIGHTS = TELLER_RIGHTS | {Permission.PAYMENT_REVERSE_ANY.value}


def teller(
    staff_no: str = "1001",
    counter_no: str = "03",
    *,
    hall: str = "H01",
    district: str = "D1",
    scope: DataScope = DataScope.HALL,
    rights: frozenset[str] = TELLER_RIGHTS,
    limits_fen: dict[str, int] | None = None,
) -> WorkContext:
    """A member of staff at a counter."""
    return WorkContext(
        staff_id=derived_id("staff", staff_no),
        staff_no=staff_no,
        staff_name="王芳",
        hall_code=hall,
        hall_name="人民路营业厅",
        district_code=district,
        counter_no=counter_no,
        permissions=rights,
        scope=scope,
        limits_fen=limits_fen or {},
    )


@dataclass
class Counter:
    """One counter with a teller, over a fresh pair of databases."""

    databases: Databases
    wiring: Wiring
    context: WorkContext = field(default_factory=teller)
    opened: int = 0

    def at(self, context: WorkContext) -> Counter:
        """The same databases, another person."""
        return Counter(self.databases, self.wiring, context)

    def act(
        self,
        reply: type[Reply],
        work: Callable[[UnitOfWork], BaseModel | None],
        *,
        act_id: str = "",
        kind: str = "test",
        content: Any = None,
    ) -> Reply:
        """Do an act and return its reply read back from what is stored."""
        act = Act(act_id or new_id(), kind, digest_of(content), self.context)
        return reply.model_validate_json(perform(self.databases.billing, act, work).reply)

    def open_account(self, account_no: str = "", **more: Any) -> str:
        """An account; returns its id."""
        account_id = new_id()
        more.setdefault("customer_id", new_id())
        request = OpenAccount(account_id=account_id, account_no=account_no or None, **more)
        self.act(AccountView, lambda uow: account.open_account(uow, request=request))
        return account_id

    def owe(
        self,
        account_id: str,
        yyyymm: int,
        amounts_fen: Sequence[int],
        *,
        due_on: date | None = None,
        item_code: str = "voice.monthly",
    ) -> str:
        """An open bill with these lines; returns its id."""
        bill = OpenBill(
            source="test",
            account_id=account_id,
            month=Month(yyyymm),
            due_on=due_on,
            issued_on=date(2026, 3, 1),
            lines=tuple(
                OpenBillLine(
                    item_code=item_code, amount=Fen(amount), label="月租费", service="voice", shown_as="85551234"
                )
                for amount in amounts_fen
            ),
        )
        made: list[str] = []
        context = system_context("test")
        act = Act(new_id(), "test", digest_of(None), context)
        perform(self.databases.billing, act, lambda uow: made.append(import_open_bill(uow, bill=bill)))
        return made[0]

    def owe_quietly(self, account_id: str, yyyymm: int, amounts_fen: Sequence[int], **more: Any) -> str:
        """An open bill that nobody heard of yet, as between a run's freezing and its announcement."""
        listeners = self.databases.billing.listeners
        self.databases.billing.listeners = {}
        try:
            return self.owe(account_id, yyyymm, amounts_fen, **more)
        finally:
            self.databases.billing.listeners = listeners

    def release(self, account_id: str) -> None:
        """The bill run lets the account go without settling."""
        self.databases.billing.write(lambda conn: account_store.release(conn, "f" * 32, [account_id]))

    def open_till(self, float_fen: int = 20_000) -> TillSession:
        """The teller opens the till."""
        return self.act(TillSession, lambda uow: cashdesk.open_till(uow, request=OpenTill(float_fen=Fen(float_fen))))

    def pay(
        self, account_id: str, amount_fen: int, *, received_fen: int | None = None, act_id: str = "", **more: Any
    ) -> PaymentTaken:
        """The teller takes cash."""
        request = TakePayment(
            account_id=account_id,
            amount_fen=Fen(amount_fen),
            received_fen=Fen(amount_fen if received_fen is None else received_fen),
            **more,
        )
        return self.act(
            PaymentTaken,
            lambda uow: payment.take_payment(uow, request=request),
            act_id=act_id,
            kind="take_payment",
            content=request,
        )

    def reverse(self, payment_id: str, reason: str = "输错金额") -> PaymentReversed:
        """The teller reverses a payment."""
        request = ReversePayment(reason=reason)
        return self.act(
            PaymentReversed, lambda uow: payment.reverse_payment(uow, payment_id=payment_id, request=request)
        )

    def refund(
        self, account_id: str, amount_fen: int, reason: str = "客户申请", *, act_id: str = ""
    ) -> AdvanceRefunded:
        """The teller pays advance back."""
        request = RefundAdvance(account_id=account_id, amount_fen=Fen(amount_fen), reason=reason)
        return self.act(AdvanceRefunded, lambda uow: payment.refund_advance(uow, request=request), act_id=act_id)

    def approved(self, kind: Giving, account_id: str, amount_fen: int, *, by: str = "2001", **changes: Any) -> Counter:
        """The same counter with the approval of a second person for one act, as the edge hands it on."""
        now = self.databases.billing.clock.now()
        values: dict[str, Any] = {
            "approval_id": new_id(),
            "kind": kind,
            "account_id": account_id,
            "amount_fen": Fen(amount_fen),
            "asked_by_no": self.context.staff_no,
            "approver_id": derived_id("staff", by),
            "approver_no": by,
            "hall_code": self.context.hall_code,
            "district_code": self.context.district_code,
            "scope": DataScope.HALL.value,
            "reason": "已核实",
            "given_at": now,
            "expires_at": now + timedelta(minutes=15),
        }
        approval = Approval(**{**values, **changes})
        return self.at(self.context.model_copy(update={"approval": approval}))

    def credit_line(self, bill_id: str, line_no: int, amount_fen: int, reason: str = "计费差错") -> LineCredited:
        """Something is taken off a line of an issued bill."""
        request = CreditLine(amount_fen=Fen(amount_fen), reason=reason)
        return self.act(
            LineCredited, lambda uow: payment.credit_line(uow, bill_id=bill_id, line_no=line_no, request=request)
        )

    def charge(self, account_id: str, amount_fen: int, **more: Any) -> AccountCharged:
        """A charge or credit for the next bill."""
        values = {"item_code": "voice.monthly", "reason": "障碍补偿", **more}
        request = ChargeAccount(account_id=account_id, amount_fen=Fen(amount_fen), **values)
        return self.act(AccountCharged, lambda uow: adjust.charge_account(uow, request=request))

    def charges(self, account_id: str) -> list[ChargeRow]:
        """One-off charges that wait for a bill."""
        database = self.databases.billing
        with database.reading() as conn:
            return adjust.charges_waiting(conn, town_day(database.clock.now()), account_id)

    def undo_charge(self, account_id: str, charge_id: str) -> AccountCharged:
        """A charge is taken back."""
        request = UndoCharge(reason="输错")
        return self.act(
            AccountCharged,
            lambda uow: adjust.undo_charge(uow, account_id=account_id, charge_id=charge_id, request=request),
        )

    def deposit(self, account_id: str, amount_fen: int, purpose: str = "机顶盒押金") -> DepositMoved:
        """The teller takes a deposit."""
        request = TakeDeposit(
            account_id=account_id, amount_fen=Fen(amount_fen), purpose=purpose, received_fen=Fen(amount_fen)
        )
        return self.act(DepositMoved, lambda uow: payment.take_deposit(uow, request=request))

    def give_deposit_back(self, deposit_id: str, amount_fen: int, **more: Any) -> DepositMoved:
        """The teller returns a deposit."""
        request = ReturnDeposit(amount_fen=Fen(amount_fen), reason="退机顶盒", **more)
        return self.act(DepositMoved, lambda uow: payment.return_deposit(uow, deposit_id=deposit_id, request=request))

    def forfeit(self, deposit_id: str, amount_fen: int) -> DepositMoved:
        """A deposit is kept as income."""
        request = ForfeitDeposit(amount_fen=Fen(amount_fen), reason="设备损坏")
        return self.act(DepositMoved, lambda uow: payment.forfeit_deposit(uow, deposit_id=deposit_id, request=request))

    def transfer(self, from_id: str, to_id: str, amount_fen: int, **more: Any) -> BalanceTransferred:
        """The teller moves balance."""
        request = TransferBalance(
            from_account_id=from_id, to_account_id=to_id, amount_fen=Fen(amount_fen), reason="合并缴费", **more
        )
        return self.act(BalanceTransferred, lambda uow: payment.transfer_balance(uow, request=request))

    def count(self, counted_fen: int) -> TillSession:
        """The teller counts the drawer."""
        request = CountTill(counted_fen=Fen(counted_fen))
        return self.act(TillSession, lambda uow: cashdesk.count_till(uow, request=request))

    def close(self, note: str = "") -> DayClose:
        """The teller closes the day."""
        return self.act(DayClose, lambda uow: cashdesk.close_till(uow, request=CloseTill(note=note)))

    def owed(self, account_id: str) -> AccountOwed:
        """What the account owes now."""
        database = self.databases.billing
        with database.reading() as conn:
            return payment.account_owed(conn, database.clock, account_id)

    def facts_of(self, account_id: str) -> list[tuple[int, str, str]]:
        """What billing told of an account: (seq, kind, standing)."""
        out = self.databases.billing.platform.fact_out
        with self.databases.billing.reading() as conn:
            rows = conn.execute(select(out).where(out.c.aggregate == f"account:{account_id}").order_by(out.c.seq))
            return [(row.seq, row.kind, row.payload["standing"]) for row in rows]

    def credit(self, account_id: str, amount_fen: int) -> None:
        """A credit beyond what was owed, as a bill below zero gives it: revenue taken back, then kept as advance."""

        def work(uow: UnitOfWork) -> None:
            back = Posting(
                LedgerName(LedgerCode.RECEIVABLE, account_id),
                LedgerName(LedgerCode.REVENUE, "voice.monthly"),
                Fen(amount_fen),
            )
            post(uow, [back])
            account.add_credit(uow, account_id, amount=Fen(amount_fen), ref_id="credit", first_line=2)

        perform(self.databases.billing, Act(new_id(), "test", digest_of(None), system_context("run")), work)

    def hold(self, account_id: str) -> None:
        """A bill run takes the account."""
        self.databases.billing.write(lambda conn: account_store.hold(conn, "f" * 32, [account_id]))

    def release_and_settle(self, account_id: str) -> Fen:
        """The bill run lets the account go; returns what was settled."""
        settled: list[Fen] = []

        def work(uow: UnitOfWork) -> None:
            waiting = account_store.release(uow.conn, "f" * 32, [account_id])
            settled.append(payment.settle_accounts(uow, waiting))

        perform(self.databases.billing, Act(new_id(), "test", digest_of(None), system_context("run")), work)
        return settled[0]

    def books(self) -> dict[str, Finding]:
        """Every invariant of billing, by name."""
        return {
            item.name: item.check(self.databases.billing) for item in self.wiring.invariants if item.role == "billing"
        }

    def assert_books_balance(self) -> None:
        """Every invariant of billing holds."""
        wrong = {name: finding.wrong for name, finding in self.books().items() if not finding.holds}
        assert not wrong, json.dumps(wrong, ensure_ascii=False)


def new_counter(databases: Databases, context: WorkContext | None = None) -> Counter:
    """A counter over fresh databases, with every listener attached."""
    return Counter(databases, wire_databases(databases), context or teller())
