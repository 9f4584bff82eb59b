"""What a running server holds for its faces; app.py makes it, routes reach it through their caller."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from fastapi import FastAPI, Request

from server_api.billing.rating.credit.desk import Desk
from server_api.faces.edge.doorkeeper import Doorkeeper
from server_api.faces.edge.metrics import Metrics
from server_api.faces.edge.sessions import Sessions
from server_api.platform.database import Databases


@dataclass
class FaceState:
    """The databases, who is signed in, and the small pool in which passwords are hashed."""

    databases: Databases
    sessions: Sessions
    metrics: Metrics
    version: str
    started_at_s: float
    language: str = "zh_CN"
    secure_cookies: bool = True
    doorkeeper: Doorkeeper = field(default_factory=Doorkeeper)
    # One thread: a password costs 50 ms of one core, and a rush of sign-ins must not take the payments' core as well.
    hashing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="hashing"))

    @cached_property
    def pricing(self) -> Desk:
        """Where prices are worked out: a process of its own, started with the first question."""
        return Desk(self.databases.billing)

    def close(self) -> None:
        """Let the hashing thread and the pricing process end."""
        self.hashing.shutdown(wait=True, cancel_futures=True)
        if "pricing" in self.__dict__:
            self.pricing.close()


def keep(app: FastAPI, state: FaceState) -> None:
    """Put the state where every request finds it."""
    app.state.faces = state


def of(request: Request) -> FaceState:
    """The state of the server this request came to."""
    found = request.app.state.faces
    if not isinstance(found, FaceState):
        raise TypeError("the application was made without its state")
    return found
