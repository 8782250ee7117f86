"""The signed connection: signatures, POST for changes, time limits, and nothing sent twice."""

from __future__ import annotations

import gzip
import time

import pytest
from cloud_stub import KEY, SECRET, refusal

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import wire
from gcelib.drivers.cloudstack.connection import Endpoint, make_driver, signature
from gcelib.errors import Forbidden, Refused, TooMany, Unauthenticated, Unavailable, Uncertain

AWKWARD = "a~b[0]c *-._+/=é€ü, Ünï ~~ {}|\\^`\"<>#%&?@:;$!'()"


def test_awkward_values_are_signed_the_way_the_server_does(stub, client_of):
    cloud = stub()
    client = client_of(cloud.url)
    client.read("listVirtualMachines", name=AWKWARD, **{"tags[0].key": "x~[y]"})
    client.change("createTags", text=AWKWARD, **{"tags[0].value": AWKWARD})
    assert [call[0] for call in cloud.calls] == ["GET", "POST"]
    assert cloud.calls[0][2]["name"] == AWKWARD
    assert cloud.calls[1][2]["tags[0].value"] == AWKWARD


def test_names_are_sorted_as_sent_not_in_lower_case():
    assert signature({"Zed": "1", "apiKey": "2"}, "s") == signature({"apiKey": "2", "Zed": "1"}, "s")
    assert signature({"Zed": "1", "apiKey": "2"}, "s") != signature({"zed": "1", "apiKey": "2"}, "s")


def test_calls_carry_signature_version_3_and_an_expiry_within_15_minutes(stub, client_of):
    cloud = stub()
    client_of(cloud.url).read("listZones")
    params = cloud.calls[0][2]
    assert params["signatureversion"] == "3"
    left = wire.time_of(params["expires"]).timestamp() - time.time()
    assert 60 < left < 15 * 60


def test_a_change_leaves_nothing_in_the_url_and_carries_large_user_data(stub, client_of):
    cloud = stub(lambda command, params: {"id": "vm", "jobid": "job"})
    client_of(cloud.url).change("deployVirtualMachine", userdata="A" * 32768)
    method, command, params = cloud.calls[0]
    assert (method, command, len(params["userdata"])) == ("POST", "deployVirtualMachine", 32768)


def test_a_long_read_goes_by_post(stub, client_of):
    cloud = stub()
    client_of(cloud.url).read("listVirtualMachines", ids=["x" * 36] * 100)
    assert cloud.calls[0][0] == "POST"


@pytest.mark.parametrize("value", ["true", "false", "1"])
def test_libclouds_retry_switch_never_sends_a_change_again(stub, client_of, monkeypatch, value):
    monkeypatch.setenv("LIBCLOUD_RETRY_FAILED_HTTP_REQUESTS", value)
    cloud = stub(lambda command, params: "reset")
    with pytest.raises(Uncertain):
        client_of(cloud.url).change("deployVirtualMachine", name="n")
    assert len(cloud.calls) == 1


def test_a_read_over_a_dead_idle_socket_is_sent_once_more_on_a_new_one(stub, client_of):
    state = {"reset": False}

    def script(command, params):
        if state.pop("reset", False):
            return "reset"
        return {"count": 0}

    cloud = stub(script)
    client = client_of(cloud.url)
    client.read("listZones")
    state["reset"] = True
    client.read("listZones")
    assert cloud.commands() == ["listZones"] * 3
    assert cloud.connections == 2


def test_a_read_on_a_new_socket_that_is_reset_is_not_repeated(stub, client_of):
    cloud = stub(lambda command, params: "reset")
    with pytest.raises(Unavailable) as caught:
        client_of(cloud.url).read("listZones")
    assert not isinstance(caught.value, Uncertain)
    assert len(cloud.calls) == 1


def test_a_change_over_a_used_socket_that_is_reset_is_uncertain_and_sent_once(stub, client_of):
    cloud = stub(lambda command, params: "reset" if command == "stopVirtualMachine" else {})
    client = client_of(cloud.url)
    client.read("listZones")
    with pytest.raises(Uncertain, match="Cloud 'gva'"):
        client.change("stopVirtualMachine", id="1")
    assert cloud.commands().count("stopVirtualMachine") == 1


