"""What people do: look, settle, stop, compare, mend; over the hall's routes and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_api.business.provisioning import service
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.news import NewTask
from server_api.business.provisioning.reconcile import reconcile
from server_api.business.provisioning.registry import build_simulator
from server_api.business.provisioning.service import reading
from server_api.business.provisioning.simulation import FaultMenu
from server_api.business.provisioning.sites import SITES, read_sites
from server_api.business.provisioning.training import Training, site_to
from server_api.cli.main import main
from server_api.platform.database import Databases
from shared_models.values.faults.provisioning import DifferenceNotOpen, SystemsNotValid
from shared_models.values.ids import new_id
from tests.support.audits import noted
from tests.support.business import do
from tests.support.hall import open_hall
from tests.support.network import connected, request, states, work

PACE = {"timeout_s": 0.5, "night": "", "retry_s": 0.05}
OPERATOR = "network_operator"


@pytest.fixture
def training() -> Iterator[Training]:
    simulator = build_simulator("srun", FaultMenu(seed=3))
    with Training(simulator) as running, connected(site_to(simulator, pace=PACE)):
        yield running


@pytest.fixture
def site(training: Training) -> Site:
    return site_to(training.simulators[0], pace=PACE)


def opened(name: str) -> NewTask:
    return NewTask("srun", name, "open", {"password": "geheim-7788", "product_id": "3", "real_name": "王秀兰"})


def test_the_nightly_comparison_lists_and_people_mend(databases: Databases, training: Training, site: Site) -> None:
    business, simulator = databases.business, training.simulators[0]
    request(business, *(opened(f"kd{number}") for number in range(6)), NewTask("srun", "kd5", "close"))
    assert work(business, [site]) == {"done": 7}
    assert reconcile(business, site).differences == 0

    def meddle() -> None:
        simulator.book["kd0"]["status"] = "1"
        simulator.book["kd1"]["product_id"] = "9"
        del simulator.book["kd2"]
        simulator.book["stranger"] = {"status": "0", "product_id": "3", "sessions": 1}

    training.call(meddle)
    compared = reconcile(business, site)
    assert (compared.differences, compared.gone) == (4, 0)
    assert reconcile(business, site).differences == 4, "seen again, not listed twice"
    with business.reading() as connection:
        rows = {(row.subscriber, row.kind): row for row in reading.open_differences(connection)}
    assert set(rows) == {("kd0", "differs"), ("kd1", "differs"), ("kd2", "missing"), ("stranger", "extra")}
    assert (rows["kd1", "differs"].ours, rows["kd1", "differs"].theirs) == ("3", "9")

    mended = rows["kd0", "differs"].difference_id
    do(business, lambda uow: service.repair_difference(uow, difference_id=mended, reason="手工改错") and None)
    do(business, lambda uow: service.accept_difference(
        uow, difference_id=rows["kd1", "differs"].difference_id, reason="自助改速"))  # fmt: skip
    do(business, lambda uow: service.repair_difference(
        uow, difference_id=rows["kd2", "missing"].difference_id, reason="误删") and None)  # fmt: skip
    with pytest.raises(DifferenceNotOpen):
        do(business, lambda uow: service.repair_difference(
            uow, difference_id=rows["stranger", "extra"].difference_id, reason="x") and None)  # fmt: skip
    assert work(business, [site]) == {"done": 9}
    assert training.call(lambda: (simulator.book["kd0"]["status"], "kd2" in simulator.book)) == ("0", True)
    assert {effect.what for effect in simulator.effects[-2:]} == {"status=0", "opened"}
    compared = reconcile(business, site)
    assert (compared.differences, compared.gone) == (1, 0)
    with business.reading() as connection:
        assert [row.subscriber for row in reading.open_differences(connection)] == ["stranger"]
    training.call(lambda: simulator.book.pop("stranger"))
    assert reconcile(business, site).gone == 1


def test_a_system_that_is_away_is_not_compared(databases: Databases, training: Training, site: Site) -> None:
    training.run(training.simulators[0].stop())
    compared = reconcile(databases.business, site)
    assert compared.error
    assert compared.differences == 0


def test_the_routes(databases: Databases, training: Training, site: Site, tmp_path: Path) -> None:
    order_id = new_id()
    with open_hall(databases, tmp_path) as hall:
        SITES.connect({"srun": site})
        (task_id,) = request(databases.business, opened("kd1"), order_id=order_id)
        waiting = hall.client.get(
            "/api/hall/provisioning/commands", params={"order_id": order_id}, headers=hall.headers("teller")
        ).json()["items"]
        assert [(one["task_id"], one["state"]) for one in waiting] == [(task_id, "waiting")]
        work(databases.business, [site])
        (live,) = hall.client.get(
            "/api/hall/provisioning/commands", params={"order_id": order_id}, headers=hall.headers("teller")
        ).json()["items"]
        assert (live["state"], live["act"], live["subscriber"]) == ("done", "open", "kd1")
        detail = hall.client.get(f"/api/hall/provisioning/commands/{task_id}", headers=hall.headers(OPERATOR))
        assert detail.status_code == 200
        assert detail.json()["steps"][0]["name"] == "users"
        assert "geheim" not in detail.text
        assert "王秀兰" not in detail.text
        denied = hall.client.get(f"/api/hall/provisioning/commands/{task_id}", headers=hall.headers("teller"))
        assert denied.status_code == 403
        assert hall.client.get("/api/hall/provisioning/commands", headers=hall.headers("teller")).status_code == 422

        (other,) = request(databases.business, NewTask("nowhere", "x1", "open"))
        queue = hall.client.get("/api/hall/provisioning/queue", headers=hall.headers(OPERATOR)).json()["items"]
        assert [one["task_id"] for one in queue] == [other]
        again = hall.client.post(
            f"/api/hall/provisioning/commands/{other}/retry", json={}, headers=hall.headers(OPERATOR)
        )
        assert (again.status_code, again.json()["code"]) == (404, "system_unknown")
        settled = hall.client.post(
            f"/api/hall/provisioning/commands/{other}/settle", json={"done": True, "reason": "电话局已办"},
            headers=hall.headers(OPERATOR),
        )  # fmt: skip
        assert settled.status_code == 204
        assert states(databases.business) == {"done": 2}
        assert noted(databases.business, "provisioning.settle.done") == {other: 1}
        systems = hall.client.get("/api/hall/provisioning/systems", headers=hall.headers("teller")).json()["items"]
        assert {one["system"]: one["counts"] for one in systems} == {"nowhere": {"done": 1}, "srun": {"done": 1}}
        stopped = hall.client.post(
            "/api/hall/provisioning/systems/srun/stop", json={"reason": "割接"}, headers=hall.headers(OPERATOR)
        )
        assert stopped.status_code == 204


@pytest.mark.one_engine
def test_secrets_are_named_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "systems.toml"
    assert read_sites(tmp_path) == {}
    file.write_text('[srun]\nbase_url = "https://x"\napp_secret = "clear"\n')
    with pytest.raises(SystemsNotValid) as wrong:
        read_sites(tmp_path)
    assert "clear" not in str(wrong.value)
    (tmp_path / "secret").write_text("s3cret\n")
    file.write_text('[bras]\nadapter = "srun"\nbase_url = "https://x"\napp_secret = { file = "secret" }\n')
    site = read_sites(tmp_path)["bras"]
    assert site.secret("app_secret") == "s3cret"
    assert "s3cret" not in repr(site)
    monkeypatch.setenv("SRUN_SECRET", "from-env")
    file.write_text('[srun]\nbase_url = "https://x"\napp_secret = { env = "SRUN_SECRET" }\n[srun.pace]\nsessions = 3\n')
    site = read_sites(tmp_path)["srun"]
    assert (site.secret("app_secret"), site.pace.sessions) == ("from-env", 3)
    for wrong_line in ('colour = "red"', "base_url = 7", "pace = { sessions = 0 }", "pace = { night = 'x' }"):
        file.write_text(
            f'[srun]\nbase_url = "https://x"\n{wrong_line}\n'.replace('base_url = "https://x"\nbase', "base")
        )
        with pytest.raises(SystemsNotValid):
            read_sites(tmp_path)


@pytest.mark.one_engine
def test_simulate_lists_and_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "simulate"]) == 0
    assert "srun" in json.loads(capsys.readouterr().out)["systems"]
    assert main(["simulate", "no-such-system"]) == 1
    assert main(["simulate", "srun", "--fault", "gremlins=1"]) == 1
