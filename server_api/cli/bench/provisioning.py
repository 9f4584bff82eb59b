"""``onehall bench provisioning``: commands through the engine to a simulated system and back, beside the bare limit.

The simulator runs in a process of its own. Bare is the adapter alone: plan, execute and read back with as many
requests under way, no database, no order, no transcript. Then the engine, clean and with faults, on a fresh embedded
pair of databases; and a mass suspension laid out, beside the insert of the very same rows with nothing around.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t

_CHUNK = 500
_SEED = 11


def add_bench(subparsers: Any) -> None:
    """Add ``provisioning`` to ``onehall bench``."""
    parser = subparsers.add_parser("provisioning", help=t("bench.provisioning"), description=t("bench.provisioning"))
    parser.add_argument("--system", default="srun", help=t("bench.provisioning_system"))
    parser.add_argument("--commands", type=int, default=10_000, help=t("bench.provisioning_commands"))
    parser.add_argument("--sessions", type=int, default=64, help=t("bench.provisioning_sessions"))
    parser.add_argument("--faults", type=float, default=0.2, help=t("bench.provisioning_faults"))
    parser.add_argument("--mass", type=int, default=100_000, help=t("bench.provisioning_mass"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print; refused where a command was lost, doubled or left without an end."""
    folder = Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    figures: dict[str, Any] = {}
    try:
        figures["bare"] = _bare(args, console)
        figures["clean"] = _engine(folder / "clean", args, 0.0)
        share = figures["clean"]["per_s"] / max(1, figures["bare"]["per_s"])
        console.say(t("bench.provisioning_clean", share=share, **_shown(figures["clean"])))
        if args.faults:
            figures["faulty"] = _engine(folder / "faulty", args, args.faults)
            console.say(t("bench.provisioning_faulty", faults=args.faults, **_shown(figures["faulty"])))
        if args.mass:
            figures["planned"] = _planned(folder / "mass", args.mass)
            console.say(t("bench.provisioning_planned", **figures["planned"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.result(figures)
    runs = [figures[name] for name in ("clean", "faulty") if name in figures]
    right = all(not one["lost"] and not one["doubled"] for one in runs) and set(runs[0]["ends"]) == {"done"}
    return OK if right else REFUSED


def _shown(figures: dict[str, Any]) -> dict[str, Any]:
    ends = ", ".join(f"{name} {number:,}" for name, number in sorted(figures["ends"].items()))
    return {**figures, "ends": ends, "met": sum(figures["met"].values())}


# ---- the other side -------------------------------------------------------------------------------------------------
class _Peer:
    """A simulator in a process of its own."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.settings: dict[str, Any] = told["settings"]
        self._control = f"http://127.0.0.1:{told['control_port']}"

    def ask(self, path: str) -> Any:
        """What the control port says."""
        with urllib.request.urlopen(self._control + path, timeout=60) as reply:
            return json.load(reply)


@contextmanager
def _peer(system: str, faults: float) -> Iterator[_Peer]:
    from server_api.business.provisioning.simulation import Fault

    command = [sys.executable, "-m", "server_api.cli.main", "--json", "simulate", system, "--seed", str(_SEED)]
    if faults:
        command += [f"--fault={fault}={faults / len(Fault):.5f}" for fault in Fault]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield _Peer(json.loads(process.stdout.readline())["simulators"][0])
    finally:
        process.terminate()
        process.wait(20)


def _site(peer: _Peer, args: argparse.Namespace) -> Any:
    from server_api.business.provisioning.manifest import site_of
    from server_api.business.provisioning.registry import manifest_of

    manifest = manifest_of(args.system)
    secrets = {f.name: str(peer.settings.get(f.name, "")) for f in manifest.settings.values() if f.kind == "secret"}
    pace = {
        "commands_per_s": 100_000, "sessions": args.sessions, "night": "", "timeout_s": 1.0, "retry_s": 0.2,
        "attempts": 8,
    }  # fmt: skip
    return site_of(manifest, args.system, {**peer.settings, "pace": pace}, secrets)


def _firsts(system: str, count: int) -> Sequence[Any]:
    """The first command of so many fresh subscribers."""
    from server_api.business.provisioning.registry import story

    return [story(system, number)[0] for number in range(count)]


# ---- the measurements -----------------------------------------------------------------------------------------------
def _bare(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from server_api.business.provisioning import attempt
    from server_api.business.provisioning.contract import Plan
    from server_api.business.provisioning.registry import connect

    count = max(1_000, args.commands // 5)

    async def measure(site: Any) -> float:
        adapter = connect(site)
        acts = site.manifest.acts
        tasks = iter(_firsts(args.system, count))
        begun_at = time.perf_counter()

        async def keep_asking() -> None:
            for task in tasks:
                plan = await attempt.begin(adapter, _checked(acts, task), sent=False)
                assert isinstance(plan, Plan)
                await attempt.finish(adapter, plan, readable=acts[task.act].readable)

        await asyncio.gather(*(keep_asking() for _ in range(args.sessions)))
        took = time.perf_counter() - begun_at
        await adapter.close()
        return took

    with _peer(args.system, 0.0) as peer:
        seconds = asyncio.run(measure(_site(peer, args)))
    figures = {"count": count, "seconds": seconds, "per_s": round(count / seconds)}
    console.say(t("bench.provisioning_bare", **figures))
    return figures


def _checked(acts: Any, task: Any) -> Any:
    from dataclasses import replace

    return replace(task, wanted=acts[task.act].checked(task.wanted))


def _engine(folder: Path, args: argparse.Namespace, faults: float) -> dict[str, Any]:
    """All commands asked for, then worked to their ends."""
    from server_api.business.provisioning.engine import run_until_idle
    from server_api.business.provisioning.news import NewTask
    from server_api.business.provisioning.sites import SITES

    database = _fresh(folder)
    try:
        with _peer(args.system, faults) as peer:
            site = _site(peer, args)
            SITES.connect({site.name: site})
            tasks = _firsts(args.system, args.commands)
            wanted = [NewTask(site.name, task.subscriber, task.act, task.wanted) for task in tasks]
            _ask(database, wanted)
            begun_at = time.perf_counter()
            assert run_until_idle(database, [site], lambda: not _open(database), 600), "no end in ten minutes"
            seconds = time.perf_counter() - begun_at
            effects, met = peer.ask("/effects"), peer.ask("/faults")["met"]
        ends = _ends(database)
        done = _done_subscribers(database)
    finally:
        database.close()
    took_effect = Counter(tuple(effect) for effect in effects)
    lost = args.commands - sum(ends.values()) + len(done - {subscriber for subscriber, _what in took_effect})
    return {
        "count": args.commands, "seconds": seconds, "per_s": round(args.commands / seconds), "ends": ends, "met": met,
        "lost": lost, "doubled": sum(1 for number in took_effect.values() if number > 1),
    }  # fmt: skip


def _planned(folder: Path, count: int) -> dict[str, Any]:
    """A mass suspension laid out for subscribers that are known, and the bare insert of the same rows."""
    from server_api.business.provisioning.manifest import site_of
    from server_api.business.provisioning.news import Lane, NewTask, Priority
    from server_api.business.provisioning.registry import manifest_of
    from server_api.business.provisioning.sites import SITES

    manifest = manifest_of("srun")
    SITES.connect({"srun": site_of(manifest, "srun", {"base_url": "http://127.0.0.1:9"})})
    database = _fresh(folder)
    try:
        names = [f"kd{number}" for number in range(count)]
        _ask(database, [NewTask("srun", name, "resume") for name in names])
        wanted = [NewTask("srun", name, "suspend", {}, Lane.BULK, Priority.SUSPEND) for name in names]
        begun_at = time.perf_counter()
        _ask(database, wanted)
        seconds = time.perf_counter() - begun_at
        bare_s = _bare_insert(database, count)
    finally:
        database.close()
    return {"count": count, "seconds": seconds, "per_s": round(count / seconds), "bare_s": bare_s}


def _fresh(folder: Path) -> Any:
    import os

    from server_api.platform.database import Database
    from server_api.platform.secrets import Secrets

    folder.mkdir(parents=True)
    database = Database("business", f"sqlite:///{folder / 'business.db'}", secrets=Secrets(os.urandom(32)))
    database.create_all()
    return database


def _ask(database: Any, wanted: Sequence[Any]) -> None:
    from server_api.platform.acts import Act, digest_of, perform
    from shared_models.contracts.work import system_context
    from shared_models.values.ids import new_id

    for start in range(0, len(wanted), _CHUNK):
        chunk = [(new_id(), "1", task) for task in wanted[start : start + _CHUNK]]
        act = Act(new_id(), "bench", digest_of(start), system_context("bench"))
        perform(database, act, _asking(chunk))


def _asking(chunk: list[Any]) -> Any:
    from server_api.business.provisioning import service

    def work(uow: Any) -> None:
        service.request_many(uow, wanted=chunk)

    return work


def _bare_insert(database: Any, count: int) -> float:
    from shared_models.tables.business.provisioning import prov_task
    from shared_models.values.ids import new_id

    columns = (
        "task_id", "system_name", "subscriber_key", "task_no", "act_name", "wanted", "lane", "rank_no", "order_id",
        "item_id", "state", "in_doubt", "due_at", "try_count", "word_count", "asked_at",
    )  # fmt: skip
    now = database.dialect.raw_instant(database.clock.now())
    rows = [
        (new_id(), "srun", f"kd{number}", 3, "suspend", '{"status":"1"}', "bulk", 1090, new_id(), "1", "waiting", 0,
         now, 0, 0, now)
        for number in range(count)
    ]  # fmt: skip
    begun_at = time.perf_counter()
    database.write_rows(prov_task, columns, rows)
    return time.perf_counter() - begun_at


def _counts(database: Any) -> Counter[str]:
    from server_api.business.provisioning.store import tasks

    found: Counter[str] = Counter()
    with database.reading() as connection:
        for row in tasks.counts(connection):
            found[row.state] += row.tasks
    return found


def _open(database: Any) -> int:
    time.sleep(0.1)
    counts = _counts(database)
    return counts["waiting"] + counts["sent"]


def _ends(database: Any) -> dict[str, int]:
    return {state: number for state, number in _counts(database).items() if state in ("done", "refused", "manual")}


def _done_subscribers(database: Any) -> set[str]:
    from server_api.business.provisioning.store import tasks

    with database.reading() as connection:
        return {row.subscriber_key for row in tasks.listed(connection, "done", limit=10_000_000)}
