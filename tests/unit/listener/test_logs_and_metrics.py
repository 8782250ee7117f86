"""Logs tell what happened and never a secret; figures and health for the administrator's port."""

from __future__ import annotations

import http.client
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gcelib.drivers.tally import Called
from gcelib.server import health, logs, metrics
from gcelib.server.listener import Listener
from gcelib.web import Request, Response

SECRET = "s3cr3tVALUE"


def _done(path: str, verb: str = "GET", status: int = 200) -> None:
    logs.request_done(Request(verb, path), {"method": "-"}, Response(status, {}, b""), 0.001)


@pytest.fixture
def lines() -> Iterator[Callable[[str], io.StringIO]]:
    """Sets logging up into a buffer, and puts it back."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def start(form: str) -> io.StringIO:
        buffer = io.StringIO()
        logs.set_up(form, stream=buffer)
        return buffer

    yield start
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize("text", [
    f"GET /client/api?command=listZones&apiKey={SECRET}&signature={SECRET}%3D&response=json",
    f"Authorization: Bearer {SECRET}",
    f"{{'Authorization': 'Bearer {SECRET}'}}",
    f"authorization=Basic {SECRET}",
    f'{{"access_token": "{SECRET}", "refresh_token": "{SECRET}"}}',
    f"client_secret={SECRET}&code={SECRET}",
    f"password={SECRET}",
    f"connecting to postgresql://gcelib:{SECRET}@db/gcelib",
    f"secret_key='{SECRET}'",
    f"secretkey: {SECRET}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    f"assertion=eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET}",
    f"the bearer {SECRET} is unknown",
    f"X-Amz-Signature={SECRET}",
])
def test_secrets_are_masked(text: str) -> None:
    assert SECRET not in logs.mask(text)


@pytest.mark.parametrize("text", [
    "instance demo-1 in zone ch-gv2 started", "status=404 path=/compute/v1/projects/demo/zones/z",
    "https://127.0.0.1:5000/compute/v1/", "error code 530 from listZones", "2026-01-02T03:04:05.678+00:00",
])
def test_ordinary_words_are_not(text: str) -> None:
    assert logs.mask(text) == text


def test_a_read_that_went_well_waits_for_the_next_line_that_does_not_and_stands_before_it(
    lines: Callable[[str], io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "PATIENCE", 60)
    buffer = lines("text")
    ends: list[Callable[[], None]] = [
        lambda: _done("/c", "POST"), lambda: _done("/c", status=404), lambda: logging.warning("path=/c"),
    ]
    for end in ends:
        _done("/a")
        _done("/b", status=304)
        assert "path=/c" not in buffer.getvalue()
        end()
        assert [line.partition("path=")[2].split()[0] for line in buffer.getvalue().splitlines()] == ["/a", "/b", "/c"]
        buffer.seek(0)
        buffer.truncate()


def test_the_line_of_a_read_is_written_soon_whatever_comes_after_it(lines: Callable[[str], io.StringIO]) -> None:
    buffer = lines("text")
    for path in ("/first", "/second"):
        _done(path)
        deadline = time.monotonic() + 10
        while path not in buffer.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_a_request_is_one_line_of_json(lines: Callable[[str], io.StringIO]) -> None:
    buffer = lines("json")
    request = Request("GET", "/compute/v1/x", query=f"access_token={SECRET}", remote="1.2.3.4", body=SECRET.encode())
    with logs.request_scope("id-7"):
        logs.request_done(request, {"method": "compute.zones.list", "caller": "me"}, Response(200, {}, b"{}"), 0.0123)
    logging.getLogger().handlers[0].flush()
    line = json.loads(buffer.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info", "logger": "gcelib.access", "request_id": "id-7", "status": 200, "verb": "GET",
        "path": "/compute/v1/x", "method": "compute.zones.list", "caller": "me", "remote": "1.2.3.4", "bytes": 2,
        "ms": 12.3,
    }


def test_a_traceback_is_masked_and_stays_one_line_in_json(lines: Callable[[str], io.StringIO]) -> None:
    buffer = lines("json")
    try:
        raise RuntimeError(f"apiKey={SECRET}")
    except RuntimeError:
        logging.getLogger("gcelib.test").exception("failed with signature=%s", SECRET)
    assert buffer.getvalue().count("\n") == 1
    assert SECRET not in buffer.getvalue()
    assert "RuntimeError" in json.loads(buffer.getvalue())["message"]


def test_text_lines_name_the_request(lines: Callable[[str], io.StringIO]) -> None:
    buffer = lines("text")
    with logs.request_scope("id-8"):
        logging.getLogger("gcelib.test").info("within")
    logging.getLogger("gcelib.test").info("without")
    within, without = buffer.getvalue().splitlines()
    assert within.endswith("INFO    gcelib.test [id-8] within")
    assert without.endswith("INFO    gcelib.test without")


@pytest.fixture
def admin() -> Iterator[Callable[..., Callable[..., tuple[int, Any, bytes]]]]:
    """The administrator's port with a readiness check of the test's choice."""
    running: list[tuple[Listener, threading.Thread]] = []

    def start(ready: health.Ready) -> Callable[..., tuple[int, Any, bytes]]:
        listener = Listener(health.build(ready), "127.0.0.1:0", threads=1)
        listener.prepare()
        thread = threading.Thread(target=listener.serve)
        thread.start()
        running.append((listener, thread))

        def ask(path: str, method: str = "GET") -> tuple[int, Any, bytes]:
            connection = http.client.HTTPConnection(listener.host, listener.port, timeout=10)
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, answer.headers, body

        return ask

    yield start
    for listener, thread in running:
        listener.stop()
        thread.join(10)


def test_health_and_readiness(admin: Callable[..., Any]) -> None:
    state: dict[str, Any] = {"good": True}

    def ready() -> tuple[bool, dict[str, Any]]:
        if "broken" in state:
            raise RuntimeError("no")
        return state["good"], {"store": "ok"}

    ask = admin(ready)
    assert ask("/healthz")[0] == 200
    status, _, body = ask("/readyz")
    assert (status, json.loads(body)) == (200, {"status": "ready", "store": "ok"})
    state["good"] = False
    status, _, body = ask("/readyz")
    assert (status, json.loads(body)["status"]) == (503, "not ready")
    state["broken"] = True
    assert ask("/readyz")[0] == 503
    assert ask("/healthz")[0] == 200
    assert ask("/compute/v1/")[0] == 404
    assert ask("/healthz", "POST")[0] == 405


def test_metrics_count_what_was_reported(admin: Callable[..., Any]) -> None:
    metrics.request_done("compute.test.list", 200, "ok", 0.2)
    metrics.request_done("compute.test.list", 503, "backendError", 0.2)
    metrics.cloud_call(Called("sim", "cloudstack", "nodes", "listVirtualMachines", "ok", 0.1))
    metrics.operation_ended("done", 3.0)
    metrics.watch("test", lambda: [metrics.Sample("gcelib_operations", ("RUNNING",), 3)])
    metrics.watch("broken", lambda: [metrics.Sample("gcelib_no_such", (), 3)])
    status, headers, body = admin(lambda: (True, {}))("/metrics")
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    text = body.decode()
    assert 'gcelib_requests_total{method="compute.test.list",outcome="ok",status="200"} 1.0' in text
    assert 'gcelib_requests_total{method="compute.test.list",outcome="backendError",status="503"} 1.0' in text
    assert 'gcelib_request_seconds_count{method="compute.test.list"} 2.0' in text
    assert 'gcelib_cloud_calls_total{cloud="sim",facet="nodes",outcome="ok",provider="cloudstack"} 1.0' in text
    assert 'gcelib_operation_seconds_bucket{le="5.0",outcome="done"} 1.0' in text
    assert 'gcelib_operations{state="RUNNING"} 3.0' in text
    for name in ("test", "broken"):
        metrics.watch(name, lambda: ())
