"""Figures for Prometheus, in a registry of our own."""

from __future__ import annotations

import functools
from collections.abc import Callable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gcelib import __version__

registry = CollectorRegistry(auto_describe=True)

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

_info = Gauge("gcelib_info", "The version that runs.", ["version"], registry=registry)
_info.labels(__version__).set(1)
_requests = Counter(
    "gcelib_requests", "Requests answered, by API method and class of status.", ["method", "status"],
    registry=registry,
)
_seconds = Histogram(
    "gcelib_request_seconds", "Time a request took, by API method.", ["method"],
    buckets=_BUCKETS, registry=registry,
)
_cloud_calls = Counter(
    "gcelib_cloud_calls", "Calls to clouds, by provider, facet and outcome.",
    ["provider", "facet", "outcome"], registry=registry,
)
_cloud_seconds = Histogram(
    "gcelib_cloud_call_seconds", "Time a call to a cloud took, by provider and facet.", ["provider", "facet"],
    buckets=_BUCKETS, registry=registry,
)
_operations = Gauge(
    "gcelib_operations", "Operations that are not done, by state.", ["state"], registry=registry
)
_ended = Counter(
    "gcelib_operations_ended", "Operations that ended, by outcome (done, failed).",
    ["outcome"], registry=registry,
)


def request_done(method_id: str, status: int, seconds: float) -> None:
    """A request was answered. `method_id` is the API method's ("compute.instances.list") or a fixed word: a
    client must not be able to invent values."""
    counted, timed = _of_method(method_id, status // 100)
    counted.inc()
    timed.observe(seconds)


@functools.cache
def _of_method(method_id: str, hundreds: int) -> tuple[Counter, Histogram]:
    """The two figures of a method; looking them up by their labels costs more than counting."""
    return _requests.labels(method_id, f"{hundreds}xx"), _seconds.labels(method_id)


def cloud_call(provider: str, facet: str, outcome: str, seconds: float) -> None:
    """A cloud was called. `outcome` is "ok" or the kind of Fault."""
    _cloud_calls.labels(provider, facet, outcome).inc()
    _cloud_seconds.labels(provider, facet).observe(seconds)


def watch_operations(count: Callable[[str], float]) -> None:
    """Ask `count` for the operations in a state (PENDING, RUNNING) whenever figures are asked for."""
    for state in ("PENDING", "RUNNING"):
        _operations.labels(state).set_function(functools.partial(count, state))


def operation_ended(outcome: str) -> None:
    """An operation is DONE; `outcome` is "done" or "failed"."""
    _ended.labels(outcome).inc()


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    return prometheus_client.generate_latest(registry)


CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
