"""A process that reserves as much as it can get, for the test that nothing is ever got twice.

``python -m tests.support.resource_worker BUSINESS_URL BILLING_URL WORKER_NO`` prints one line a thing got.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from server_api.business.resource import service as resource
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import open_databases
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.faults.resource import NoneFree
from shared_models.values.ids import derived_id
from tests.support.engines import TEST_SECRETS


def main(business_url: str, billing_url: str, worker_no: str) -> None:
    """Take numbers, then lines, until there are none left."""
    databases = open_databases(business_url, billing_url, secrets=TEST_SECRETS, label=f"worker {worker_no}")
    try:
        for kind, criteria in (("number", resource.Criteria(pool_code="P1")), ("line", LINE)):
            for turn in range(200):
                order_id = derived_id(worker_no, kind, str(turn))
                got: list[resource.Held] = []

                def work(
                    uow: UnitOfWork, order_id: str = order_id, kind: str = kind,
                    criteria: resource.Criteria = criteria, got: list[resource.Held] = got,
                ) -> None:  # fmt: skip
                    until_at = uow.now + timedelta(hours=1)
                    got[:] = resource.reserve(
                        uow, kind=kind, order_id=order_id, item_id="1", until_at=until_at, criteria=criteria
                    )

                try:
                    perform(
                        databases.business, Act(order_id, "reserve", digest_of(order_id), system_context("t")), work
                    )
                except NoneFree:
                    break
                for one in got:
                    print(f"{one.kind} {one.code} {order_id}", flush=True)
    finally:
        databases.close()


LINE = resource.Criteria(address="铁人大道12号")

if __name__ == "__main__":
    main(*sys.argv[1:])
