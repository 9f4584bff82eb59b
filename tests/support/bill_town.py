"""A small town with accounts, products, prices and rated calls, for stories about bills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import insert, select

from server_api.billing.account.service import AccountToImport, import_accounts
from server_api.billing.bill import service
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.billing.bill.rules.house import LateFeePolicy
from server_api.platform.acts import Act, Outcome, digest_of, perform
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.wiring import crossings, wire_databases
from shared_models.contracts.bill import BillDocument, LineOpening, RunProgress
from shared_models.contracts.events import BillingEventState, CustomerRecorded, PayRelationState, ProductRecorded
from shared_models.contracts.rating import PriceRow
from shared_models.contracts.work import system_context
from shared_models.tables.billing.bill import bill
from shared_models.tables.billing.rating import rated_usage, rating_price_book, rating_price_part
from shared_models.values.clock import TOWN_ZONE, ManualClock, town_midnight
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month, cycle_end


def recurring(offering: str, yuan: str, service_name: str = "voice", **more: Any) -> PriceRow:
    """A monthly price; ``params`` of a price row come as they are."""
    names = {"voice": "月租费", "broadband": "宽带月租费", "tv": "有线电视收视维护费", "bundle": "融合套餐费"}
    fields: dict[str, Any] = {
        "offering_code": offering,
        "price_code": f"{offering}-M",
        "kind": "recurring",
        "service": service_name,
        "item_code": f"{service_name}.monthly",
        "item_group": service_name,
        "charge_micro_yuan": MicroYuan.parse(yuan),
        "tax_per_mille": 90 if service_name == "voice" else 60,
        "valid_from": date(2020, 1, 1),
        "name_zh": names.get(service_name, service_name),
        "name_en": f"{service_name} monthly",
    }
    return PriceRow(**{**fields, **more})


#: The house rules without a late fee: stories run for months in which nobody pays.
PATIENT = replace(billing_policy(), bill=replace(billing_policy().bill, late_fee=LateFeePolicy()))

#: What most stories need: a line, two broadband speeds, television, and one bundle of the three.
TOWN_PRICES = (
    recurring("PSTN", "25", params={"offering_zh": "固话普通", "offering_en": "Plain line"}),
    recurring("BB100", "60", "broadband", params={"offering_zh": "宽带100M"}),
    recurring("BB300", "90", "broadband", params={"offering_zh": "宽带300M"}),
    recurring(
        "BBYEAR",
        "720",
        "broadband",
        price_code="BBYEAR-Y",
        item_code="broadband.yearly",
        per_months=12,
        name_zh="宽带包年费",
        params={"refund_unused_months": True, "in_advance": True},
    ),
    recurring("TV", "26", "tv"),
    recurring(
        "PLAY3",
        "100",
        "bundle",
        split_per_mille={"voice": 133, "broadband": 667, "tv": 200},
        params={"rest_service": "broadband", "members": ["PSTN", "BB100", "TV"], "offering_zh": "融合三宝"},
    ),
)


class BillTown:
    """Accounts and products on two databases, a clock, and the acts a story needs."""

    def __init__(self, databases: Databases, clock: ManualClock, prices: Sequence[PriceRow] = TOWN_PRICES) -> None:
        self.databases, self.clock = databases, clock
        self.billing = databases.billing
        self.wiring = wire_databases(databases)
        self.crossings = crossings(databases, self.wiring)
        self.histories: dict[str, ProductRecorded] = {}
        self._calls = 0
        self.publish(1, prices)

    def on(self, day: str, hour: int = 10) -> BillTown:
        """Move the clock to a day in the town."""
        self.clock.set(datetime.combine(date.fromisoformat(day), time(hour), TOWN_ZONE))
        return self

    def act(self, kind: str, work: Any, act_id: str = "") -> Outcome:
        """Do something on the billing side as one act."""
        return perform(
            self.billing, Act(act_id or new_id(), kind, digest_of({"kind": kind}), system_context("tests")), work
        )

    def publish(self, version: int, prices: Sequence[PriceRow]) -> None:
        """A price book version, live at once."""
        rows = [row.model_dump(mode="json") for row in prices]
        with self.billing.batch() as connection:
            connection.execute(
                insert(rating_price_book).values(
                    book_version=version,
                    row_count=len(rows),
                    digest="0" * 64,
                    effective_on=date(2020, 1, 1),
                    live=True,
                    heard_at=self.clock.now(),
                )
            )
            connection.execute(insert(rating_price_part).values(book_version=version, part_no=1, document=rows))

    # ---- accounts and products -----------------------------------------------------------------------------------
    def account(self, number: int, name: str = "") -> str:
        """A customer with one account; returns the account's id, which sorts by number."""
        account_id, customer_id = f"{number:08x}" + "a" * 24, f"{number:08x}" + "c" * 24
        self.act(
            "account",
            lambda uow: import_accounts(
                uow, accounts=[AccountToImport(account_id, f"{1_000_000_000 + number}", customer_id)]
            ),
        )
        seal = self.databases.business.secrets.seal
        self._tell(
            f"customer:{customer_id}",
            CustomerRecorded(
                customer_id=customer_id,
                customer_no=f"C{number:07d}",
                customer_class="normal",
                sealed_name=seal(name or f"客户{number}"),
                sealed_address=seal("甘肃省张掖市甘州区东街街道富强社区 1 号楼"),
            ),
        )
        return account_id

    def install(
        self,
        account_id: str,
        offering: str,
        on: str,
        service_name: str = "voice",
        shown_as: str = "0937-3961234",
        bundle: str = "",
        instance: str = "",
        version: int = 1,
    ) -> str:
        """A product paid by the account from a day on; returns its id."""
        product_id = derived_id("product", str(len(self.histories)), account_id)
        self.histories[product_id] = ProductRecorded(
            product_id=product_id,
            product_no=f"P{len(self.histories) + 1:06d}",
            customer_id=account_id[:8] + "c" * 24,
            service=service_name,
            shown_as=shown_as,
            region="0937",
            pay_relations=(PayRelationState(account_id=account_id, from_on=date.fromisoformat(on)),),
        )
        self.event(product_id, "activated", on, offering, bundle, instance, version)
        return product_id

    def event(
        self,
        product_id: str,
        kind: str,
        on: str,
        offering: str = "",
        bundle: str | None = None,
        instance: str = "",
        version: int = 1,
        reason: str = "",
    ) -> None:
        """Something happens to a product; what is not said stays as it was."""
        known = self.histories[product_id]
        last = known.events[-1] if known.events else None
        state = BillingEventState(
            event_id=derived_id(product_id, str(len(known.events))),
            kind=kind,
            effective_on=date.fromisoformat(on),
            offering_code=offering or (last.offering_code if last else ""),
            price_version=version,
            bundle_code=(last.bundle_code if last else "") if bundle is None else bundle,
            bundle_instance=instance or (last.bundle_instance if last and bundle is None else ""),
            reason=reason,
        )
        self.histories[product_id] = known.model_copy(update={"events": (*known.events, state)})
        self._tell(f"product:{product_id}", self.histories[product_id])

    def pays(self, product_id: str, *relations: PayRelationState) -> None:
        """Other people pay for a product."""
        self.histories[product_id] = self.histories[product_id].model_copy(update={"pay_relations": relations})
        self._tell(f"product:{product_id}", self.histories[product_id])

    def _tell(self, aggregate: str, payload: Any) -> None:
        act = Act(new_id(), "tests.tell", digest_of({"aggregate": aggregate}), system_context("tests"))
        perform(self.databases.business, act, lambda uow: uow.tell(aggregate, payload))
        deliver_all(self.crossings)

    # ---- calls ---------------------------------------------------------------------------------------------------
    def calls(
        self,
        account_id: str,
        product_id: str,
        yyyymm: int,
        charges_micro_yuan: Sequence[int],
        item: str = "voice.local",
        seconds: int = 60,
    ) -> None:
        """Rated calls, a minute long each, with these charges."""
        begins = int(Month(yyyymm).starts_at.timestamp())
        rows = []
        for charge in charges_micro_yuan:
            self._calls += 1
            rows.append(
                {
                    "period": yyyymm,
                    "account_id": account_id,
                    "usage_id": self._calls,
                    "product_id": product_id,
                    "price_no": 1_000_000,
                    "item_code": item,
                    "zone_code": "local",
                    "start_s": begins + self._calls * 3600,
                    "duration_s": seconds,
                    "quantity": seconds,
                    "units": 1,
                    "covered": 0,
                    "charge_micro_yuan": charge,
                    "peer_no": "0937" + f"{8_000_000 + self._calls}",
                    "call_type": 1,
                    "file_no": 1,
                    "file_pos": self._calls,
                }
            )
        with self.billing.batch() as connection:
            connection.execute(insert(rated_usage), rows)

    # ---- bills ---------------------------------------------------------------------------------------------------
    def run(self, yyyymm: int, policy: BillingPolicy | None = None, day: int = 1) -> RunProgress:
        """Bill a month on the day its cycles end, from beginning to close."""
        month = Month(yyyymm)
        over = town_midnight(cycle_end(yyyymm, day))
        if self.clock.now() < over:
            self.clock.set(over + timedelta(hours=1))
        self.begin(yyyymm, day)
        done = service.run_month(self.billing, service.run_id_of(month, day), policy=policy or PATIENT)
        deliver_all(self.crossings)
        return done

    def begin(self, yyyymm: int, day: int = 1) -> None:
        self.act("bill.begin_run", lambda uow: service.begin_run(uow, month=Month(yyyymm), billing_day=day))

    def bill(self, account_id: str, yyyymm: int, language: str = "zh_CN") -> BillDocument:
        """The month's own bill of an account."""
        with self.billing.reading() as connection:
            bill_id = connection.execute(
                select(bill.c.bill_id).where(
                    bill.c.period == yyyymm, bill.c.account_id == account_id, bill.c.origin == "run"
                )
            ).scalar_one()
            return service.read_bill(connection, bill_id, language, self.billing.secrets)

    def has_bill(self, account_id: str, yyyymm: int) -> bool:
        with self.billing.reading() as connection:
            return bool(
                connection.execute(
                    select(bill.c.bill_id).where(bill.c.period == yyyymm, bill.c.account_id == account_id)
                ).all()
            )

    def opened(self, document: BillDocument, line_no: int, language: str = "zh_CN") -> LineOpening:
        """A line of a bill, opened."""
        with self.billing.reading() as connection:
            return service.open_line(connection, document.head.bill_id, line_no, 100, None, language)

    def table(self, document: BillDocument) -> str:
        """A bill as a clerk would write it down, a line each, for comparing with what a test expects."""
        rows = [
            f"{line.service_label} {line.label} {line.offering_label} {line.from_on:%m-%d}..{line.until_on:%m-%d} "
            f"{line.amount_fen}".replace("  ", " ")
            for line in document.lines
        ]
        return "\n".join([*rows, f"合计 {document.head.total_fen}"])

    def broken(self) -> list[str]:
        """What does not hold in the books of the billing side."""
        found = []
        for invariant in self.wiring.invariants:
            # the calls here were priced by the story, not by a tariff
            if invariant.role == "billing" and invariant.name != "charge_explains_itself":
                found += [f"{invariant.name}: {wrong}" for wrong in invariant.check(self.billing).wrong]
        return found
