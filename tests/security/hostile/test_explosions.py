"""Small requests that could become large or long: filters, batches, tokens; what they cost is bounded."""

from __future__ import annotations

import time

import pytest
import requests

from tests.api import Api
from tests.live import Live
from tests.security.hostile.attacks import FIELDS, REGULAR, ROOT

SOON = 2.0


def ask(live: Live, api: Api, path: str, **query: str) -> requests.Response:
    """A GET in time."""
    begun = time.monotonic()
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = requests.get(f"{live.url}{ROOT}/{path}", params=query, headers=headers, timeout=30)
    assert time.monotonic() - begun < SOON
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    return answer


@pytest.mark.parametrize("pattern", REGULAR, ids=lambda pattern: ascii(pattern[:20]))
@pytest.mark.parametrize("shape", ["name eq '{}'", "(name eq .*)(selfLink eq {})", "description ne {}"])
def test_a_regular_expression_cannot_explode(live: Live, api: Api, shape: str, pattern: str) -> None:
    assert ask(live, api, "global/images", filter=shape.replace("{}", pattern)).status_code in (200, 400)


@pytest.mark.parametrize("filter", [
    "(" * 10_000 + "name=a" + ")" * 10_000, "NOT " * 4000 + "name=a", "name=a OR " * 1500 + "name=a",
    "name=" + "*" * 16_000,
    "name:" + "a*" * 8000, "-" * 16_000 + "name=a", "a." * 8000 + "b=c", 'name="' + "\\" * 16_000, "name=a " * 2300,
    "name" + " " * 16_000 + "=a", "(name=a" * 2000, "name eq " + "(" * 8000 + ")" * 8000, "x" * 16_385,
])
def test_a_filter_cannot_explode(live: Live, api: Api, filter: str) -> None:
    assert ask(live, api, "global/images", filter=filter).status_code in (200, 400)


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: ascii(fields[:20]))
def test_a_selection_of_fields_cannot_explode(live: Live, api: Api, fields: str) -> None:
    assert ask(live, api, "global/images", fields=fields).status_code in (200, 400)


def test_a_page_token_with_any_bit_flipped_is_refused(live: Live, api: Api) -> None:
    token = ask(live, api, "global/images", maxResults="1").json()["nextPageToken"]
    assert ask(live, api, "global/images", maxResults="1", pageToken=token).status_code == 200
    for place in range(0, len(token), 3):
        other = "B" if token[place] != "B" else "w"
        forged = token[:place] + other + token[place + 1 :]
        assert ask(live, api, "global/images", maxResults="1", pageToken=forged).status_code == 400
    assert ask(live, api, "zones", maxResults="1", pageToken=token).status_code == 400
    assert ask(live, api, "global/images", maxResults="1", pageToken=token, filter="name:a").status_code == 400


@pytest.mark.parametrize("sent", ["AAAAAAAAAAA=", "_____-----8=", "A" * 12, "A"])
def test_a_forged_fingerprint_changes_nothing(live: Live, api: Api, sent: str) -> None:
    before = api.get("")["commonInstanceMetadata"]
    body = {"fingerprint": sent, "items": [{"key": "forged", "value": "x"}]}
    answer = api.call("POST", "setCommonInstanceMetadata", body)
    assert answer.status in (400, 412)
    assert api.get("")["commonInstanceMetadata"] == before


def batch(live: Live, body: str, token: str = "", boundary: str = "b") -> requests.Response:
    """Send a batch."""
    headers = {"Content-Type": f'multipart/mixed; boundary="{boundary}"', **({"Authorization": token} if token else {})}
    begun = time.monotonic()
    answer = requests.post(f"{live.url}/batch/compute/v1", data=body.encode(), headers=headers, timeout=60)
    assert time.monotonic() - begun < 10
    return answer


PART = "--b\r\nContent-Type: application/http\r\n\r\n{}\r\n\r\n\r\n"


def test_a_thousand_parts_are_answered_and_one_more_is_refused(live: Live, api: Api) -> None:
    part = PART.format(f"GET {ROOT}/zones/ch-gv2 HTTP/1.1")
    answer = batch(live, part * 1000 + "--b--", f"Bearer {api.token}")
    assert (answer.status_code, answer.text.count("HTTP/1.1 200 OK")) == (200, 1000)
    assert batch(live, part * 1001 + "--b--", f"Bearer {api.token}").status_code == 400


@pytest.mark.parametrize("line", [
    "POST /batch/compute/v1 HTTP/1.1", "POST /batch HTTP/1.1", "GET /oauth2/auth HTTP/1.1", "GET http://[ HTTP/1.1",
    "GET / HTTP/1.1", "GET //[/compute/v1/ HTTP/1.1", "GET /compute/v1/../../batch HTTP/1.1",
])
def test_a_part_that_is_no_request_of_the_api_is_refused_alone(live: Live, api: Api, line: str) -> None:
    good = PART.format(f"GET {ROOT}/zones/ch-gv2 HTTP/1.1")
    answer = batch(live, PART.format(line) + good + "--b--", f"Bearer {api.token}")
    assert answer.status_code == 200
    assert answer.text.count("HTTP/1.1 200 OK") == 1
    assert answer.text.count("HTTP/1.1 4") == 1


def test_a_batch_gives_nobody_rights(live: Live) -> None:
    answer = batch(live, PART.format(f"GET {ROOT}/zones HTTP/1.1") + "--b--")
    assert "HTTP/1.1 401 Unauthorized" in answer.text


def test_a_batch_of_nothing_but_delimiters_is_refused_at_once(live: Live) -> None:
    assert batch(live, "--b\r\n" * 2_000_000 + "--b--").status_code == 400
