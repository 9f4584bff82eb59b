"""The catalogue as a file: both forms read back to the same, errors name file, row, field and remedy."""

from __future__ import annotations

import pytest

import resources
from server_api.business.catalog import rules
from server_api.business.catalog.files import read_excel, read_yaml, to_excel, to_yaml
from shared_models.contracts.catalog import CatalogDocument
from shared_models.contracts.rating import PriceRow, price_book_digest
from shared_models.values.faults.catalog import CatalogNotReadable
from shared_models.values.money import MicroYuan


@pytest.fixture(scope="module")
def sample() -> CatalogDocument:
    document, errors = read_yaml(resources.path("catalog", "sample.yaml").read_text(encoding="utf-8"), "sample.yaml")
    assert errors == []
    return document


def test_the_sample_carries_the_published_prices(sample: CatalogDocument) -> None:
    prices = {row.price_code: row for row in sample.prices}
    assert prices["TV-BASIC-M"].charge_micro_yuan == MicroYuan.parse("24.00")
    assert prices["TV-SECOND-M"].kept_in_bundle and prices["BB-YEAR-Y"].per_months == 12
    services = {row.service for row in sample.offerings}
    assert services == {"voice", "broadband", "tv", "leased_line", "addon", "bundle"}
    assert sum(row.offering_kind == "bundle" for row in sample.offerings) == 2


def test_both_forms_read_back_to_the_same(sample: CatalogDocument) -> None:
    assert read_yaml(to_yaml(sample), "x.yaml") == (sample, [])
    assert read_excel(to_excel(sample), "x.xlsx") == (sample, [])


def test_the_price_book_is_what_billing_reads(sample: CatalogDocument) -> None:
    rows = rules.price_book_rows(sample)
    plain = [row.model_dump(mode="json") for row in rows]
    assert [PriceRow.model_validate(row) for row in plain] == rows
    bundle = next(row for row in rows if row.price_code == "BUNDLE-99-M")
    assert sum(bundle.split_per_mille.values()) == 1000 and bundle.params["rest_service"] == "broadband"
    assert set(bundle.split_per_mille) == {"voice", "broadband", "tv"}
    assert bundle.params["members"] == ["VOICE-HOME", "BB-100M", "TV-BASIC", "TV-SECOND"]
    leased = next(row for row in rows if row.price_code == "LEASED-10M-M")
    assert leased.params["proration"] == "thirty_days" and leased.params["proration_stop"] == "full"
    assert price_book_digest(plain) == price_book_digest(reversed(plain))


GOOD = """
offerings:
- {offering_code: A, name_zh: 甲, name_en: A, service: voice, sold_from_on: 2020-01-01}
- {offering_code: T, name_zh: 丙, name_en: T, service: tv, sold_from_on: 2020-01-01}
- {offering_code: B, name_zh: 乙, name_en: B, service: bundle, offering_kind: bundle, sold_from_on: 2020-01-01}
prices:
- {price_code: P, offering_code: A, name_zh: 月租, name_en: fee, valid_from_on: 2020-01-01,
   price_kind: recurring, item_code: voice.monthly, charge_yuan: '20'}
- {price_code: Q, offering_code: B, name_zh: 月费, name_en: fee, valid_from_on: 2020-01-01,
   price_kind: recurring, item_code: bundle.monthly, charge_yuan: '99'}
members:
- {bundle_code: B, member_code: A, split_weight: 400}
- {bundle_code: B, member_code: T, split_weight: 600, takes_rest: true}
relations: []
"""

SELF = "relations: [{from_code: A, relation: requires, other_code: A}]"


@pytest.mark.parametrize(
    ("old", "new", "section", "field", "code"),
    [
        ("charge_yuan: '20'", "charge_yuan: '20.0000001'", "prices", "charge_yuan", "price_too_fine"),
        ("charge_yuan: '20'", "charge_yuan: 'zwanzig'", "prices", "charge_yuan", "field_not_valid"),
        ("item_code: voice.monthly", "item_code: 'Voice Monthly'", "prices", "item_code", "field_not_valid"),
        ("name_en: A,", "name_en: A, colour: red,", "offerings", "colour", "field_unknown"),
        ("offering_code: T,", "offering_code: A,", "offerings", "offering_code", "code_twice"),
        ("split_weight: 400", "split_weight: 300", "offerings", "offering_code", "split_not_whole"),
        (", takes_rest: true", "", "offerings", "offering_code", "split_rest"),
        ("service: tv", "service: voice", "offerings", "offering_code", "split_service_twice"),
        ("member_code: T", "member_code: X", "members", "member_code", "code_unknown"),
        ("bundle_code: B, member_code: A", "bundle_code: A, member_code: A", "members", "bundle_code", "not_a_bundle"),
        ("recurring, item_code: voice", "usage, item_code: voice", "prices", "tariff_code", "tariff_missing"),
        ("price_code: Q", "price_code: P", "prices", "valid_from_on", "spans_overlap"),
        ("relations: []", SELF, "relations", "other_code", "relation_to_itself"),
        ("voice, sold_from_on: 2020-01-01", "voice, sold_from_on: 2020-01-01, sold_until_on: 2019-01-01", "offerings",
         "sold_until_on", "span_backwards"),
    ],
)  # fmt: skip
def test_errors_name_row_field_and_remedy(old: str, new: str, section: str, field: str, code: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    _document, errors = read_yaml(text, "c.yaml")
    found = [(error.file, error.field, error.code) for error in errors]
    assert (f"c.yaml#{section}", field, code) in found
    error = errors[found.index((f"c.yaml#{section}", field, code))]
    assert error.row_no >= 1 and error.text_zh and error.remedy_zh and error.text_en and error.remedy_en
    assert "{" not in error.text_zh + error.remedy_zh + error.text_en + error.remedy_en


def test_the_good_one_is_good() -> None:
    document, errors = read_yaml(GOOD, "c.yaml")
    assert errors == [] and len(document.offerings) == 3


@pytest.mark.parametrize("text", ["[", "- a", "1", "offerings: 7", "offerings: [1]", "unknown: []", "a: &x [*x]", ""])
def test_what_is_no_catalogue(text: str) -> None:
    with pytest.raises(CatalogNotReadable):
        read_yaml(text, "c.yaml")


def test_what_is_no_workbook() -> None:
    with pytest.raises(CatalogNotReadable):
        read_excel(b"PK\x03\x04 not really", "c.xlsx")
