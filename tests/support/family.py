"""A family with telephone, broadband and television that owes two bills: made through the services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import resources
from server_api.billing.account import service as account
from server_api.billing.bill.service.importing import OpenBill, OpenBillLine, import_open_bill
from server_api.business.catalog import files
from server_api.business.catalog import service as catalog
from server_api.business.inventory import service as inventory
from server_api.business.party import service as party
from shared_models.contracts.account import AccountView, OpenAccount
from shared_models.contracts.catalog import PublishPriceBook
from shared_models.contracts.inventory import Access, InstallProduct, PayRelation
from shared_models.contracts.party import Contact, CreateCustomer, IdDocument
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.house import House


@dataclass(frozen=True)
class Family:
    """Whom the tests ask for."""

    customer_id: str
    account_id: str
    account_no: str
    bill_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    name: str
    number: str


#: (offering, access kind, access key)
SERVICES = (
    ("VOICE-HOME", "number", "0937{number}"),
    ("BB-100M", "login", "jt{number}"),
    ("TV-BASIC", "card", "80{number}00000001"),
)
#: month -> (item, label, service, fen)
BILLS: tuple[tuple[int, tuple[tuple[str, str, str, int], ...]], ...] = (
    (202601, (("voice.monthly", "月租费", "voice", 2000), ("voice.local", "市话费", "voice", 1166))),
    (202602, (
        ("voice.monthly", "月租费", "voice", 2000), ("voice.local", "市话费", "voice", 1342),
        ("broadband.monthly", "宽带包月费", "broadband", 6900), ("tv.monthly", "基本收视维护费", "tv", 2400),
    )),
)  # fmt: skip


def sell_things(house: House) -> None:
    """Load the sample catalogue and freeze a price book, once."""
    file = resources.path("catalog", "sample.yaml")
    document, errors = files.read_yaml(file.read_text(encoding="utf-8"), file.name)
    assert not errors
    house.act("business", lambda uow: catalog.import_catalog(uow, catalog=document))
    house.act(
        "business", lambda uow: catalog.publish_price_book(uow, wanted=PublishPriceBook(effective_on=date(2020, 1, 1)))
    )


def move_in(house: House, *, name: str = "王秀兰", number: str = "2685123", staff_no: str = "1001") -> Family:
    """A customer with account, three services and two open bills; all news delivered."""
    customer_id, account_id = derived_id("family", number), derived_id("family account", number)
    customer = CreateCustomer(
        customer_id=customer_id,
        name=name,
        address="玉门市新市区广场路12号3单元401室",
        documents=(IdDocument(document_no=_id_no(number)),),
        contacts=(Contact(contact_value="139" + number.zfill(8), is_main=True),),
    )
    house.act("business", lambda uow: party.create_customer(uow, customer=customer), staff_no=staff_no)
    opened = house.act(
        "billing",
        lambda uow: account.open_account(uow, request=OpenAccount(account_id=account_id, customer_id=customer_id)),
        staff_no=staff_no,
    )
    assert isinstance(opened, AccountView)
    products = []
    for offering, kind, key in SERVICES:
        install = InstallProduct(
            product_id=derived_id("family product", number, offering),
            customer_id=customer_id,
            offering_code=offering,
            accesses=(Access(access_kind=kind, access_key=key.format(number=number)),),
            pay_relations=(PayRelation(account_id=account_id),),
            install_address=customer.address,
        )
        house.act(
            "business", lambda uow, install=install: inventory.install_product(uow, install=install), staff_no=staff_no
        )
        products.append(install.product_id)
    house.deliver()
    bills = tuple(_owe(house, account_id, number, yyyymm, lines) for yyyymm, lines in BILLS)
    house.deliver()
    return Family(customer_id, account_id, opened.account_no, bills, tuple(products), name, number)


def _owe(house: House, account_id: str, number: str, yyyymm: int, lines: tuple[tuple[str, str, str, int], ...]) -> str:
    bill = OpenBill(
        source="old",
        account_id=account_id,
        month=Month(yyyymm),
        issued_on=Month(yyyymm).until_on,
        lines=tuple(
            OpenBillLine(item_code=item, amount=Fen(fen), label=label, service=service, shown_as=f"0937-{number}")
            for item, label, service, fen in lines
        ),
    )
    return house.act("billing", lambda uow: import_open_bill(uow, bill=bill))


def _id_no(number: str) -> str:
    """A well-formed resident ID: region, birthday, sequence, check digit (GB 11643)."""
    body = "620981" + "19680412" + number[-3:]
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]
