"""The shadow compiler bites: each planted mistake is found, and good statements pass."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, case, exists, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from server_api.platform.dialects import dialect_for
from shared_models.tables.types import Code, Flag, Id, JsonText
from tests.support.shadow import _wrong_values, judge

_META = MetaData()
PLANT = Table(
    "plant", _META,
    Column("plant_id", Id(), primary_key=True), Column("name_of", Code(20)), Column("alive", Flag()),
    Column("height", Integer), Column("story", JsonText()),
)
RESERVED = Table("reserved", _META, Column("level", Integer, primary_key=True))
LOCK = dialect_for("postgresql://unused").lock


def _found(statement: object) -> str:
    return " | ".join(judge(statement))


@pytest.mark.parametrize(("statement", "said"), [
    (select(PLANT).where(PLANT.c.alive.is_(True)), "IS 1"),
    (select(RESERVED.c.level), "reserved"),
    (select(PLANT.c.plant_id).with_for_update(), "FOR UPDATE vanished"),
    (LOCK(select(PLANT.c.plant_id).order_by(PLANT.c.plant_id).limit(1), PLANT), "ORA-02014"),
    (select(PLANT.c.plant_id).limit(3), "order_by"),
    (select(exists().where(PLANT.c.height > 1)), "EXISTS"),
    (select(PLANT.c.plant_id).where(tuple_(PLANT.c.height, PLANT.c.name_of).in_([(1, "a")])), "tuples"),
    (select(PLANT.c.plant_id).order_by(PLANT.c.height.nulls_last()), "NULLS"),
    (select(func.greatest(PLANT.c.height, 1)), "function"),
    (select(func.now(), PLANT.c.height), "time comes"),
    (select(func.avg(PLANT.c.height)), "average"),
    (select(PLANT.c.name_of + PLANT.c.plant_id), "concatenate"),
    (select(func.count()).select_from(PLANT).group_by(case((PLANT.c.height > 5, 1), else_=0)), "GROUP BY"),
    (select(PLANT.c.plant_id).where(PLANT.c.story == {"a": 1}), "comparing a long text"),
    (select(PLANT.c.story).distinct(), "DISTINCT"),
    (select(PLANT.c.plant_id).order_by(PLANT.c.story), "sorting"),
    (select(PLANT.c.story).union(select(PLANT.c.story)), "UNION"),
    (postgresql_insert(PLANT).values(plant_id="1").on_conflict_do_nothing(), "does not compile"),
    (update(PLANT).values(height=RESERVED.c.level).where(PLANT.c.height == RESERVED.c.level), "does not compile"),
])
def test_each_mistake_is_found(statement: object, said: str) -> None:
    assert said in _found(statement)


@pytest.mark.parametrize("statement", [
    select(PLANT).where(PLANT.c.alive == True).order_by(PLANT.c.plant_id).limit(5),  # noqa: E712
    LOCK(select(PLANT.c.plant_id).where(PLANT.c.plant_id == "1"), PLANT),
    select(case((exists().where(PLANT.c.height > 1), 1), else_=0)),
    select(PLANT.c.name_of, func.count()).group_by(PLANT.c.name_of).having(func.count() > 1),
    select(PLANT.c.plant_id).where(PLANT.c.story.is_not(None)),
    select(PLANT.c.plant_id).where(PLANT.c.name_of.like("a\\_%", escape="\\")),
    insert(PLANT).values(plant_id="1", story={"a": 1}),
    update(PLANT).where(PLANT.c.plant_id == "1").values(story={"a": 1}, height=PLANT.c.height + 1),
    select(PLANT.c.story).union_all(select(PLANT.c.story)),
])
def test_good_statements_pass(statement: object) -> None:
    assert _found(statement) == ""


def test_values_are_looked_at_each_time() -> None:
    def values(statement: object) -> str:
        return " | ".join(_wrong_values(statement, statement._generate_cache_key().bindparams))  # type: ignore[attr-defined]

    assert "IN list of 901" in values(select(PLANT).where(PLANT.c.height.in_(range(901))))
    assert values(select(PLANT).where(PLANT.c.height.in_(range(900)))) == ""
    assert "empty text" in values(select(PLANT).where(PLANT.c.name_of > ""))
    assert values(insert(PLANT).values(name_of="")) == ""
    several = select(PLANT).where(*(PLANT.c.height.in_(range(800)) for _ in range(3)))
    assert "2400 parameters" in values(several)
