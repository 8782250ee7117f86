"""Figures for Prometheus, in a registry of our own: what happens is counted, what is so is looked up at a scrape.

Labels come from gcelib's own words and from the configuration, never from a client: neither projects nor machines.
docs/monitoring.md's table is made of what stands here.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gcelib import __version__
from gcelib.drivers import tally
from gcelib.drivers.tally import Called
from gcelib.server.findings import CAUSES, Finding

log = logging.getLogger(__name__)
registry = CollectorRegistry(auto_describe=True)
# When each series began is told by none of our questions, and doubles what is told.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_AGES = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)

UNSERVED = "unserved"
"""The method of requests that GCE knows and gcelib does not offer: there are a thousand."""

_info = Gauge("gcelib_info", "The version that runs; always 1.", ["version"], registry=registry)
_info.labels(__version__).set(1)
_requests = Counter(
    "gcelib_requests",
    'Requests answered, by method, HTTP status and outcome: "ok", the error\'s reason, of pages "refused" or "failed".',
    ["method", "status", "outcome"], registry=registry,
)
_seconds = Histogram(
    "gcelib_request_seconds", "Time a request took, by API method.", ["method"],
    buckets=_BUCKETS, registry=registry,
)
_all_seconds = Histogram("gcelib_all_seconds", "Time a request took.", buckets=_BUCKETS, registry=None)
_cloud_calls = Counter(
    "gcelib_cloud_calls", 'Calls to clouds, by what they were about and outcome: "ok" or the kind of fault.',
    ["cloud", "provider", "facet", "outcome"], registry=registry,
)
_cloud_seconds = Histogram(
    "gcelib_cloud_call_seconds", "Time a call to a cloud took.", ["cloud", "provider", "facet"],
    buckets=_BUCKETS, registry=registry,
)
_last_success = Gauge(
    "gcelib_cloud_last_success_timestamp_seconds", "When a call to the cloud went well last.", ["cloud", "provider"],
    registry=registry,
)
_ended = Counter(
    "gcelib_operations_ended", 'Operations that ended, by outcome: "done" or "failed".', ["outcome"], registry=registry,
)
_ages = Histogram(
    "gcelib_operation_seconds", "Age of an operation when it ended, by outcome.", ["outcome"],
    buckets=_AGES, registry=registry,
)
_steps = Counter(
    "gcelib_operation_steps", 'Steps of operations that settled, by facet and outcome: "done" or "failed".',
    ["facet", "outcome"], registry=registry,
)
ProcessCollector(registry=registry)


@dataclass(frozen=True, slots=True)
class Family:
    """A figure that is looked up when it is asked for; its name ends in "_total" when it only grows."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a family, with the values of its labels in their order."""

    name: str
    labels: tuple[str, ...]
    value: float


FAMILIES = (
    Family("gcelib_findings", "What is wrong now, by cause and by which cloud or disk it is about: how often it is so.",
           ("cause", "subject")),
    Family("gcelib_operations", "Operations that are not done, by state.", ("state",)),
    Family("gcelib_operations_oldest_seconds", "Age of the oldest operation that is not done, by state.", ("state",)),
    Family("gcelib_cloud_up", "1 while the cloud answers and takes gcelib's keys.", ("cloud", "provider")),
    Family("gcelib_cloud_keys_refused", "1 while the cloud refuses gcelib's keys.", ("cloud", "provider")),
    Family("gcelib_cloud_clock_ahead_seconds", "By how much the cloud's clock is ahead of this machine's.",
           ("cloud", "provider")),
    Family("gcelib_cache_lookups_total", 'Looks at remembered lists, by facet ("answers": whole answers) and outcome: '
           '"hit", "miss", "shared" (another\'s question was waited for), "stale" (as before the cloud went away).',
           ("facet", "outcome")),
    Family("gcelib_store_up", "1 while the database answers."),
    Family("gcelib_store_writes_refused",
           "1 when the database refused a change in the last minute; in the last ten seconds, if it took one since."),
    Family("gcelib_store_write_refusals_total", "Changes that the database refused."),
    Family("gcelib_disk_free_bytes", "Free bytes of the disks that gcelib writes to.", ("place",)),
    Family("gcelib_disk_size_bytes", "Bytes of the disks that gcelib writes to.", ("place",)),
    Family("gcelib_certificate_expiry_timestamp_seconds", "When the certificate that clients are shown ends."),
    Family("gcelib_pool_threads", "Threads that answer requests."),
    Family("gcelib_pool_busy", "Threads that are answering a request now."),
    Family("gcelib_pool_queue", "Requests that wait for a thread, or for their clouds' turn."),
    Family("gcelib_pool_connections", "Connections that are open without a request under way."),
    Family("gcelib_pool_turned_away_total", "Requests answered 503 without a thread: too many waited."),
    Family("gcelib_queue_up", "1 while all threads are there that carry operations on."),
    Family("gcelib_queue_busy", "Operations that a thread is at, or whose request is still waited for."),
    Family("gcelib_queue_waiting", "Operations that wait for their time here."),
    Family("gcelib_queue_late_seconds", "By how much the first of them is overdue: more than a second means too few "
           "threads, or clouds that hang."),
)  # fmt: skip

