"""Bodies grown from the document's own schemas, right, wrong and absurd: accepted or refused, never a failure."""

from __future__ import annotations

import contextlib
import json
from random import Random

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from gcelib.server.resources import table
from tests.api import Answer, Api
from tests.live import Live
from tests.security.hostile.attacks import GOOD, ROOT
from tests.security.hostile.wild import NO_JSON, Wild


def send(live: Live, api: Api, path: str, text: str) -> requests.Response:
    """The text as a body, the answer checked for its envelope."""
    answer = requests.post(
        f"{live.url}{ROOT}/{path}", data=text.encode("utf-8", "surrogatepass"), timeout=30,
        headers={"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"},
    )
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    found = Answer(answer.status_code, answer.headers, answer.json())
    api.check("POST", answer.url, found)
    if found.status == 200:
        with contextlib.suppress(AssertionError):  # It may fail in the cloud; it has to end.
            api.until_done(found.data, 30)
        operation = api.get(f"{found.data['selfLink'].partition('/projects/demo/')[2]}")
        assert operation["status"] == "DONE"
        assert "internal" not in json.dumps(operation.get("error", {})).lower()
    return answer


@pytest.mark.parametrize("path", list(GOOD))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), tame=st.sampled_from([50, 90, 100]))
def test_a_body_grown_from_the_schema_is_answered_cleanly(
    live: Live, api: Api, path: str, seed: int, tame: int
) -> None:
    send(live, api, path, Wild(Random(seed), table().schemas, tame).of({"$ref": GOOD[path][0]}))


@pytest.mark.parametrize("path", list(GOOD))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_good_body_gone_wild_in_places_is_answered_cleanly(live: Live, api: Api, path: str, seed: int) -> None:
    send(live, api, path, Wild(Random(seed), table().schemas).near(*GOOD[path]))


@pytest.mark.parametrize("text", [
    *NO_JSON, "[" * 100_000, '{"a":' * 100_000, "[" * 50_000 + "]" * 50_000, "1e999", "-1e999", '{"name":NaN}',
        '{"name":1e999}',
    '{"name":' + "9" * 100_000 + "}", '{"":1}', '{"\\u0000":1}', '"a"', "1", "[]", "true",
    '{"name":"\\ud800"}', '{"name":"a\\u0000b"}', '{"name":"' + "a" * 2_000_000 + '"}', '{"name":{"name":{"name":{}}}}',
    "[" + "{}," * 500_000 + "{}]", '{"x":[' + "{}," * 500_000 + "{}]}", '{"__proto__":{"a":1},"constructor":1}',
    '{"name":"a","description":-0}', '{"kind":[[[[[[]]]]]]}', '{"name":null}', '\u00a0{}', '{"a":1}\x00', "\x00",
    "\x1e{}",
], ids=lambda text: repr(text[:25]))
@pytest.mark.parametrize("path", ["global/networks", "zones/ch-gv2/instances"])
def test_a_json_bomb_is_refused_with_400_or_413(live: Live, api: Api, path: str, text: str) -> None:
    if not text.strip():
        assert send(live, api, path, text or " ").status_code == 400
        return
    assert send(live, api, path, text).status_code in (400, 413)


@pytest.mark.parametrize("number", [
    "-1", "1.5", "9223372036854775808", "9" * 500, '"1e999"', '"９"', '"0x10"', '""', "[]", "{}", "true",
    '"-0"', '" 5"',
])
def test_a_number_that_is_none_is_refused_by_field(live: Live, api: Api, number: str) -> None:
    text = '{"name":"wild-number","network":"global/networks/default","allowed":[{"IPProtocol":"tcp"}],"priority":%s}'
    answer = send(live, api, "global/firewalls", text % number)
    if answer.status_code == 400:
        assert answer.json()["error"]["errors"][0]["location"] == "resource.priority"
    else:
        api.change("DELETE", "global/firewalls/wild-number")


def test_a_firewall_that_multiplies_is_refused_at_once(live: Live, api: Api) -> None:
    body = {
        "name": "many", "network": "global/networks/default", "sourceRanges": [f"10.0.{n}.0/24" for n in range(250)],
        "allowed": [{"IPProtocol": "tcp", "ports": [str(port) for port in range(1, 1000, 2)]}],
    }
    answer = send(live, api, "global/firewalls", json.dumps(body))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Invalid value for field 'resource.allowed': ")
    assert answer.elapsed.total_seconds() < 2
