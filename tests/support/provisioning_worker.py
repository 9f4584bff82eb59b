"""A process that works simulated systems and may be killed at any moment; used by the fault tests.

What it hears of ends it notes in the audit trail, in the transaction that tells of them: once each, or the test fails.
"""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from server_api.business.provisioning.engine import Engine
from server_api.business.provisioning.manifest import site_of
from server_api.business.provisioning.news import TaskEnded
from server_api.business.provisioning.registry import manifest_of
from server_api.platform import audit
from server_api.platform.database import open_databases
from server_api.platform.unit_of_work import UnitOfWork
from tests.support.engines import TEST_SECRETS, Urls

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.provisioning_worker"])
HEARD = "test.heard"
PACE = {"timeout_s": 0.3, "night": "", "retry_s": 0.05, "sessions": 4, "commands_per_s": 120, "attempts": 12}


def heard(uow: UnitOfWork, news: TaskEnded) -> None:
    """Note an end."""
    audit.note(uow, HEARD, f"{news.task_id}:{news.outcome}")


def work(urls: Urls, settings: dict[str, object]) -> None:
    """Work until killed."""
    databases = open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, label="provisioning")
    databases.business.listeners[TaskEnded] = [heard]
    secrets = {"app_secret": str(settings["app_secret"])}
    site = site_of(manifest_of("srun"), "srun", {**settings, "pace": PACE}, secrets)
    engine = Engine(databases.business, [site], lease_s=0.6)
    engine.start()
    engine._thread.join()


def start(urls: Urls, settings: dict[str, object]) -> BaseProcess:
    """Such a process, started."""
    process = _CONTEXT.Process(target=work, args=(urls, settings), daemon=True)
    process.start()
    return process
