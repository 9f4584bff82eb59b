"""``onehall usage radius serve | rate``: accounting taken as it happens, and what sessions used since, rated."""

from __future__ import annotations

import argparse
import signal
from dataclasses import asdict
from typing import Any

from server_api.cli.console import OK, Console, t
from server_api.cli.house import open_house

_PORT = 1813


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
