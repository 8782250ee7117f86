"""A gcelib that takes callers' own keys, over a cloud with two accounts, and those who use it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from gcelib.simulator import Simulator
from tests.api import Api
from tests.live import Live

OOB = "urn:ietf:wg:oauth:2.0:oob"
PROGRAM = "32555940559.apps.googleusercontent.com"
SCOPE = "https://www.googleapis.com/auth/compute"


@dataclass
class Served(Live):
    """A gcelib process whose projects are its callers' own."""

    rows: str = ""

    def write(self) -> None:
        """Write the configuration: no key to the cloud is in it."""
        self.config.write_text(f"""
[server]
listen = "localhost:{self.port}"
admin_listen = "127.0.0.1:{self.admin}"
state_dir = "{self.home}/state"
tls = "{self.tls}"
{self.server_extra}
[clouds.sim]
provider = "cloudstack"
endpoint = "{self.endpoint}"
timeout = 10
[projects."*"]
clouds = ["sim"]
credentials = "caller"
aliases = ["mine"]
{self.rows}
""")
        self.config.chmod(0o600)

    def post(self, path: str, **form: str) -> requests.Response:
        """One form, sent."""
        with requests.Session() as session:
            session.trust_env = False
            return session.post(self.url + path, data=form, timeout=60, allow_redirects=False)

    def ask(self, **asked: str) -> requests.Response:
        """An authorization request, as gcutil makes it."""
        given = {"response_type": "code", "redirect_uri": OOB, "client_id": PROGRAM, "scope": SCOPE, **asked}
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.url}/oauth2/auth", params=given, timeout=60, allow_redirects=False)


@dataclass
class Holder:
    """Somebody with keys to the cloud, and the token got for them."""

    live: Served
    name: str
    key: str
    secret: str = field(repr=False)
    token: str = ""

    @classmethod
    def of(cls, live: Served, cloud: Simulator, name: str) -> Holder:
        """The holder of an account's keys."""
        account = cloud.accounts[name]
        return cls(live, name, account.api_key, account.secret_key)

    def sign_in(self) -> str:
        """A token by the client credentials grant."""
        answer = self.live.post("/oauth2/token", grant_type="client_credentials", client_id=self.key,
                                client_secret=self.secret)
        assert answer.status_code == 200, answer.text
        self.token = str(answer.json()["access_token"])
        return self.token

    def api(self, project: str = "") -> Api:
        """A checked client, signed in."""
        return Api(self.live.url, self.token or self.sign_in(), project or self.name)

    def page(self, **asked: str) -> requests.Response:
        """The login page filled in with the keys, and sent."""
        return send_keys(self.live, self.live.ask(**asked).text, self.key, self.secret)

    def without_a_page(self, redirect: str = "http://localhost:1/") -> str:
        """A code got as gstack's users got theirs: the client's id is the key."""
        answer = self.live.ask(client_id=self.key, redirect_uri=redirect, access_type="offline")
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def exchange(self, code: str, **other: str) -> requests.Response:
        """That code for tokens."""
        form = {"grant_type": "authorization_code", "client_id": self.key, "client_secret": self.secret,
                "code": code, "redirect_uri": "http://localhost:1/", **other}
        return self.live.post("/oauth2/token", **form)

    def refresh(self, token: str, **other: str) -> requests.Response:
        """A refresh token for tokens."""
        form = {"grant_type": "refresh_token", "client_id": self.key, "client_secret": self.secret,
                "refresh_token": token, **other}
        return self.live.post("/oauth2/token", **form)


def send_keys(live: Served, page: str, key: str, secret: str, **more: str) -> requests.Response:
    """The second form of a login page, sent with these keys."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page))
    fields = {html.unescape(name): html.unescape(value) for name, value in hidden.items()}
    return live.post("/oauth2/auth", **{**fields, "key": key, "secret": secret, **more})


def shown_code(page: str) -> str:
    """The code a page shows."""
    found = re.search(r'<code id="code">([^<]+)</code>', page)
    assert found, page
    return found[1]


def machine(name: str, zone: str = "ch-gv2") -> dict[str, object]:
    """What makes a small machine of this name.

    In zone ch-gv2 the accounts of the cloud share a network, and with it the names; in de-adv1 each has its own.
    """
    image = "debian-12" if zone == "de-adv1" else "linux-centos-6-4-64-bit-10gb"
    return {
        "name": name, "machineType": f"zones/{zone}/machineTypes/micro",
        "disks": [{"boot": True, "autoDelete": True,
                   "initializeParams": {"sourceImage": f"global/images/{image}"}}],
        "networkInterfaces": [{"network": "global/networks/default"}],
    }


def served(home: Path, cloud: Simulator, **options: str) -> Served:
    """A gcelib process over this cloud."""
    home.mkdir(parents=True, exist_ok=True)
    live = Served(home, cloud.url, "", "", **options)  # type: ignore[arg-type]
    live.start()
    return live