Source = Callable[[], Iterable[Sample]]


class _LookedUp(Collector):
    """The families above, from whoever knows them. A source that breaks is logged, and the others are told."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {"cache": _lookups}

    def describe(self) -> Iterator[Any]:
        return iter(_blank().values())

    def collect(self) -> Iterator[Any]:
        families = _blank()
        for name, source in list(self.sources.items()):
            try:
                for sample in source():
                    families[sample.name].add_metric(sample.labels, float(sample.value))
            except Exception:
                log.exception("the figures of %s cannot be told", name)
        return iter(families.values())


def _blank() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for family in FAMILIES:
        kind = CounterMetricFamily if family.name.endswith("_total") else GaugeMetricFamily
        made[family.name] = kind(family.name, family.help, labels=family.labels)
    return made


def _lookups() -> Iterator[Sample]:
    for key, count in tally.LISTS.counts().items():
        yield Sample("gcelib_cache_lookups_total", key, count)


_looked_up = _LookedUp()
registry.register(_looked_up)


def watch(name: str, source: Source) -> None:
    """Ask `source` whenever figures are asked for, in place of an earlier one of this name."""
    _looked_up.sources[name] = source


def findings(those: Iterable[Finding], several: Mapping[str, Iterable[str]]) -> Iterator[Sample]:
    """How many findings of each cause there are, of none as well: an alert needs a figure to go back to.

    `several` are the names of those of which there may be several.
    """
    counts = {(cause, subject): 0 for cause, row in CAUSES.items() for subject in several.get(row.of, [""])}
    for each in those:
        key = (each.cause, each.subject)
        counts[key] = counts.get(key, 0) + 1
    for labels, count in counts.items():
        yield Sample("gcelib_findings", labels, count)


def request_done(method_id: str, status: int, outcome: str, seconds: float) -> None:
    """A request was answered. `method_id` is the API method's ("compute.instances.list") or a fixed word, `outcome`
    "ok" or the reason of an error: a client must not be able to invent values."""
    counted, timed = _of_method(method_id, status, outcome)
    counted.inc()
    timed.observe(seconds)
    _all_seconds.observe(seconds)


@functools.cache
def _of_method(method_id: str, status: int, outcome: str) -> tuple[Counter, Histogram]:
    """The two figures of a method; looking them up by their labels costs more than counting."""
    return _requests.labels(method_id, str(status), outcome), _seconds.labels(method_id)


def cloud_call(call: Called) -> None:
    """A cloud was called."""
    labels = (call.cloud, call.provider, call.facet)
    _cloud_calls.labels(*labels, call.outcome).inc()
    _cloud_seconds.labels(*labels).observe(call.seconds)
    if call.outcome == "ok":
        _last_success.labels(call.cloud, call.provider).set(time.time())


def operation_ended(outcome: str, seconds: float) -> None:
    """An operation is DONE; `outcome` is "done" or "failed", `seconds` its age."""
    _ended.labels(outcome).inc()
    _ages.labels(outcome).observe(seconds)


def step_settled(facet: str, outcome: str) -> None:
    """A step of an operation has settled; `outcome` is "done" or "failed"."""
    _steps.labels(facet, outcome).inc()


def taken() -> list[tuple[float, float]]:
    """(seconds, how many requests took at most that), of all methods; summing up those of each takes long."""
    (family,) = _all_seconds.collect()
    return [(float(each.labels["le"]), each.value) for each in family.samples if "le" in each.labels]


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    return prometheus_client.generate_latest(registry)


def reference() -> Mapping[str, tuple[str, tuple[str, ...], str]]:
    """Every figure by the name that Prometheus has it under: its type, its labels, what it says."""
    told = {family.name: family for family in FAMILIES}
    rows: dict[str, tuple[str, tuple[str, ...], str]] = {}
    for family in told.values():
        rows[family.name] = ("counter" if family.name.endswith("_total") else "gauge", family.labels, family.help)
    for each in (_info, _requests, _seconds, _cloud_calls, _cloud_seconds, _last_success, _ended, _ages, _steps):
        (shape,) = each.describe()
        name = f"{shape.name}_total" if shape.type == "counter" else shape.name
        rows[name] = (shape.type, tuple(each._labelnames), shape.documentation)
    return dict(sorted(rows.items()))


CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
