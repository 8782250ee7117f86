"""A whole run, with everything that can fail failing; then every place it left something in is searched."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
import requests
from mirror import WAYS, Mirror

from gcelib.simulator.hardware import Machine, Template
from tests.contract import browser
from tests.live import Live
from tests.wire.machines import machine

CLIENT, CLIENT_SECRET = "a-program", "a-client-secret-of-a-program-4711"
WRONG_PASSWORD = "a wrong password somebody typed"
HERE = "zones/ch-gv2/instances"


class Heard:
    """Every HTTP answer, kept whole, and the secrets that may stand in some of them."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.secrets: dict[str, str] = {}

    def keep(self, answer: requests.Response, *_: Any, **__: Any) -> requests.Response:
        """A hook for requests."""
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.answers.append(f"{answer.status_code} {answer.reason}\n{head}\n\n{answer.text}")
        return answer

    @contextmanager
    def listening(self) -> Iterator[requests.Session]:
        """A session whose answers are kept."""
        with requests.Session() as session:
            session.trust_env = False
            session.hooks["response"].append(self.keep)
            yield session


def spellings(secret: str) -> set[str]:
    """A secret as it may be found."""
    plain = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], secret.lower()}
    return plain | {base64.b64encode(secret.encode()).decode().rstrip("="), hashlib.md5(secret.encode()).hexdigest()}


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """The names of the secrets that the text holds."""
    return sorted(name for name, secret in secrets.items() if any(form in text for form in spellings(secret)))


def signed_in(live: Live, heard: Heard) -> str:
    """A person's way in: page, wrong password, right one, code, tokens, refresh, reuse; the access token."""
    ask = {"client_id": CLIENT, "redirect_uri": "http://localhost:1/", "response_type": "code", "state": "st4te",
           "scope": "https://www.googleapis.com/auth/compute"}  # fmt: skip
    url = f"{live.url}/oauth2/auth?{urlencode(ask)}"
    browser.sign_in(url, password=WRONG_PASSWORD)
    arrived = browser.sign_in(url)
    code = browser.query(arrived.location)["code"]
    heard.secrets["code"] = code
    form = {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "redirect_uri": ask["redirect_uri"]}
    with requests.Session() as session:
        session.trust_env = False
        bought = {**form, "grant_type": "authorization_code", "code": code}
        given = session.post(f"{live.url}/oauth2/token", bought).json()
        again = {**form, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        renewed = session.post(f"{live.url}/oauth2/token", again).json()
    for number, tokens in enumerate((given, renewed)):
        heard.secrets |= {f"{name} {number}": tokens[name] for name in ("access_token", "refresh_token", "id_token")
                          if name in tokens}  # fmt: skip
    with heard.listening() as session:
        session.post(f"{live.url}/oauth2/token", bought)
        session.post(f"{live.url}/oauth2/token", {**again, "refresh_token": "wr" + given["refresh_token"][2:]})
        session.get(f"{live.url}/oauth2/v1/tokeninfo", params={"access_token": given["access_token"] + "x"})
        session.post(f"{live.url}/oauth2/introspect", {"token": given["refresh_token"]})
        session.get(f"{live.url}/compute/v1/projects/demo/zones", params={"access_token": renewed["access_token"]})
        session.get(f"{live.url}/compute/v1/projects/demo/zones?key={renewed['access_token']}",
                    headers={"Authorization": f"Bearer {given['access_token']}"})  # fmt: skip
    return str(given["access_token"])


def wrong_ones(live: Live, heard: Heard, token: str) -> None:
    """Requests with secrets where they do not belong."""
    assertion = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "e30.e30." + token}
    with heard.listening() as session:
        session.post(f"{live.url}/oauth2/token", assertion)
        session.post(f"{live.url}/oauth2/token", {"grant_type": "client_credentials", "client_id": live.key,
                                                  "client_secret": live.secret})  # fmt: skip
        session.post(f"{live.url}/oauth2/token", auth=(CLIENT, CLIENT_SECRET), data={"grant_type": "password",
                     "username": browser.USER, "password": browser.PASSWORD})  # fmt: skip
        session.get(f"{live.url}/oauth2/auth", params={"client_id": CLIENT, "password": browser.PASSWORD})
        for header in (f"Bearer {token}x", f"Basic {token}", token, f"Bearer {token} {token}"):
            session.get(f"{live.url}/compute/v1/projects/demo/zones", headers={"Authorization": header})
        session.post(f"{live.url}/compute/v1/projects/demo/{HERE}", json={"secret": 1},
                     headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        mixed = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/mixed; boundary=x"}
        session.post(f"{live.url}/batch/compute/v1", b"garbage " + token.encode(), headers=mixed)


def a_sick_cloud(mirror: Mirror, heard: Heard, token: str) -> None:
    """Reads and writes, answered in each of the mirror's ways."""
    live = mirror.live
    head = {"Authorization": f"Bearer {token}", "Cache-Control": "no-cache"}
    base = f"{live.url}/compute/v1/projects/demo"
    begun = []
    with heard.listening() as session:
        for way in WAYS:
            mirror.way, mirror.commands = way, ""
            for path in (HERE, "zones", "global/images", "aggregated/disks", "global/networks", "global/firewalls"):
                assert session.get(f"{base}/{path}", headers=head, timeout=60).status_code not in (401, 500)
            session.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=60)
            mirror.commands, mirror.handed = "deployVirtualMachine", 0
            answer = session.post(f"{base}/{HERE}", json=machine(f"sick-{way}"), headers=head, timeout=60)
            assert answer.status_code in (200, 400, 503), answer.text
            if answer.ok:
                begun.append(f"{base}/zones/ch-gv2/operations/{answer.json()['name']}")
            deadline = time.monotonic() + 20
            while not mirror.handed:
                assert time.monotonic() < deadline, way
                time.sleep(0.02)
        mirror.way = ""
        time.sleep(1)
        ends = [session.get(path, headers=head, timeout=60).json() for path in begun]
    assert mirror.answered == set(WAYS)
    assert {end["kind"] for end in ends} == {"compute#operation"}