def test_a_change_after_a_long_silence_takes_a_new_socket(stub, client_of, monkeypatch):
    monkeypatch.setattr("gcelib.drivers.cloudstack.connection.STALE_SECONDS", -1.0)
    cloud = stub()
    client = client_of(cloud.url)
    client.read("listZones")
    client.change("createTags", x="y")
    assert cloud.connections == 2


def test_a_slow_read_is_unavailable_and_a_slow_change_uncertain(stub, client_of):
    cloud = stub(lambda command, params: "slow")
    client = client_of(cloud.url, timeout=0.2)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="no answer came within the time allowed") as read:
        client.read("listZones")
    with pytest.raises(Uncertain):
        client.change("startVirtualMachine", id="1")
    assert time.monotonic() - begun < 5
    assert not isinstance(read.value, Uncertain)


def test_a_dripping_answer_is_given_up_in_time(stub, client_of):
    cloud = stub(lambda command, params: "drip")
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="no answer came within the time allowed"):
        client_of(cloud.url, timeout=0.2).read("listZones")
    assert time.monotonic() - begun < 5


def test_compressed_answers_are_read(stub, client_of):
    body = gzip.compress(b'{"listzonesresponse":{"count":' + b"1" * 5000 + b"}}")
    cloud = stub(lambda command, params: (200, "application/json\r\nContent-Encoding: gzip", body))
    client = client_of(cloud.url)
    for _ in range(3):
        assert bytes(client.read("listZones")["count"]) == b"1" * 5000
    assert cloud.connections == 1


def test_a_broken_compressed_answer_is_unavailable(stub, client_of):
    reply = (200, "application/json\r\nContent-Encoding: gzip", b"not gzip at all")
    with pytest.raises(Unavailable):
        client_of(stub(lambda command, params: reply).url).read("listZones")


def test_a_cloud_that_cannot_be_reached_is_unavailable_also_for_changes(client_of):
    client = client_of("http://127.0.0.1:9/client/api")
    for ask in (client.read, client.change):
        with pytest.raises(Unavailable, match="cannot be reached") as caught:
            ask("listZones")
        assert not isinstance(caught.value, Uncertain)
        assert caught.value.retry_after > 0


def test_a_name_that_does_not_resolve_is_unavailable_also_for_changes(client_of):
    with pytest.raises(Unavailable, match="cannot be reached") as caught:
        client_of("http://nowhere.invalid/client/api").change("deployVirtualMachine")
    assert not isinstance(caught.value, Uncertain)


@pytest.mark.parametrize(
    "reply",
    [
        "half",
        (200, "text/html", b"<html>login</html>"),
        (200, "application/json", b'{"listzonesresponse":'),
        (200, "application/json", b'{"listzonesresponse":[]}'),
        (200, "application/json", b'{"hello":{"world":1}}'),
        (200, "application/json", b""),
        (200, "application/json", b"\xff\xfe\x00"),
        (200, "application/json", b"[" * 100000),
        (502, "text/html", b"<html>bad gateway</html>"),
    ],
)
def test_what_is_no_answer_is_unavailable_for_a_read_and_uncertain_for_a_change(stub, client_of, reply):
    cloud = stub(lambda command, params: reply)
    client = client_of(cloud.url)
    with pytest.raises(Unavailable, match="Cloud 'gva'") as read:
        client.read("listZones")
    with pytest.raises(Uncertain, match="Cloud 'gva'"):
        client.change("startVirtualMachine", id="1")
    assert not isinstance(read.value, Uncertain)


@pytest.mark.parametrize("status", [302, 404, 414, 503])
def test_a_page_of_a_proxy_that_passed_nothing_on_is_unavailable_for_a_change_too(stub, client_of, status):
    cloud = stub(lambda command, params: (status, "text/html", b"<html>no</html>"))
    with pytest.raises(Unavailable, match=f"HTTP {status}") as caught:
        client_of(cloud.url).change("startVirtualMachine", id="1")
    assert not isinstance(caught.value, Uncertain)
    assert len(cloud.calls) == 1


