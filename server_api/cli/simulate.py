"""``onehall simulate [SYSTEM …]``: the systems on the other side, to train and test against. Without a name: a list."""

from __future__ import annotations

import argparse
import asyncio
import signal
from importlib import import_module
from typing import TYPE_CHECKING, Any

from server_api.cli.console import OK, REFUSED, Console, t

if TYPE_CHECKING:
    from server_api.business.provisioning.simulation import FaultMenu, Simulator

#: Simulators that are no provisioning adapter: name → module with ``build(menu, *, port, control_port)``.
_MORE: dict[str, str] = {}


def add_commands(subparsers: Any) -> None:
    """``simulate``."""
    parser = subparsers.add_parser("simulate", help=t("simulate.help"), description=t("simulate.description"))
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=t("simulate.systems"))
    parser.add_argument("--port", type=int, default=0, help=t("simulate.port"))
    parser.add_argument("--control-port", type=int, default=0, help=t("simulate.control_port"))
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT[:KIND]=N|P", help=t("simulate.fault"))
    parser.add_argument("--seed", type=int, default=0, help=t("simulate.seed"))
    parser.set_defaults(run=_simulate)


def _simulate(args: argparse.Namespace, console: Console) -> int:
    from server_api.business.provisioning.pacing import loop_factory
    from server_api.business.provisioning.registry import adapter_names, build_simulator

    known = (*adapter_names(), *sorted(_MORE))
    if not args.systems:
        for name in known:
            console.say(name)
        console.result({"systems": list(known)})
        return OK
    unknown = [name for name in args.systems if name not in known]
    if unknown:
        console.complain(t("simulate.unknown", names=", ".join(unknown), known=", ".join(known)))
        return REFUSED
    made = []
    for place, name in enumerate(args.systems):
        menu = _menu(args.fault, args.seed)
        if menu is None:
            console.complain(t("simulate.fault_wrong"))
            return REFUSED
        port, control = (args.port + place if args.port else 0), (args.control_port + place if args.control_port else 0)
        if name in _MORE:
            made.append(import_module(_MORE[name]).build(menu, port=port, control_port=control))
        else:
            made.append(build_simulator(name, menu, port=port, control_port=control))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(made, console))
    return OK


def _menu(faults: list[str], seed: int) -> FaultMenu | None:
    """The menu of ``no_reply:write=3`` (the next three) and ``busy=0.1`` (one in ten); None where one is wrong."""
    from server_api.business.provisioning.simulation import Fault, FaultMenu, Kind

    menu = FaultMenu(seed=seed)
    for told in faults:
        what, _is, how = told.partition("=")
        fault, _of, kind = what.partition(":")
        try:
            count, probability = (int(how), 0.0) if how.isdigit() else (0, float(how))
            menu.add(Fault(fault), on=Kind(kind) if kind else None, count=count, probability=probability)
        except ValueError:
            return None
    return menu


async def _run(simulators: list[Simulator], console: Console) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    for simulator in simulators:
        await simulator.start()
        console.say(t("simulate.started", system=simulator.system, port=simulator.port, control=simulator.control_port))
        console.say(_toml(simulator))
    console.result({
        "simulators": [
            {"system": one.system, "port": one.port, "control_port": one.control_port, "settings": one.settings()}
            for one in simulators
        ]
    })  # fmt: skip
    while not stop.is_set():  # woken now and then: on Windows a signal alone does not wake the loop
        try:
            await asyncio.wait_for(stop.wait(), 0.5)
        except TimeoutError:
            continue
    for simulator in simulators:
        await simulator.stop()
    console.say(t("simulate.stopped"))


def _toml(simulator: Simulator) -> str:
    """The lines of systems.toml that connect to it; its secrets are no secrets."""
    from server_api.business.provisioning.registry import adapter_names, manifest_of

    secrets = set()
    if simulator.system in adapter_names():
        fields = manifest_of(simulator.system).settings.values()
        secrets = {field.name for field in fields if field.kind == "secret"}
    lines = [f"  [{simulator.system}]"]
    for name, value in simulator.settings().items():
        if name in secrets:
            lines.append(f'  {name} = {{ env = "SIMULATED_{name.upper()}" }}  # {value}')
        else:
            shown = str(value).lower() if isinstance(value, bool) else value if isinstance(value, int) else f'"{value}"'
            lines.append(f"  {name} = {shown}")
    return "\n".join(lines)
