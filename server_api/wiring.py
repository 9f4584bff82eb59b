"""Who hears what, over both sides. With app.py the only file that knows the slices.

A slice says what it hears in ``wire(wiring: Wiring)`` in its jobs.py (see platform/registry.py for the verbs) and gets
one import and one entry of ``WIRES`` here, in the order in which listeners of one piece of news shall run.
"""

from __future__ import annotations

from collections.abc import Callable

from server_api.billing.account import jobs as account
from server_api.billing.bill import jobs as bill
from server_api.billing.cashdesk import jobs as cashdesk
from server_api.billing.ledger import jobs as ledger
from server_api.billing.payment import jobs as payment
from server_api.billing.payment.fapiao.provider import DESK
from server_api.billing.rating import jobs as rating
from server_api.billing.usage import jobs as usage
from server_api.business.inventory import jobs as inventory
from server_api.business.ordering import jobs as ordering
from server_api.business.party import jobs as party
from server_api.business.provisioning import jobs as provisioning
from server_api.business.provisioning.sites import SITES, read_sites
from server_api.business.resource import jobs as resource
from server_api.business.trouble import jobs as trouble
from server_api.business.workorder import jobs as workorder
from server_api.faces.joined import proofs
from server_api.platform import upkeep
from server_api.platform.database import Databases
from server_api.platform.facts.dispatcher import Crossing
from server_api.platform.registry import Wiring
from server_api.settings import Settings

#: One line a slice, lowest slice first.
WIRES: tuple[Callable[[Wiring], None], ...] = (
    upkeep.wire,
    ledger.wire,
    account.wire,
    cashdesk.wire,
    usage.wire,
    rating.wire,
    bill.wire,
    payment.wire,
    party.wire,
    resource.wire,
    inventory.wire,
    provisioning.wire,
    workorder.wire,
    ordering.wire,
    trouble.wire,
    proofs.wire,
)


def new_wiring() -> Wiring:
    """All that the slices hear, collected."""
    wiring = Wiring()
    for wire in WIRES:
        wire(wiring)
    return wiring


def wire_databases(databases: Databases) -> Wiring:
    """Attach every listener to this pair of databases and return the wiring. Each process calls it once, and tests."""
    wiring = new_wiring()
    wiring.attach(databases)
    return wiring


def connect_outside(settings: Settings) -> None:
    """Connect this process to the systems outside that the settings name. What is not named is refused, not faked."""
    SITES.connect(read_sites(settings.data_dir))
    secret = settings.fapiao_secret_file
    if settings.fapiao_url and secret is not None:
        from server_api.billing.payment.fapiao.remote import RemoteProvider  # HTTP is loaded where one is set up only

        DESK.connect(RemoteProvider(settings.fapiao_url, settings.fapiao_key_id, secret.read_bytes().strip()))
    else:
        DESK.connect(None)


def crossings(databases: Databases, wiring: Wiring) -> tuple[Crossing, Crossing]:
    """The two directions in which facts cross."""
    return (
        Crossing(databases.business, databases.billing, wiring.handlers["billing"], wiring.firsts("billing")),
        Crossing(databases.billing, databases.business, wiring.handlers["business"], wiring.firsts("business")),
    )
