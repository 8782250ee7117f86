"""google-auth: key files at the token endpoint, tokens signed by the client itself, and a person's refresh token."""

# google-auth has no types.
# mypy: allow-untyped-calls, disable-error-code="no-any-return, import-untyped"

from __future__ import annotations

import pytest
import requests
from google.auth import jwt
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import credentials as person
from google.oauth2 import service_account

from tests.contract import browser
from tests.contract.google_libraries import SCOPE, credentials
from tests.live import Live

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


def zones(live: Live, who: object) -> requests.Response:
    """The project's zones, asked for in this name."""
    with AuthorizedSession(who) as session:
        answer: requests.Response = session.get(f"{live.url}/compute/v1/projects/demo/zones", timeout=30)
        return answer


def self_signed(live: Live, audience: str) -> jwt.Credentials:
    """A token of the key's own making."""
    live.sign_in()
    return jwt.Credentials.from_service_account_file(str(live.key_file), audience=audience)


def test_a_key_file_is_enough(plain: Live) -> None:
    who = credentials(plain)
    assert zones(plain, who).status_code == 200
    assert who.valid
    assert who.expiry is not None


def test_a_key_file_is_enough_over_tls(secure: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.ca))
    assert zones(secure, credentials(secure)).status_code == 200


@pytest.mark.parametrize("audience", ["https://compute.googleapis.com/", "OUR URL", "OUR URL/"])
def test_a_token_signed_by_the_key_itself_is_taken(plain: Live, audience: str) -> None:
    who = self_signed(plain, audience.replace("OUR URL", plain.url))
    assert zones(plain, who).status_code == 200


def test_a_token_signed_for_someone_else_is_not(plain: Live) -> None:
    answer = zones(plain, self_signed(plain, "https://storage.googleapis.com/"))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_credentials_without_scopes_sign_their_own_tokens(plain: Live) -> None:
    plain.sign_in()
    found = service_account.Credentials.from_service_account_file(str(plain.key_file))
    found._create_self_signed_jwt("https://compute.googleapis.com/")
    assert zones(plain, found).status_code == 200


def test_a_key_that_was_replaced_is_refused(plain: Live, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = tmp_path_factory.mktemp("keys") / "old.json"
    plain.run("account", "create-service", "brief", "--project", "demo", "--role", "viewer", "--key-file", str(key))
    old = service_account.Credentials.from_service_account_file(str(key), scopes=[SCOPE])
    plain.run("account", "rotate-key", "brief", "--key-file", str(key), "--force")
    with pytest.raises(RefreshError, match="invalid_grant"):
        old.refresh(Request())


def test_a_viewers_key_only_looks(plain: Live, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = tmp_path_factory.mktemp("keys") / "looks.json"
    plain.run("account", "create-service", "looks", "--project", "demo", "--role", "viewer", "--key-file", str(key))
    who = service_account.Credentials.from_service_account_file(str(key), scopes=[SCOPE])
    assert zones(plain, who).status_code == 200
    with AuthorizedSession(who) as session:
        refused = session.post(f"{plain.url}/compute/v1/projects/demo/global/firewalls", json={"name": "x"}, timeout=30)
    assert refused.status_code == 403


def test_a_persons_refresh_token_brings_new_tokens(plain: Live) -> None:
    asked = {"response_type": "code", "client_id": "tests", "redirect_uri": OUT_OF_BAND, "scope": SCOPE}
    page = requests.Request("GET", f"{plain.url}/oauth2/auth", params=asked).prepare().url
    assert page
    sent = {"grant_type": "authorization_code", "code": browser.sign_in(page).code, "redirect_uri": OUT_OF_BAND,
            "client_id": "tests", "client_secret": "tests"}
    with requests.post(f"{plain.url}/oauth2/token", data=sent, timeout=30) as answer:
        given = answer.json()
    who = person.Credentials(None, refresh_token=given["refresh_token"], client_id="tests", client_secret="tests",
                             token_uri=f"{plain.url}/oauth2/token")
    assert zones(plain, who).status_code == 200
    assert who.token != given["access_token"]
