"""Keys to a cloud sign their holder in: on the page, as a client's id and secret, and as gstack's users did."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from gcelib.simulator import Simulator
from tests.callers.cloud import OOB, PROGRAM, Holder, Served, send_keys, shown_code

WRONG = "The key or the secret is wrong."


def test_the_page_has_a_form_for_keys_with_labels(live: Served) -> None:
    page = live.ask().text
    assert page.count("<form") == 2
    for name in ("user", "password", "key", "secret"):
        assert f'<label for="{name}">' in page
    assert "<script" not in page
    assert "<select" not in page


def test_keys_on_the_page_give_a_code_that_buys_tokens(demo: Holder) -> None:
    code = shown_code(demo.page().text)
    answer = demo.live.post("/oauth2/token", grant_type="authorization_code", code=code, client_id=PROGRAM,
                            client_secret="known to the world", redirect_uri=OOB)
    assert answer.status_code == 200, answer.text
    token = answer.json()
    claims = jwt.decode(token["id_token"], options={"verify_signature": False})
    assert claims["email"] == "demo@sim.cloud.gcelib.local"
    again = demo.live.post("/oauth2/token", grant_type="refresh_token", refresh_token=token["refresh_token"],
                           client_id=PROGRAM)
    demo_again = Holder(demo.live, "demo", demo.key, demo.secret, again.json()["access_token"])
    assert demo_again.api().get("")["name"] == "demo"


def test_a_page_with_white_space_around_the_keys_is_understood(demo: Holder) -> None:
    sent = send_keys(demo.live, demo.live.ask().text, f" {demo.key}\n", f"{demo.secret} ")
    assert shown_code(sent.text)


@pytest.mark.parametrize("kind", ["wrong secret", "unknown key", "no secret", "somebody else's secret"])
def test_wrong_keys_on_the_page_get_one_and_the_same_answer(demo: Holder, other: Holder, kind: str) -> None:
    key, secret = {
        "wrong secret": (demo.key, "x" * 40), "unknown key": ("simulator-key-0123456789", demo.secret),
        "no secret": (demo.key, ""), "somebody else's secret": (demo.key, other.secret),
    }[kind]  # fmt: skip
    sent = send_keys(demo.live, demo.live.ask().text, key, secret)
    assert sent.status_code == 401
    assert WRONG in sent.text
    assert not secret or secret not in sent.text


def test_a_form_of_keys_that_is_not_ours_is_not_taken(demo: Holder) -> None:
    sent = send_keys(demo.live, demo.live.ask().text, demo.key, demo.secret, csrf="1.abc")
    assert sent.status_code == 403
    sent = send_keys(demo.live, demo.live.ask().text, demo.key, demo.secret, redirect_uri="http://localhost:1/")
    assert sent.status_code == 403


def test_client_credentials_give_an_access_token_and_nothing_to_refresh_it(demo: Holder) -> None:
    answer = demo.live.post("/oauth2/token", grant_type="client_credentials", client_id=demo.key,
                            client_secret=demo.secret)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert set(answer.json()) == {"access_token", "expires_in", "token_type", "scope"}


@pytest.mark.parametrize("other_secret", ["", "wrong"])
def test_client_credentials_need_the_secret(demo: Holder, other_secret: str) -> None:
    answer = demo.live.post("/oauth2/token", grant_type="client_credentials", client_id=demo.key,
                            client_secret=other_secret)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_client_that_is_a_key_gets_its_code_without_a_page(demo: Holder) -> None:
    answer = demo.live.ask(client_id=demo.key, redirect_uri="http://localhost:1/?a=b", state="s t", code_challenge="")
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert answer.status_code == 302
    assert (query["a"], query["state"], query["iss"]) == (["b"], ["s t"], [demo.live.url])
    assert demo.key not in answer.headers["Location"]
    shown = demo.live.ask(client_id=demo.key)
    assert shown_code(shown.text)


@pytest.mark.parametrize("redirect", ["https://evil.example/", "http://localhost.evil.example/", "javascript:alert(1)"])
def test_such_codes_go_nowhere_else_either(demo: Holder, redirect: str) -> None:
    answer = demo.live.ask(client_id=demo.key, redirect_uri=redirect)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


def test_such_a_code_buys_tokens_for_whoever_has_the_secret(demo: Holder) -> None:
    answer = demo.exchange(demo.without_a_page())
    assert answer.status_code == 200, answer.text
    token = answer.json()
    assert Holder(demo.live, "demo", "", "", token["access_token"]).api().get("")["name"] == "demo"
    assert jwt.decode(token["id_token"], options={"verify_signature": False})["email"].startswith("demo@")
    fresh = demo.refresh(token["refresh_token"])
    assert fresh.status_code == 200
    assert demo.refresh(token["refresh_token"], client_secret="wrong").status_code == 401
    assert demo.refresh(fresh.json()["refresh_token"]).status_code == 200


def test_without_the_right_secret_such_a_code_is_worthless_and_stays_good(demo: Holder, other: Holder) -> None:
    code = demo.without_a_page()
    for secret in ("", "wrong", other.secret):
        answer = demo.exchange(code, client_secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    stolen = other.exchange(code)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert demo.exchange(code).status_code == 200


@pytest.mark.parametrize("change", [
    {"redirect_uri": "http://localhost:2/"}, {"code": "x"}, {"code": "1234abcd.AAAA"}, {"code_verifier": "v" * 43},
])  # fmt: skip
def test_such_a_code_is_for_the_request_it_was_made_for(demo: Holder, change: dict[str, str]) -> None:
    code = demo.without_a_page()
    assert demo.exchange(**{"code": code, **change}).status_code == 400
    assert demo.exchange(code[:40] + ("A" if code[40] != "A" else "B") + code[41:]).status_code == 400
    assert demo.exchange(code).status_code == 200


def test_such_a_code_used_twice_ends_what_it_bought(demo: Holder) -> None:
    code = demo.without_a_page()
    token = demo.exchange(code).json()
    again = demo.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert demo.refresh(token["refresh_token"]).status_code == 400
    caller = Holder(demo.live, "demo", "", "", token["access_token"]).api()
    assert caller.until(lambda: caller.call("GET", ""), 401, 5).reason == "authError"


def test_of_many_at_once_with_such_a_code_one_gets_a_token(demo: Holder) -> None:
    code = demo.without_a_page()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: demo.exchange(code).status_code, range(6)))
    assert answers.count(200) <= 1
    assert answers.count(400) >= 5


def test_a_refresh_token_is_for_the_account_it_was_made_for(demo: Holder, other: Holder) -> None:
    token = demo.exchange(demo.without_a_page()).json()["refresh_token"]
    assert other.refresh(token).json()["error"] == "invalid_grant"
    assert demo.refresh(token, client_id=PROGRAM).json()["error"] == "invalid_grant"
    assert demo.refresh(token).status_code == 200


def test_what_a_key_is_called_in_the_store_does_not_stand_in_for_its_secret(demo: Holder) -> None:
    token = demo.exchange(demo.without_a_page()).json()["refresh_token"]
    name = f"keys:{hashlib.sha256(demo.key.encode()).hexdigest()[:32]}"
    answer = demo.refresh(token, client_id=name, client_secret="")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert demo.refresh(token).status_code == 200


def test_wrong_secrets_do_not_disturb_the_rightful_owner(demo: Holder, other: Holder) -> None:
    token = demo.exchange(demo.without_a_page()).json()
    api = Holder(demo.live, "demo", "", "", token["access_token"]).api()
    code = demo.without_a_page()
    for number in range(40):
        form = {"grant_type": "client_credentials", "client_id": demo.key, "client_secret": f"{other.secret}{number}"}
        assert demo.live.post("/oauth2/token", **form).status_code in (401, 429)
    assert api.get("")["name"] == "demo"
    assert demo.exchange(code).status_code == 200
    assert demo.refresh(token["refresh_token"]).status_code == 200
    assert demo.sign_in()
    assert shown_code(demo.page().text)


def test_neither_words_nor_time_tell_a_wrong_secret_from_an_unknown_key(live: Served, cloud: Simulator) -> None:
    key = cloud.accounts["admin"].api_key
    seen: dict[str, list[float]] = {"secret": [], "key": []}
    texts = set()
    for number in range(10):
        for kind, id in (("secret", key), ("key", f"{key[:-4]}{number:04}")):
            begun = time.perf_counter()
            answer = live.post("/oauth2/token", grant_type="client_credentials", client_id=id,
                               client_secret=f"wrong-{number}")
            seen[kind].append(time.perf_counter() - begun)
            if answer.status_code != 429:
                texts.add((answer.status_code, answer.text))
    assert texts == {(401, '{"error": "invalid_client"}')}
    medians = [sorted(times)[2] for times in seen.values()]
    assert max(medians) < min(medians) * 3 + 0.02


def test_programs_with_other_ids_get_the_page(live: Served) -> None:
    for id in (PROGRAM, "gcloud", "0f8fad5b-d9cb-469f-a165-70867728950e", "a-program-with-a-long-name-of-words"):
        assert "<form" in live.ask(client_id=id).text


def test_the_metadata_say_so(live: Served) -> None:
    found = Holder(live, "", "", "", "x").api().session.get(f"{live.url}/.well-known/oauth-authorization-server").json()
    assert "client_credentials" in found["grant_types_supported"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["issuer"] == live.url
