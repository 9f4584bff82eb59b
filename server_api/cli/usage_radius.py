"""``onehall usage radius serve | rate | simulate``: accounting as it happens, and what sessions used since, rated."""

from __future__ import annotations

import argparse
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import open_house

_PORT = 1813
_FAULTS = ("lost", "doubled", "out_of_order", "unheard_answer")


def add_radius(verbs: Any) -> None:
    """Add the verbs to ``usage``."""
    radius = verbs.add_parser("radius", help=t("usage.radius_help"))
    kinds = radius.add_subparsers(dest="radius_verb", required=True, metavar="VERB")
    serve = kinds.add_parser("serve", help=t("usage.radius_serve_help"))
    serve.add_argument("--host", default="0.0.0.0", help=t("usage.radius_host"))
    serve.add_argument("--port", type=int, default=_PORT, help=t("usage.radius_port"))
    serve.set_defaults(run=_serve)
    rate = kinds.add_parser("rate", help=t("usage.radius_rate_help"))
    rate.set_defaults(run=_rate)
    simulate = kinds.add_parser("simulate", help=t("usage.radius_simulate_help"))
    simulate.add_argument("--host", default="127.0.0.1", help=t("usage.radius_to"))
    simulate.add_argument("--port", type=int, default=_PORT, help=t("usage.radius_port"))
    simulate.add_argument("--secret-file", type=Path, required=True, metavar="FILE", help=t("usage.radius_secret"))
    simulate.add_argument("--logins", type=Path, metavar="FILE", help=t("usage.sample_logins"))
    simulate.add_argument("--sessions", type=int, default=100, help=t("usage.sample_sessions"))
    for fault in _FAULTS:
        simulate.add_argument(
            f"--{fault.replace('_', '-')}", type=int, default=0, metavar="N", help=t(f"usage.radius_{fault}")
        )
    simulate.set_defaults(run=_simulate)


def _serve(args: argparse.Namespace, console: Console) -> int:
    """Take accounting messages until stopped (Ctrl-C, or a service manager's SIGTERM)."""
    from server_api.billing.usage.radius.clients import read_clients
    from server_api.billing.usage.radius.listener import Listener, bound

    asked: list[int] = []
    with open_house(args, label="radius") as house:
        clients = read_clients(house.settings.data_dir)
        with bound(args.host, args.port) as made:
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, lambda number, _frame: asked.append(number))
            listener = Listener(house.databases.billing, clients, made)
            console.say(t("usage.radius_serving", host=args.host, port=made.getsockname()[1], clients=len(clients)))
            listener.serve(lambda: bool(asked))
    counts = asdict(listener.counts)
    console.say(t("usage.radius_stopped", **counts))
    console.result(counts)
    return OK


def _rate(args: argparse.Namespace, console: Console) -> int:
    """Close silent sessions and rate what sessions used since they were last rated."""
    from server_api.billing.rating.session_cuts import rate_sessions

    with open_house(args) as house:
        reports = rate_sessions(house.databases.billing, house.settings.data_dir / "spool")
    for report in reports:
        console.say(
            t(
                "usage.report",
                file=report.file_name,
                read=report.read_count,
                accepted=report.accepted_count,
                rejected=report.rejected_count,
                duplicate=report.duplicate_count,
                charge=report.charge_micro_yuan,
            )
        )
    if not reports:
        console.say(t("usage.radius_nothing"))
    console.result([report.model_dump(mode="json") for report in reports])
    return OK


def _simulate(args: argparse.Namespace, console: Console) -> int:
    """Send accounting of made-up sessions, as badly as asked for; for training and to try a network."""
    from server_api.billing.usage.radius.simulator import AccessServer, Faults

    secret = args.secret_file.read_text(encoding="utf-8").strip().encode()
    logins = args.logins.read_text(encoding="utf-8").split() if args.logins else [f"bb{at:05d}" for at in range(100)]
    faults = Faults(**{name: getattr(args, name) for name in _FAULTS})
    now_s = int(time.time())
    server = AccessServer((args.host, args.port), secret, faults, seed=now_s)
    given_up = server.run(server.sessions(logins, args.sessions, now_s))
    console.say(t("usage.radius_simulated", sent=server.sent, answered=server.answered, given_up=given_up))
    console.result({"sent": server.sent, "answered": server.answered, "given_up": given_up})
    return REFUSED if given_up else OK
