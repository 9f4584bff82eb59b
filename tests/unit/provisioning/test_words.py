"""Manifests, masks, ranks, pauses, differences: the small rules."""

from __future__ import annotations

import asyncio
from datetime import time
from pathlib import Path

import pytest

from server_api.business.provisioning import rules
from server_api.business.provisioning.manifest import ManifestNotValid, Window, pace_of, read_manifest
from server_api.business.provisioning.masking import Masker
from server_api.business.provisioning.news import Priority
from server_api.business.provisioning.pacing import Gate, Health, Rate, pause_s
from server_api.business.provisioning.registry import adapter_names, manifest_of
from server_api.business.provisioning.simulation import Fault, FaultMenu, Kind

MINIMAL = '[acts.open]\n[acts.open.fields.n]\nkind = "number"\nrequired = true\n'


def test_every_shipped_manifest_can_be_read() -> None:
    assert "srun" in adapter_names()
    for name in adapter_names():
        manifest = manifest_of(name)
        assert manifest.acts
        assert manifest.pace.batch <= 200


@pytest.mark.parametrize(
    "text",
    [
        "acts = 3",
        'name = "x"',
        'name = "x"\n[acts.open.fields.a]\nkind = "money"',
        'name = "x"\n[acts.open.fields.a]\nkind = "choice"\nvalues = ["1"]\ndefault = "2"',
        f'name = "x"\n[pace]\nbatch = 201\n{MINIMAL}',
        f'name = "x"\n[pace]\nspeed = 1\n{MINIMAL}',
        'name = "x"\n[acts.open.sets]\nstatus = "0"',
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(tmp_path: Path, text: str) -> None:
    file = tmp_path / "manifest.toml"
    file.write_text(text)
    with pytest.raises(ManifestNotValid) as wrong:
        read_manifest(file)
    assert "manifest.toml" in str(wrong.value)


def test_fields_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "manifest.toml"
    file.write_text('name = "x"\n' + MINIMAL)
    act = read_manifest(file).acts["open"]
    assert act.checked({"n": 3}) == {"n": 3}
    for wrong in ({}, {"n": "3"}, {"n": True}, {"n": 1, "m": 2}):
        with pytest.raises(ManifestNotValid):
            act.checked(wrong)  # type: ignore[arg-type]


def test_the_night_may_pass_midnight() -> None:
    night = Window.parsed("22:00-06:00")
    assert [night.open_at(time(hour)) for hour in (21, 22, 23, 0, 5, 6, 12)] == [
        False, True, True, True, True, False, False,
    ]  # fmt: skip
    assert Window.parsed("").open_at(time(12))
    assert not Window.parsed("08:00-20:00").open_at(time(20))
    with pytest.raises(ManifestNotValid):
        pace_of({"night": "late"}, manifest_of("srun").pace)


def test_secrets_are_masked_wherever_they_stand() -> None:
    masker = Masker(["s3cret/+", "ab"])
    assert masker.mask("appSecret=s3cret%2F%2B&x=s3cret/+") == "appSecret=***&x=***"
    assert masker.mask('LGI:OP="admin",PWD="hunter2";') == 'LGI:OP="admin",PWD="***";'
    assert masker.mask("LOGIN:::1::UN=root,PWD=topsecret;") == "LOGIN:::1::UN=***,PWD=***;"
    assert masker.mask('{"access_token": "T-9", "user": "kd1"}') == '{"access_token": "***", "user": "kd1"}'
    assert masker.mask("user_password=x&user_name=kd1") == "user_password=***&user_name=kd1"
    assert masker.mask("say xyzzy and ab", ["xyzzy"]) == "say *** and ab", "two letters hide nothing"


def test_resumes_first_mass_suspensions_last() -> None:
    ranks = [
        rules.rank_of(bulk=bulk, priority=priority)
        for bulk in (False, True)
        for priority in (Priority.RESUME, Priority.NORMAL, Priority.SUSPEND)
    ]
    assert ranks == sorted(ranks)
    assert [rules.is_bulk(rank) for rank in ranks] == [False] * 3 + [True] * 3


def test_only_what_we_set_is_compared() -> None:
    assert rules.differences({"status": "0"}, {"status": 0, "sessions": 4}) == []
    assert rules.differences({"on": True}, {"on": "1"}) == []
    assert rules.differences({"status": "0"}, {"status": "1"}) == [("differs", "status", "0", "1")]
    assert rules.differences(None, None) == []
    assert rules.differences({"a": 1}, None)[0][0] == "missing"
    assert rules.differences(None, {"a": 1})[0][0] == "extra"


def test_pauses_double_and_end_at_a_minute() -> None:
    assert 0.75 <= pause_s(1.0, 1) <= 1.25
    assert 3.0 <= pause_s(1.0, 3) <= 5.0
    assert pause_s(1.0, 40) <= 75.0


def test_the_rate_is_kept() -> None:
    rate = Rate(20)
    assert [rate.take() for _ in range(4)] == [True, True, False, False]
    assert 0 < rate.wait_s <= 0.05


def test_places_go_by_rank() -> None:
    async def run() -> list[int]:
        gate, entered = Gate(1), []

        async def enter(rank: int) -> None:
            async with gate.place(rank):
                entered.append(rank)
                await asyncio.sleep(0.001)

        first = asyncio.create_task(enter(0))
        await asyncio.sleep(0)
        others = [asyncio.create_task(enter(rank)) for rank in (1090, 50, 10, 1050)]
        await asyncio.sleep(0)
        given_up = asyncio.create_task(enter(5))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(first, *others, given_up, return_exceptions=True)
        return entered

    assert asyncio.run(run()) == [0, 10, 50, 1050, 1090]


def test_some_silence_is_no_outage_a_shut_door_is() -> None:
    health = Health(timeout_s=5)
    for _ in range(20):
        health.met(unreachable=True, code="NO_REPLY")
    assert not health.down
    for _ in range(8):
        health.met(unreachable=True, code="CONNECT")
    assert health.down
    assert health.met(unreachable=False, code="")
    assert not health.down


def test_the_same_seed_gives_the_same_faults() -> None:
    def drawn() -> list[Fault | None]:
        menu = FaultMenu(seed=4)
        menu.add(Fault.BUSY, probability=0.3)
        menu.add(Fault.CUT, on=Kind.WRITE, count=2)
        return [menu.draw(kind) for kind in (Kind.READ, Kind.WRITE) * 10]

    assert drawn() == drawn()
    assert drawn().count(Fault.CUT) == 2
    assert Fault.ACK_WITHOUT_EFFECT not in [FaultMenu(rules=[]).draw(Kind.LOGIN)]
