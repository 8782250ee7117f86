"""A person with a browser, as far as signing in needs one: opens the page, fills the form in, reads the code."""

from __future__ import annotations

import html
import os
import re
import sys
from dataclasses import dataclass
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from tests.live import Live

USER = "ann@example.com"
PASSWORD = "correct horse battery staple"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def make_person(live: Live) -> None:
    """An account that may do everything in project demo."""
    live.at_once("account", "create-user", USER, "--project", "demo", "--role", "admin", "--password-stdin",
                 input=f"{PASSWORD}\n")


@dataclass(frozen=True)
class Arrived:
    """What the browser shows after the form was sent: where it was led, or the page's title and code."""

    location: str
    title: str
    code: str


def sign_in(url: str, ca: str | bool = True, password: str = PASSWORD) -> Arrived:
    """Open the page a client named, sign in, and stop where a redirect leads away from the server."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca
        page = session.get(url, timeout=30)
        assert page.status_code == 200, page.text
        fields = {html.unescape(name): html.unescape(value) for name, value in _HIDDEN.findall(page.text)}
        action = re.search(r'<form method="post" action="([^"]*)"', page.text)
        assert action, page.text
        sent = session.post(urljoin(url, action[1]), data={**fields, "user": USER, "password": password},
                            allow_redirects=False, timeout=30)
    title, code = re.search(r"<title>(.*?)</title>", sent.text), re.search(r"<code[^>]*>(.*?)</code>", sent.text)
    return Arrived(sent.headers.get("Location", ""), title[1] if title else "", code[1] if code else "")


def query(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query))


def main() -> None:
    """What BROWSER names in the tests of the documents: sign in at the address given, and follow where it leads."""
    arrived = sign_in(sys.argv[1], os.environ["CA"])
    with requests.get(arrived.location, timeout=30) as shown:
        shown.raise_for_status()


if __name__ == "__main__":
    main()
