"""The SQL of customers. The data scope is applied here, in every query that finds a customer for somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, or_, select, update

from server_api.business.party.rules import KeyKind, key_range
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.party import account_ref, contact, customer, customer_key, id_document, org_gram

_CHUNK = 400


def in_scope(context: WorkContext, hall_code: ColumnElement[str], district_code: ColumnElement[str]) -> list[Any]:
    """The conditions that keep a query within what the caller may see."""
    if context.scope is DataScope.HALL:
        return [hall_code == context.hall_code]
    if context.scope is DataScope.DISTRICT:
        return [district_code == context.district_code]
    return []


def one(conn: Connection, customer_id: str, context: WorkContext) -> Row[Any] | None:
    """A customer the caller may see."""
    scope = in_scope(context, customer.c.hall_code, customer.c.district_code)
    return conn.execute(select(customer).where(customer.c.customer_id == customer_id, *scope)).one_or_none()


def lock_query(customer_id: str, context: WorkContext) -> Select[Any]:
    """The query whose row is locked while a customer changes."""
    scope = in_scope(context, customer.c.hall_code, customer.c.district_code)
    return select(customer).where(customer.c.customer_id == customer_id, *scope)


def exists(conn: Connection, customer_id: str) -> bool:
    return conn.execute(select(customer.c.customer_id).where(customer.c.customer_id == customer_id)).first() is not None


def existing(conn: Connection, customer_ids: Sequence[str]) -> set[str]:
    """Which of these customers there are."""
    found: set[str] = set()
    for start in range(0, len(customer_ids), _CHUNK):
        chunk = customer_ids[start : start + _CHUNK]
        found.update(conn.execute(select(customer.c.customer_id).where(customer.c.customer_id.in_(chunk))).scalars())
    return found


def many(conn: Connection, customer_ids: Sequence[str], context: WorkContext) -> dict[str, Row[Any]]:
    """Customers by id, as far as the caller may see them."""
    if not customer_ids:
        return {}
    scope = in_scope(context, customer.c.hall_code, customer.c.district_code)
    query = select(customer).where(customer.c.customer_id.in_(customer_ids), *scope)
    return {row.customer_id: row for row in conn.execute(query)}


def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(customer), list(rows))


def change(conn: Connection, customer_id: str, **values: Any) -> None:
    conn.execute(update(customer).where(customer.c.customer_id == customer_id).values(**values))


def documents(conn: Connection, customer_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Documents by customer."""
    return _by_customer(conn, id_document, customer_ids, id_document.c.document_kind)