def with_a_password(mirror: Mirror, heard: Heard) -> None:
    """A machine of a template that is given a password by the cloud, which tells it to whoever made the machine."""
    cloud = mirror.cloud
    named = next(each for each in cloud.world.all(Template) if each.password)
    api = mirror.live.api()
    boot = {"boot": True, "initializeParams": {"sourceImage": f"global/images/{named.id}"}}
    api.change("POST", HERE, machine("windows", disks=[boot]))
    made = next(each for each in cloud.world.all(Machine) if each.name == "windows")
    heard.secrets["the machine's password"] = hashlib.sha256(made.id.encode()).hexdigest()[:8]


def left_behind(live: Live) -> dict[str, str]:
    """Every file below the state directory and beside it, but for those written to hold secrets."""
    kept = {live.config, live.key_file}
    files = [path for path in live.home.rglob("*") if path.is_file() and path not in kept]
    return {str(path.relative_to(live.home)): path.read_bytes().decode("latin-1") for path in files}


def the_process(live: Live) -> dict[str, str]:
    """What any user of the machine may see of it."""
    assert live.process is not None
    proc = Path(f"/proc/{live.process.pid}")
    return {"cmdline": (proc / "cmdline").read_text(), "comm": (proc / "comm").read_text()}


@pytest.fixture(scope="module")
def run(mirrored: Mirror) -> tuple[Mirror, Heard]:
    """Everything that is done, done."""
    live, heard = mirrored.live, Heard()
    browser.make_person(live)
    heard.secrets |= {
        "the cloud's API key": mirrored.key, "the cloud's secret key": mirrored.secret,
        "password": browser.PASSWORD, "wrong password": WRONG_PASSWORD, "client secret": CLIENT_SECRET,
        "service token": live.sign_in(),
    }  # fmt: skip
    key = json.loads(live.key_file.read_text())["private_key"]
    heard.secrets["private key"] = key.splitlines()[5]
    token = signed_in(live, heard)
    live.api().change("POST", HERE, machine("well", metadata={"items": [{"key": "a", "value": "b"}]}))
    with_a_password(mirrored, heard)
    wrong_ones(live, heard, token)
    a_sick_cloud(mirrored, heard, live.sign_in())
    heard.secrets |= {f"signature {number}": each for number, each in enumerate(sorted(set(mirrored.seen)))}
    live.run("account", "rotate-key", "tester", "--key-file", str(live.home / "tester.json"), "--force")
    again = json.loads(live.key_file.read_text())["private_key"]
    heard.secrets["second private key"] = again.splitlines()[5]
    return mirrored, heard


def test_a_whole_run_leaves_no_secret_behind(run: tuple[Mirror, Heard]) -> None:
    mirror, heard = run
    live = mirror.live
    assert len(heard.secrets) > 20
    places = {**left_behind(live), **the_process(live)}
    places["metrics"] = requests.get(f"http://127.0.0.1:{live.admin}/metrics", timeout=10).text
    for command in (("doctor",), ("doctor", "--json"), ("check",), ("account", "list"), ("providers", "cloudstack")):
        said = live.run(*command, check=False)
        places[f"gcelib {' '.join(command)}"] = said.stdout + said.stderr
    assert {"log", "state/audit.log", "state/gcelib.sqlite"} <= set(places)
    assert len(places["state/audit.log"].splitlines()) > 20
    for place, text in places.items():
        assert not found_in(text, heard.secrets), place


def test_no_answer_tells_a_secret(run: tuple[Mirror, Heard]) -> None:
    _, heard = run
    assert len(heard.answers) > 100
    for answer in heard.answers:
        assert not found_in(answer, heard.secrets), answer[:2000]


def test_only_their_owner_reads_what_is_kept(run: tuple[Mirror, Heard]) -> None:
    live = run[0].live
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (live.home / "state").rglob("*")}
    modes |= {live.home / "state": stat.S_IMODE((live.home / "state").stat().st_mode)}
    modes |= {path: stat.S_IMODE(path.stat().st_mode) for path in (live.key_file, live.config)}
    assert len(modes) >= 5
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_the_search_finds_what_is_there(run: tuple[Mirror, Heard]) -> None:
    mirror, heard = run
    kept = "".join(text for place, text in left_behind(mirror.live).items() if place.startswith("state/gcelib.sqlite"))
    assert browser.USER in kept
    assert "$argon2id$" in kept
    config = mirror.live.config.read_text()
    assert found_in(config, heard.secrets) == ["the cloud's API key", "the cloud's secret key"]
    assert found_in(mirror.live.key_file.read_text(), heard.secrets) == ["second private key"]


def test_nor_does_its_end(run: tuple[Mirror, Heard]) -> None:
    mirror, heard = run
    assert mirror.live.stop() == 0
    for place, text in left_behind(mirror.live).items():
        assert not found_in(text, heard.secrets), place
