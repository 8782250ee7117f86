"""Traces: a request, its operation's steps and their calls to the cloud are one trace at an OTLP collector."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from gcelib.config import ConfigError
from gcelib.server import tracing
from gcelib.simulator import Simulator
from gcelib.web import Request, Response
from tests.conftest import launched
from tests.live import Live
from tests.wire.machines import machine

otlp = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="gcelib[otel] is missing")
pytest.importorskip("opentelemetry.sdk.trace", reason="gcelib[otel] is missing")

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
"""OpenTelemetry's own word for how often spans are sent, in milliseconds."""
HERE = "zones/ch-gv2/instances"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Takes spans as OTLP/HTTP sends them."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = otlp.ExportTraceServiceRequest()
                sent.ParseFromString(self._body())
                assert self.path == "/v1/traces"
                for resource in sent.resource_spans:
                    for scope in resource.scope_spans:
                        outer.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers["Content-Length"]))

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def until(self, enough: Callable[[list[Any]], bool], trace: str = "") -> list[Any]:
        """The spans (of a trace), when there are enough."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            found = [span for span in list(self.spans) if trace in ("", span.trace_id.hex())]
            if enough(found):
                return found
            time.sleep(0.05)
        raise AssertionError([(span.name, span.trace_id.hex()) for span in self.spans])


def attributes(span: Any) -> dict[str, Any]:
    """A span's attributes."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Live]:
    """A server that sends its traces to the collector, and whose jobs outlive the request that began them."""
    with Simulator(job_delay=0.6) as cloud:
        home = tmp_path_factory.mktemp("traced")
        live = launched(home, cloud, server_extra=f'traces = "{collector.url}"', environ=SOON)  # type: ignore[arg-type]
        yield live
        assert live.stop() == 0


def sent(live: Live, verb: str, path: str, traceparent: str, **body: Any) -> requests.Response:
    """A request of a client that traces, too."""
    headers = {"Authorization": f"Bearer {live.sign_in()}", "traceparent": traceparent, "tracestate": "evil=1"}
    url = f"{live.url}/compute/v1/projects/demo/{path}"
    return requests.request(verb, url, headers=headers, json=body or None, timeout=30)


def test_a_request_its_steps_and_its_calls_are_one_trace_that_the_client_may_have_begun(
    traced: Live, collector: Collector
) -> None:
    answer = sent(traced, "POST", HERE, f"00-{TRACE}-{SPAN}-00", **machine("traced"))
    assert answer.status_code == 200
    traced.api().until_done(answer.json())
    spans = collector.until(lambda spans: any(
        span.name == "step nodes.create" and attributes(span).get("gcelib.outcome") == "done" for span in spans
    ), TRACE)
    by_id = {span.span_id: span for span in spans}
    (asked,) = [span for span in spans if span.name == "POST compute.instances.insert"]
    assert asked.parent_span_id.hex() == SPAN
    said = attributes(asked)
    assert said["http.response.status_code"] == 200
    assert said["gcelib.request_id"] == answer.headers["X-Request-Id"]
    steps = [span for span in spans if span.name == "step nodes.create"]
    assert {step.parent_span_id for step in steps} == {asked.span_id}
    assert {attributes(step)["gcelib.operation"] for step in steps} == {answer.json()["name"]}
    (made,) = [span for span in spans if attributes(span).get("gcelib.call") == "deployVirtualMachine"]
    assert by_id[made.parent_span_id].name == "step nodes.create"
    assert asked.start_time_unix_nano <= made.start_time_unix_nano <= made.end_time_unix_nano
    assert any(attributes(span).get("gcelib.call") == "queryAsyncJobResult" for span in spans)


def test_nothing_secret_is_in_a_span(traced: Live, collector: Collector) -> None:
    other = "1af7651916cd43dd8448eb211c80319c"
    wanted = machine("secretive", metadata={"items": [{"key": "startup-script", "value": "echo s3cr3tVALUE"}]})
    answer = sent(traced, "POST", f"{HERE}?access_token=s3cr3tVALUE", f"00-{other}-{SPAN}-01", **wanted)
    sent(traced, "GET", f"{HERE}/secretive?access_token=s3cr3tVALUE", f"00-{other}-{SPAN}-01")
    assert answer.status_code == 200
    spans = collector.until(lambda spans: len({attributes(span).get("gcelib.method") for span in spans}) > 2, other)
    everything = b"".join(span.SerializeToString() for span in spans)
    for secret in (b"s3cr3tVALUE", traced.sign_in().encode(), traced.secret.encode(), traced.key.encode(), b"evil"):
        assert secret not in everything


def test_a_header_that_makes_no_sense_begins_a_trace_of_our_own(traced: Live, collector: Collector) -> None:
    senseless = ["", "00-0-0-00", f"00-{'0' * 32}-{SPAN}-01", "ff" * 400, f"ff-{TRACE}-{SPAN}-01"]
    marks = {sent(traced, "GET", "zones", given).headers["X-Request-Id"] for given in senseless}
    spans = collector.until(lambda spans: marks <= {attributes(span).get("gcelib.request_id") for span in spans})
    found = [span for span in spans if attributes(span).get("gcelib.request_id") in marks]
    assert not {span.trace_id.hex() for span in found} & {TRACE, "0" * 32}
    assert not [span for span in found if span.parent_span_id]


def test_a_collector_that_is_away_keeps_nobody_waiting_nor_the_server_from_its_end() -> None:
    tracing.start("http://127.0.0.1:9")
    try:
        begun = time.monotonic()
        for number in range(200):
            with tracing.request(Request("GET", f"/{number}"), {"method": "compute.zones.list"}) as done:
                done(Response(200))
        assert time.monotonic() - begun < 1.0
    finally:
        tracing.stop()
    assert time.monotonic() - begun < tracing.EXPORT_SECONDS + 1.5


def test_without_its_packages_gcelib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(tracing.importlib, "import_module", missing)
    with pytest.raises(ConfigError, match=r"pip install 'gcelib\[otel\]'"):
        tracing.start("http://127.0.0.1:4318")
    tracing.start("")


def test_without_traces_nothing_is_made() -> None:
    seen: dict[str, str] = {}
    assert tracing.parent() == ""
    assert tracing.request(Request("GET", "/"), seen) is tracing.request(Request("GET", "/x"), seen)
    assert tracing.step("", "nodes.create", dict) is tracing.step("", "nodes.stop", dict)
