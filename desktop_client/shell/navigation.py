"""Which desks there are. A new desk is one line here; whether it is shown follows from the session's permissions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop_client.shell.desk_work import DeskWork
from desktop_client.shell.page import Page
from desktop_client.wording import Wording
from desktop_client.work.runner import Runner
from shared_models.values.permissions import Permission

if TYPE_CHECKING:
    from desktop_client.gateway.http import HallHttp
    from desktop_client.shell.bridge import Bridge


@dataclass(frozen=True, slots=True)
class DeskTools:
    """What a desk is made from."""

    http: HallHttp
    runner: Runner
    work: DeskWork
    bridge: Bridge
    wording: Wording


@dataclass(frozen=True, slots=True)
class DeskEntry:
    """A desk in the navigation."""

    name: str
    key: str
    icon: str
    permission: Permission
    make: Callable[[DeskTools], Page]


def _counter(tools: DeskTools) -> Page:
    from desktop_client.desks.counter.page import CounterPage
    from desktop_client.desks.counter.presenter import CounterPresenter
    from desktop_client.gateway.customers import CustomersApi
    from desktop_client.gateway.payments import PaymentsApi

    presenter = CounterPresenter(
        runner=tools.runner, customers=CustomersApi(tools.http), payments=PaymentsApi(tools.http), work=tools.work,
        bridge=tools.bridge, wording=tools.wording,
    )
    return CounterPage(presenter, tools.wording)


def _till(tools: DeskTools) -> Page:
    from desktop_client.desks.till.page import TillPage
    from desktop_client.desks.till.presenter import TillPresenter
    from desktop_client.gateway.till import TillApi

    presenter = TillPresenter(
        runner=tools.runner, till=TillApi(tools.http), work=tools.work, bridge=tools.bridge, wording=tools.wording
    )
    return TillPage(presenter, tools.wording)


DESKS: tuple[DeskEntry, ...] = (
    DeskEntry("counter", "F2", "counter", Permission.CUSTOMER_VIEW, _counter),
    DeskEntry("till", "F3", "till", Permission.TILL_OPERATE, _till),
)
