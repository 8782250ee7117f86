"""Traces by OpenTelemetry, for who configures them: a request, its operation's steps, and their calls to clouds.

Without `[server] traces` nothing here does anything, and nothing of OpenTelemetry is imported. Attributes are gcelib's
own words and names; neither queries nor bodies nor headers.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from gcelib import __version__
from gcelib.config import ConfigError
from gcelib.drivers.tally import Called
from gcelib.web import Request, Response

PATH = "/v1/traces"
EXPORT_SECONDS = 2
"""How long a batch may take, and the last one when the server stops."""

Seen = Mapping[str, str]
Done = Callable[[Response], None]


class _Traces:
    """A tracer, what carries a trace from one process to the next, and OpenTelemetry's own modules."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider
        self.api = importlib.import_module("opentelemetry.trace")
        self.tracer = provider.get_tracer("gcelib", __version__)
        carrying = importlib.import_module("opentelemetry.trace.propagation.tracecontext")
        self.carrier = carrying.TraceContextTextMapPropagator()


_traces: _Traces | None = None
_OFF: AbstractContextManager[Done] = nullcontext(lambda response: None)
_NOTHING: AbstractContextManager[None] = nullcontext()


def start(endpoint: str) -> None:
    """Send traces to an OpenTelemetry collector from now on; "" for none. Raises ConfigError without gcelib[otel]."""
    if not endpoint:
        return
    try:
        trace = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        sampling = importlib.import_module("opentelemetry.sdk.trace.sampling")
        sdk = importlib.import_module("opentelemetry.sdk.resources")
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise ConfigError([f"server.traces: needs OpenTelemetry; run: pip install 'gcelib[otel]' ({error})."]) from None
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    about = {"service.name": "gcelib", "service.version": __version__, "service.instance.id": socket.gethostname()}
    # A client's "sampled" flag decides nothing here, unless the operator says so in OpenTelemetry's own way.
    sampler = None if os.environ.get("OTEL_TRACES_SAMPLER") else sampling.ALWAYS_ON
    provider = trace.TracerProvider(
        sampler=sampler, resource=sdk.Resource.create(about), shutdown_on_exit=False
    )
    where = endpoint.rstrip("/")
    exporter = otlp.OTLPSpanExporter(endpoint=where if where.endswith(PATH) else where + PATH, timeout=EXPORT_SECONDS)
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    use(provider)


def use(provider: Any) -> None:
    """Have spans made by this provider; None: make none."""
    global _traces
    _traces = None if provider is None else _Traces(provider)


def stop() -> None:
    """Send what is left, for EXPORT_SECONDS at most, and make no more."""
    traces = _traces
    use(None)
    if traces is not None:
        ending = threading.Thread(target=traces.provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(EXPORT_SECONDS)


def request(asked: Request, seen: Seen) -> AbstractContextManager[Done]:
    """The span of a request; give its answer to what this yields. `seen` holds, in the end, what was found out."""
    return _OFF if _traces is None else _request(_traces, asked, seen)


@contextmanager
def _request(traces: _Traces, asked: Request, seen: Seen) -> Iterator[Done]:
    # Only whose trace this belongs to is taken from a client: its baggage and state are a stranger's words.
    above = traces.carrier.extract({"traceparent": asked.header("traceparent")})
    context, kind = None if _inside(traces) else above, traces.api.SpanKind.SERVER
    with traces.tracer.start_as_current_span(asked.method, context=context, kind=kind) as span:

        def done(response: Response) -> None:
            method = seen.get("method", "-")
            span.update_name(f"{asked.method} {method}" if method != "-" else asked.method)
            span.set_attributes({
                "http.request.method": asked.method, "http.response.status_code": response.status,
                "url.path": asked.path[:500], "gcelib.method": method, "gcelib.request_id": asked.id,
                **({"error.type": seen["reason"]} if seen.get("reason") else {}),
            })
            if response.status >= 500:
                span.set_status(traces.api.StatusCode.ERROR)

        yield done


def _inside(traces: _Traces) -> bool:
    """Whether there is a span around: a batch's, of whose parts each is a request."""
    return bool(traces.api.get_current_span().get_span_context().is_valid)


def parent() -> str:
    """The span around as W3C's traceparent, for what goes on later or elsewhere; "" when there is none."""
    if _traces is None:
        return ""
    told: dict[str, str] = {}
    _traces.carrier.inject(told)
    return told.get("traceparent", "")


def step(above: str, name: str, facts: Callable[[], Mapping[str, Any]]) -> AbstractContextManager[None]:
    """The span of one turn of an operation's step, within the span around, else in the trace that `above` names."""
    return _NOTHING if _traces is None else _step(_traces, above, name, facts)


@contextmanager
def _step(traces: _Traces, above: str, name: str, facts: Callable[[], Mapping[str, Any]]) -> Iterator[None]:
    context = None if _inside(traces) else traces.carrier.extract({"traceparent": above})
    with traces.tracer.start_as_current_span(f"step {name}", context=context) as span:
        try:
            yield
        finally:
            span.set_attributes({f"gcelib.{key}": value for key, value in facts().items()})


def cloud_call(call: Called) -> None:
    """A call to a cloud that has just ended, within the span around; a look whether a cloud is there has none."""
    traces = _traces
    if traces is None or not _inside(traces):
        return
    end = time.time_ns()
    span = traces.tracer.start_span(
        f"{call.provider} {call.what}", kind=traces.api.SpanKind.CLIENT, start_time=end - int(call.seconds * 1e9),
        attributes={"gcelib.cloud": call.cloud, "gcelib.provider": call.provider, "gcelib.facet": call.facet,
                    "gcelib.call": call.what, "gcelib.outcome": call.outcome},
    )  # fmt: skip
    if call.outcome != "ok":
        span.set_status(traces.api.StatusCode.ERROR)
    span.end(end)
