"""Figures about the server for Prometheus: requests by route, acts, waiting work, news on its way."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from server_api.platform.database import Databases
from server_api.platform.facts.standing import facts_standing
from shared_models.values.faults.base import Fault

_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The instruments of one server process, in a registry of its own (so that two can live in one test)."""

    def __init__(self, databases: Databases | None, version: str) -> None:
        self.registry = CollectorRegistry()
        self.request_seconds = Histogram(
            "onehall_request_seconds",
            "Time from the first octet of a request to the last of its reply",
            ("method", "route", "status"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.refusals = Counter("onehall_refusals_total", "Refusals by code", ("code",), registry=self.registry)
        self.acts = Counter(
            "onehall_acts_total", "Acts done or answered again, by kind", ("kind", "replayed"), registry=self.registry
        )
        self.incidents = Counter("onehall_incidents_total", "Requests that met a defect", registry=self.registry)
        self.running = Gauge("onehall_requests_running", "Requests being served", registry=self.registry)
        Gauge("onehall_build_info", "Constant 1", ("version",), registry=self.registry).labels(version).set(1)
        if databases is not None:
            self.registry.register(_FactFigures(databases))


class _FactFigures:
    """Asked at each scrape, never in an act."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("onehall_database_up", "1 where the database answers", labels=("role",))
        parked = GaugeMetricFamily("onehall_facts_parked", "Aggregates whose news is parked", labels=("role",))
        pending = GaugeMetricFamily("onehall_facts_pending", "Facts not yet delivered", labels=("role",))
        lag = GaugeMetricFamily("onehall_facts_lag_seconds", "Age of the oldest undelivered fact", labels=("role",))
        queue = GaugeMetricFamily("onehall_write_queue", "Acts waiting for their write turn", labels=("role",))
        for database in (self._databases.business, self._databases.billing):
            queue.add_metric([database.role], database.writer.waiting)
            try:
                standing = facts_standing(database)
            except Fault:
                up.add_metric([database.role], 0)
                continue
            up.add_metric([database.role], 1)
            parked.add_metric([database.role], standing.parked)
            pending.add_metric([database.role], standing.pending)
            lag.add_metric([database.role], standing.lag_s)
        return [up, parked, pending, lag, queue]

    def describe(self) -> Iterable[Metric]:
        return []
