"""Who is let in: signatures of both versions, expiry, roles, enforced POST, throttling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gcelib.simulator import Settings
from tests.simulator.client import Caller, Refusal, sign


def expiring(minutes: float) -> dict[str, str]:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    return {"signatureVersion": "3", "expires": moment.strftime("%Y-%m-%dT%H:%M:%S%z")}


@pytest.mark.parametrize("post", [False, True])
def test_a_signed_call_is_answered(demo, post):
    assert demo("listCapabilities", post)["capability"]["cloudstackversion"].startswith("4.")


@pytest.mark.parametrize("value", ["a b", "x~y", "[0]", "é/+=*", "Großes & ?", "line\nline", "'\"%20"])
def test_any_text_can_be_signed(demo, value):
    made = demo("createSecurityGroup", name="odd", description=value)["securitygroup"]
    assert made["description"] == value


def test_a_version_3_signature_is_good_until_it_expires(demo):
    assert demo("listZones", **expiring(5))["count"] == 3
    with pytest.raises(Refusal) as refused:
        demo("listZones", **expiring(-1))
    assert refused.value.code == refused.value.status == 401


@pytest.mark.parametrize("expires", ["tomorrow", "2030-01-01T00:00:00", None])
def test_a_version_3_signature_needs_an_expiry_that_can_be_read(demo, expires):
    with pytest.raises(Refusal) as refused:
        demo("listZones", signatureVersion="3", expires=expires)
    assert refused.value.code == 401


def test_other_versions_are_the_classic_scheme_and_never_expire(demo):
    assert demo("listZones", signatureVersion="2", expires="2001-01-01T00:00:00+0000")["count"] == 3


@pytest.mark.parametrize("change", [
    {"signature": "AAAA"}, {"signature": ""}, {"signature": "ü"}, {"apiKey": "nobody"}, {"apiKey": ""},
    {"name": "added-after-signing"}, {"command": "listZonez"}, {"command": ""},
])  # fmt: skip
def test_whatever_is_wrong_the_answer_is_the_same_401(simulator, demo, session, change):
    sent = demo.parameters("listZones") | change
    answer = session.get(simulator.url, params=sent)
    ((envelope, error),) = answer.json().items()
    assert answer.status_code == error["errorcode"] == 401
    assert error["errortext"] == "unable to verify user credentials and/or request signature"
    assert envelope == ("listzonesresponse" if sent["command"] == "listZones" else "errorresponse")
    assert answer.headers["X-Description"] == error["errortext"]


def test_an_unknown_command_is_a_401_even_when_signed(demo):
    with pytest.raises(Refusal) as refused:
        demo("makeCoffee")
    assert (refused.value.code, refused.value.envelope) == (401, "errorresponse")


def test_a_command_outside_the_role_is_a_401_of_its_own(simulator, demo):
    simulator.accounts["demo"].denied.add("listIpForwardingRules")
    with pytest.raises(Refusal, match="listIpForwardingRules") as refused:
        demo("listIpForwardingRules")
    assert refused.value.code == 401


def test_a_disabled_account_is_a_401(simulator, demo):
    simulator.accounts["demo"].enabled = False
    with pytest.raises(Refusal) as refused:
        demo("listZones")
    assert refused.value.code == 401


def test_a_command_that_is_not_simulated_is_a_432_in_the_error_envelope(demo):
    for command in ("listHosts", "getApiLimit"):
        with pytest.raises(Refusal) as refused:
            demo(command)
        assert (refused.value.code, refused.value.envelope) == (432, "errorresponse")


def test_the_other_accounts_keys_do_not_sign_for_this_one(simulator, session):
    demo, other = simulator.accounts["demo"], simulator.accounts["other"]
    sent = {"command": "listZones", "response": "json", "apikey": demo.api_key}
    answer = session.get(simulator.url, params=sent | {"signature": sign(sent, other.secret_key)})
    assert answer.status_code == 401


def test_parameter_names_are_read_in_any_case_but_command_names_are_not(demo):
    assert demo("listZones", NAME="CH-GV2")["count"] == 1
    with pytest.raises(Refusal):
        demo("LISTZONES")


def test_where_post_is_enforced_stock_clients_are_locked_out(simulate, session):
    demo = Caller(simulate(settings=Settings(job_delay=0, enforce_post=True)), "demo", session)
    with pytest.raises(Refusal) as refused:
        demo("listZones")
    assert refused.value.code == 401
    assert demo("listZones", **expiring(5))["count"] == 3
    with pytest.raises(Refusal) as refused:
        demo("createSecurityGroup", name="g", **expiring(5))
    assert refused.value.code == 400
    assert demo("createSecurityGroup", True, name="g", **expiring(5))["securitygroup"]["name"] == "g"
    with pytest.raises(Refusal) as refused:
        demo("listZones", **expiring(30))
    assert refused.value.code == 401


def test_too_many_calls_in_a_second_are_a_429(simulate, session, clock):
    simulator = simulate(settings=Settings(throttle=3), clock=clock)
    demo, admin = (Caller(simulator, name, session) for name in ("demo", "admin"))
    for _ in range(3):
        demo("listZones")
    with pytest.raises(Refusal) as refused:
        demo("listZones")
    assert (refused.value.code, refused.value.error["cserrorcode"]) == (429, 4545)
    assert admin("listZones")
    clock.advance(1)
    assert demo("listZones")


def test_the_same_seed_gives_the_same_keys_and_ids(simulate, session):
    first, second, third = simulate(seed=7), simulate(seed=7), simulate(seed=8)
    zones = [Caller(simulator, "demo", session).zone() for simulator in (first, second, third)]
    keys = [simulator.accounts["demo"].api_key for simulator in (first, second, third)]
    assert zones[0] == zones[1] != zones[2]
    assert keys[0] == keys[1] != keys[2]


def test_a_secret_is_in_no_repr(simulator):
    account = simulator.accounts["demo"]
    assert account.secret_key not in repr(account)
