"""Simulators run beside something else: in a thread of their own, for tools, tests and the demonstration."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self, TypeVar

from server_api.business.provisioning.manifest import Site, site_of
from server_api.business.provisioning.registry import manifest_of
from server_api.business.provisioning.simulation import Simulator

Result = TypeVar("Result")


def site_to(simulator: Simulator, name: str = "", pace: Mapping[str, Any] | None = None) -> Site:
    """The site by which a simulator is reached, under a name of its own."""
    manifest = manifest_of(simulator.system)
    settings = dict(simulator.settings())
    kept = {field.name for field in manifest.settings.values() if field.kind == "secret"}
    secrets = {key: str(settings[key]) for key in kept if key in settings}
    return site_of(manifest, name or simulator.system, {**settings, "pace": dict(pace or {})}, secrets)


class Training:
    """Runs simulators in a thread; use it as a context. Their state may be read from outside between requests."""

    def __init__(self, *simulators: Simulator) -> None:
        self.simulators = simulators
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulators", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        for simulator in self.simulators:
            self.run(simulator.start())
        return self

    def __exit__(self, *_: object) -> None:
        for simulator in self.simulators:
            self.run(simulator.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something in the simulators' thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def call(self, work: Callable[[], Result]) -> Result:
        """The same for a plain function."""

        async def called() -> Result:
            return work()

        return self.run(called())