def contacts(conn: Connection, customer_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Contacts by customer, in their order."""
    return _by_customer(conn, contact, customer_ids, contact.c.contact_no)


def accounts(conn: Connection, customer_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Account copies by customer, in order of number."""
    return _by_customer(conn, account_ref, customer_ids, account_ref.c.account_no)


def access_keys(conn: Connection, customer_ids: Iterable[str]) -> dict[str, list[str]]:
    """The access numbers customers are found by, in key order."""
    found: dict[str, list[str]] = {}
    wanted = list(customer_ids)
    if wanted:
        query = select(customer_key.c.customer_id, customer_key.c.key_text).where(
            customer_key.c.customer_id.in_(wanted), customer_key.c.key_kind == KeyKind.NUMBER.value
        )
        for row in conn.execute(query.order_by(customer_key.c.customer_id, customer_key.c.key_text)):
            found.setdefault(row.customer_id, []).append(row.key_text)
    return found


def _by_customer(conn: Connection, table: Any, customer_ids: Iterable[str], order: Any) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    wanted = list(customer_ids)
    if wanted:
        query = select(table).where(table.c.customer_id.in_(wanted)).order_by(table.c.customer_id, order)
        for row in conn.execute(query):
            found.setdefault(row.customer_id, []).append(row)
    return found


def put_documents(conn: Connection, customer_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace a customer's documents."""
    conn.execute(delete(id_document).where(id_document.c.customer_id == customer_id))
    add_documents(conn, rows)


def add_documents(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(id_document), list(rows))


def put_contacts(conn: Connection, customer_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace a customer's contacts."""
    conn.execute(delete(contact).where(contact.c.customer_id == customer_id))
    add_contacts(conn, rows)


def add_contacts(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(contact), list(rows))


def owners_of_document(conn: Connection, blind_no: str) -> list[Row[Any]]:
    """Every customer with this document, whatever the scope: a real name is checked against the whole town."""
    query = (
        select(customer.c.customer_id, customer.c.customer_no, customer.c.hall_code, customer.c.district_code)
        .join(id_document, id_document.c.customer_id == customer.c.customer_id)
        .where(id_document.c.blind_no == blind_no, customer.c.state != "closed")
    )
    return list(conn.execute(query.order_by(customer.c.customer_id)))


def drop_keys(conn: Connection, customer_id: str, kinds: Iterable[KeyKind]) -> None:
    """Forget the keys of some kinds."""
    conn.execute(
        delete(customer_key).where(
            customer_key.c.customer_id == customer_id, customer_key.c.key_kind.in_([kind.value for kind in kinds])
        )
    )


def drop_key_texts(conn: Connection, customer_id: str, kind: KeyKind, texts: Sequence[str]) -> None:
    """Forget some keys of one kind."""
    if texts:
        conn.execute(
            delete(customer_key).where(
                customer_key.c.customer_id == customer_id,
                customer_key.c.key_kind == kind.value,
                customer_key.c.key_text.in_(list(texts)),
            )
        )


def add_keys(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add keys that are not there yet (the caller has dropped or never had them)."""
    if rows:
        conn.execute(insert(customer_key), list(rows))


def known_key_texts(conn: Connection, customer_id: str, kind: KeyKind) -> set[str]:
    query = select(customer_key.c.key_text).where(
        customer_key.c.customer_id == customer_id, customer_key.c.key_kind == kind.value
    )
    return set(conn.execute(query).scalars())


def put_grams(conn: Connection, customer_id: str, grams: Iterable[str]) -> None:
    """Replace the 2-grams of an organisation's name."""
    conn.execute(delete(org_gram).where(org_gram.c.customer_id == customer_id))
    add_grams(conn, [{"gram": gram, "customer_id": customer_id} for gram in grams])


def add_grams(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        conn.execute(insert(org_gram), list(rows))


def walk_keys(
    conn: Connection, kind: KeyKind, prefix: str, context: WorkContext, after: tuple[str, str] | None, limit: int
) -> list[Row[Any]]:
    """Keys of a kind that begin with a prefix, in key order, behind ``after`` (key text, customer id)."""
    low, high = key_range(prefix)
    key = customer_key.c
    query = select(key.key_text, key.customer_id).where(
        key.key_kind == kind.value, key.key_text >= low, key.key_text < high,
        *in_scope(context, key.hall_code, key.district_code),
    )  # fmt: skip
    if after is not None:
        text, customer_id = after
        query = query.where(
            key.key_text >= text, or_(key.key_text > text, and_(key.key_text == text, key.customer_id > customer_id))
        )
    return list(conn.execute(query.order_by(key.key_text, key.customer_id).limit(limit)))


def with_document(conn: Connection, blind_no: str, context: WorkContext, limit: int) -> list[str]:
    """Customers with exactly this document, as far as the caller may see them."""
    query = (
        select(id_document.c.customer_id)
        .join(customer, customer.c.customer_id == id_document.c.customer_id)
        .where(id_document.c.blind_no == blind_no, *in_scope(context, customer.c.hall_code, customer.c.district_code))
    )
    return list(conn.execute(query.order_by(id_document.c.customer_id).limit(limit)).scalars())


def with_grams(
    conn: Connection, grams: Sequence[str], context: WorkContext, after_id: str, limit: int
) -> list[Row[Any]]:
    """Organisations whose names hold all of these 2-grams (the caller checks that they stand together)."""
    having = (
        select(org_gram.c.customer_id)
        .where(org_gram.c.gram.in_(list(grams)))
        .group_by(org_gram.c.customer_id)
        .having(func.count(org_gram.c.gram) == len(grams))
        .subquery()
    )
    query = (
        select(customer.c.customer_id, customer.c.customer_name)
        .join(having, having.c.customer_id == customer.c.customer_id)
        .where(*in_scope(context, customer.c.hall_code, customer.c.district_code))
    )
    if after_id:  # '' is NULL, and nothing is greater than NULL
        query = query.where(customer.c.customer_id > after_id)
    return list(conn.execute(query.order_by(customer.c.customer_id).limit(limit)))


def account(conn: Connection, account_id: str) -> Row[Any] | None:
    return conn.execute(select(account_ref).where(account_ref.c.account_id == account_id)).one_or_none()


def add_account(conn: Connection, **values: Any) -> None:
    conn.execute(insert(account_ref).values(**values))


def add_accounts(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    conn.execute(insert(account_ref), list(rows))


def change_account(conn: Connection, account_id: str, **values: Any) -> None:
    conn.execute(update(account_ref).where(account_ref.c.account_id == account_id).values(**values))


def all_accounts(conn: Connection) -> list[Row[Any]]:
    return list(conn.execute(select(account_ref).order_by(account_ref.c.account_id)))


def drop_account(conn: Connection, account_id: str) -> None:
    conn.execute(delete(account_ref).where(account_ref.c.account_id == account_id))


def members_of(conn: Connection, group_customer_id: str, limit: int) -> list[Row[Any]]:
    """Members of a group customer, in order of number."""
    query = select(customer).where(customer.c.group_customer_id == group_customer_id)
    return list(conn.execute(query.order_by(customer.c.customer_no).limit(limit)))
