"""A bill as people see it, made in one place from its rows, whether they are stored or only drafted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from server_api.billing.bill.words import charge_words, service_words
from server_api.platform.secrets import Secrets
from shared_models.contracts.adjustment import AdjustmentRow
from shared_models.contracts.bill import (
    BillDocument,
    BillHead,
    BillLineView,
    BillPayer,
    BillState,
    ChargeView,
    LineKind,
    ServiceTotal,
    TaxTotal,
)
from shared_models.values.money import ZERO_FEN, Fen


def document_of(
    row: Any,
    line_rows: Iterable[Any],
    language: str,
    secrets: Secrets,
    today: date | None = None,
    adjustments: Sequence[AdjustmentRow] = (),
) -> BillDocument:
    """A whole bill from its row and its lines' rows, in the reader's language."""
    lines = tuple(line_view(line, language) for line in line_rows)
    return BillDocument(
        head=head_view(row, today),
        payer=BillPayer(
            customer_no=row.customer_no or "",
            name=secrets.unseal(row.sealed_name),
            address=secrets.unseal(row.sealed_address),
            tax_no=secrets.unseal(row.sealed_tax_no),
        ),
        from_on=row.from_on,
        until_on=row.until_on,
        owed_before_fen=row.owed_before_fen,
        advance_before_fen=row.advance_before_fen,
        net_fen=row.net_fen,
        tax_fen=row.tax_fen,
        services=service_totals(lines, language),
        lines=lines,
        taxes=tax_totals(lines),
        adjustments=tuple(adjustments),
        frozen_at=row.frozen_at,
    )


def head_view(row: Any, today: date | None) -> BillHead:
    """A bill as it stands in a list; overdue is said by the day."""
    return BillHead(
        bill_id=row.bill_id,
        bill_no=row.bill_no,
        account_id=row.account_id,
        account_no=row.account_no,
        yyyymm=row.period,
        state=BillState(row.state),
        overdue=bool(today and row.state == BillState.OPEN and today > row.due_on),
        issued_on=row.issued_on,
        due_on=row.due_on,
        total_fen=row.total_fen,
        open_fen=row.open_fen,
        paid_fen=row.total_fen - row.open_fen if row.total_fen > ZERO_FEN else ZERO_FEN,
        line_count=row.line_count,
    )


def line_view(row: Any, language: str) -> BillLineView:
    """A stored line in the reader's language."""
    chinese = language.startswith("zh")
    return BillLineView(
        line_no=row.line_no,
        kind=LineKind(row.kind),
        product_id=row.product_id or "",
        product_no=row.product_no or "",
        service=row.service,
        service_label=service_words(row.service, language),
        shown_as=row.shown_as or "",
        item_code=row.item_code,
        label=row.label if chinese else row.label_en or row.label,
        offering_label=(row.offering_label if chinese else row.offering_en or row.offering_label) or "",
        from_on=row.from_on,
        until_on=row.until_on,
        part_count=row.part_count,
        quantity=row.quantity,
        charge_micro_yuan=row.charge_micro_yuan,
        amount_fen=row.amount_fen,
        net_fen=row.net_fen,
        tax_fen=row.tax_fen,
        tax_per_mille=row.tax_per_mille,
        netted_fen=row.netted_fen,
    )


def charge_view(row: Any, language: str) -> ChargeView:
    """A stored charge with its explanation."""
    return ChargeView(
        charge_no=row.charge_no,
        charge_month=row.charge_month,
        kind=row.kind,
        rule=row.rule_code,
        text=charge_words(row, language),
        offering_code=row.offering_code,
        price_code=row.price_code,
        price_version=row.price_version,
        bundle_code=row.bundle_code or "",
        from_on=row.from_on,
        until_on=row.until_on,
        price_micro_yuan=row.price_micro_yuan,
        numerator=row.numerator,
        denominator=row.denominator,
        share_per_mille=row.share_per_mille,
        amount_micro_yuan=row.amount_micro_yuan,
    )


def service_totals(lines: Iterable[BillLineView], language: str) -> tuple[ServiceTotal, ...]:
    """What each service costs, in the order the services stand on the bill."""
    sums: dict[str, Fen] = {}
    for line in lines:
        sums[line.service] = sums.get(line.service, ZERO_FEN) + line.amount_fen
    return tuple(
        ServiceTotal(service=service, label=service_words(service, language), amount_fen=amount)
        for service, amount in sums.items()
    )


def tax_totals(lines: Sequence[BillLineView]) -> tuple[TaxTotal, ...]:
    """Gross, net and tax by rate; they sum to the bill's."""
    rates = sorted({line.tax_per_mille for line in lines}, reverse=True)
    return tuple(
        TaxTotal(
            tax_per_mille=rate,
            gross_fen=Fen.total(line.amount_fen for line in lines if line.tax_per_mille == rate),
            net_fen=Fen.total(line.net_fen for line in lines if line.tax_per_mille == rate),
            tax_fen=Fen.total(line.tax_fen for line in lines if line.tax_per_mille == rate),
        )
        for rate in rates
    )