def test_the_environment_adds_neither_proxy_nor_password(stub, client_of, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    cloud = stub()
    client_of(cloud.url).read("listZones")
    assert "authorization" not in cloud.headers[0]


def test_wrong_keys_of_the_daemon_are_its_own_trouble(stub, client_of):
    cloud = stub()
    with pytest.raises(Unavailable, match=r"refused gcelib's own keys.*\[clouds.gva\]"):
        client_of(cloud.url, secret="wrong-secret").read("listZones")


def test_wrong_keys_of_a_caller_are_the_callers(stub, client_of):
    cloud = stub()
    with pytest.raises(Unauthenticated):
        client_of(cloud.url, secret="wrong-secret", owned=False).read("listZones")


def test_ping_tells_wrong_keys_from_no_answer(stub, client_of):
    cloud = stub()
    client_of(cloud.url).ping()
    with pytest.raises(Unauthenticated):
        client_of(cloud.url, secret="wrong-secret").ping()
    with pytest.raises(Unavailable):
        client_of("http://127.0.0.1:9/").ping()


def test_a_command_outside_the_role_is_forbidden_though_the_cloud_says_401(stub, client_of):
    def script(command, params):
        return {"capability": {}} if command == "listCapabilities" else refusal(command, 401, "no such API")

    with pytest.raises(Forbidden, match=r"listEvents.*no such API"):
        client_of(stub(script).url).read("listEvents")


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for code, kind in faults.CODES.items() if code not in (401, 400, 530)]
)
def test_every_code_of_the_cloud_has_its_fault_and_keeps_the_clouds_words(stub, client_of, code, kind):
    words = "the cloud's own words"
    cloud = stub(lambda command, params: refusal(command, code, words))
    with pytest.raises(kind) as caught:
        client_of(cloud.url).change("deployVirtualMachine", name="n")
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert "Cloud 'gva'" in caught.value.message
    assert faults.cloud_code(caught.value) == code


def test_an_error_inside_the_cloud_refuses_a_change_and_is_an_outage_for_a_read(stub, client_of):
    client = client_of(stub(lambda command, params: refusal(command, 530, "kaputt")).url)
    with pytest.raises(Refused, match="kaputt"):
        client.change("attachVolume", id="1")
    with pytest.raises(Unavailable, match="kaputt"):
        client.read("listZones")


def test_too_many_calls_say_when_to_come_back(stub, client_of):
    cloud = stub(lambda command, params: refusal(command, 429, "wait 300 ms"))
    with pytest.raises(TooMany) as caught:
        client_of(cloud.url).read("listZones")
    assert caught.value.retry_after > 0


def test_no_secret_reaches_a_fault_its_chain_or_a_repr(stub, client_of):
    words = f"bad apiKey={KEY}&signature=abc123= secret: hunter22 {SECRET}"
    cloud = stub(lambda command, params: refusal(command, 431, words))
    dead = client_of("http://127.0.0.1:9/client/api")
    for client in (client_of(cloud.url), dead):
        with pytest.raises((Refused, Unavailable)) as caught:
            client.read("listZones")
        exc, text = caught.value, ""
        while exc is not None:
            text += f"{exc!s} {exc!r} {exc.args}"
            exc = exc.__cause__ or exc.__context__
        for secret in (KEY, SECRET, "abc123", "hunter22"):
            assert secret not in text
        assert SECRET not in repr(client.session.at)


def test_long_words_of_a_cloud_are_cut(stub, client_of):
    cloud = stub(lambda command, params: refusal(command, 431, "x\n" * 5000))
    with pytest.raises(Refused) as caught:
        client_of(cloud.url).read("listZones")
    assert len(caught.value.message) < 600
    assert "\n" not in caught.value.message


def test_an_endpoint_that_is_no_url_is_refused():
    with pytest.raises(ValueError):
        make_driver(Endpoint("cloud.example/client/api"), "k", "s")
