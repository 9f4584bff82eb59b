"""``onehall provisioning``: connected by systems.toml to simulators, worked, compared and mended by commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_api.business.provisioning import service
from server_api.business.provisioning.news import NewTask
from server_api.business.provisioning.registry import build_simulator
from server_api.business.provisioning.sites import SITES, read_sites
from server_api.business.provisioning.training import Training
from server_api.cli.main import main
from server_api.platform.database import open_databases
from server_api.platform.secrets import Secrets
from server_api.settings import load_settings
from tests.support.business import do

pytestmark = pytest.mark.one_engine


@pytest.fixture
def training() -> Iterator[Training]:
    before = SITES.all
    with Training(build_simulator("srun"), build_simulator("switch_mml")) as running:
        yield running
    SITES.connect({site.name: site for site in before})


@pytest.fixture
def data_dir(tmp_path: Path, training: Training) -> Path:
    """An installation with a broadband manager, an exchange, and commands for both and for one that is not there."""
    folder = tmp_path / "data"
    assert main(["db", "upgrade", "--data-dir", str(folder)]) == 0
    srun, switch = training.simulators
    (folder / "srun.key").write_text(f"{srun.settings()['app_secret']}\n")
    (folder / "mml.key").write_text(f"{switch.settings()['password']}\n")
    (folder / "systems.toml").write_text(
        f'[srun]\nbase_url = "http://127.0.0.1:{srun.port}"\napp_secret = {{ file = "srun.key" }}\n'
        f'[east]\nadapter = "switch_mml"\nhost = "127.0.0.1"\nport = {switch.port}\noperator = "onehall"\n'
        'password = { file = "mml.key" }\n'
    )
    SITES.connect(read_sites(folder))
    settings = load_settings(folder)
    databases = open_databases(
        settings.business_url, settings.billing_url, secrets=Secrets.from_file(settings.key_file)
    )
    tasks = [
        NewTask("srun", "kd1", "open", {"password": "geheim-1", "product_id": "3"}),
        NewTask("srun", "kd1", "suspend"),
        NewTask("east", "3961234", "open", {"equipment": "10.0.0.1:2944", "terminal": "A1"}),
        NewTask("nowhere", "8200", "open"),
    ]
    do(databases.business, lambda uow: service.request_tasks(uow, order_id="", item_id="", tasks=tasks) and None)
    databases.close()
    return folder


def test_commands_are_worked_and_mended(
    data_dir: Path, training: Training, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    def run(*words: str) -> tuple[int, object]:
        capsys.readouterr()
        code = main(["provisioning", "--data-dir", str(data_dir), "--lang", "en", "--json", *words])
        said = capsys.readouterr().out.strip()
        return code, json.loads(said) if said else None

    assert run("work", "--until-idle")[0] == 0
    code, standings = run("status")
    assert code == 1, "something waits for a person"
    assert {one["system"]: one["counts"] for one in standings} == {  # type: ignore[attr-defined]
        "srun": {"done": 2}, "east": {"done": 1}, "nowhere": {"manual": 1},
    }  # fmt: skip
    srun, switch = training.simulators
    assert srun.book["kd1"]["status"] == "1"
    assert switch.book["3961234"]["status"] == "normal"
    task_id = run("queue")[1][0]["task_id"]  # type: ignore[index]
    assert run("retry", task_id)[0] == 1, "its system is not connected"
    assert run("settle", task_id, "--outcome", "done", "--reason", "by hand")[0] == 0
    assert run("queue") == (0, [])
    assert run("show", task_id)[1]["command"]["settle_reason"] == "by hand"  # type: ignore[index]

    assert run("reconcile")[0] == 0
    training.call(lambda: srun.book["kd1"].update(status="0"))
    assert run("reconcile", "srun")[0] == 1
    found = run("differences")[1]
    assert [(one["subscriber"], one["ours"], one["theirs"]) for one in found] == [("kd1", "1", "0")]  # type: ignore[attr-defined]
    assert run("differences", "--repair", found[0]["difference_id"], "--reason", "x")[0] == 0  # type: ignore[index]
    assert run("work", "--until-idle", "--system", "srun")[0] == 0
    assert srun.book["kd1"]["status"] == "1"
    assert run("stop", "srun", "--reason", "maintenance")[0] == 0
    assert run("start", "srun")[0] == 0
