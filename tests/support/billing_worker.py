"""A process that does a month run's work and may be killed at any moment; used by the fault tests."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from server_api.billing.bill import run as run_module
from server_api.billing.bill import service
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.platform.database import open_databases
from server_api.wiring import wire_databases
from tests.support.engines import TEST_SECRETS, Urls

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.billing_worker"])


def small_policy() -> BillingPolicy:
    """Small chunks, a lease of a second: a killed worker's chunk is soon taken over."""
    policy = billing_policy()
    return replace(policy, run=replace(policy.run, chunk_accounts=10, turn_accounts=2, lease_s=1))


def work(urls: Urls, run_id: str) -> None:
    """Do the run's work until it is closed."""
    run_module._TURN_LEAST = run_module._TURN_MOST = 2
    databases = open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, label="billrun")
    wire_databases(databases)
    service.run_month(databases.billing, run_id, policy=small_policy())
    databases.close()


def start(urls: Urls, run_id: str) -> BaseProcess:
    """Such a process, started."""
    process = _CONTEXT.Process(target=work, args=(urls, run_id), daemon=True)
    process.start()
    return process
