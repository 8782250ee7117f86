"""Somebody with a browser without scripts, as far as the console needs one."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import requests

from tests.console.scene import PASSWORD, Scene

PAGES = ("/", "/clouds", "/projects", "/operations", "/operations?show=failed", "/figures", "/figures?span=day",
         "/accounts", "/coverage")
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


class Person:
    """One browser. `headers` are sent along with everything, as a proxy would."""

    def __init__(self, scene: Scene, **headers: str) -> None:
        self.scene = scene
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(headers)

    def ask(self, path: str, method: str = "GET", **more: Any) -> requests.Response:
        """One request to a path of the console; redirects are not followed."""
        answer = self.session.request(method, urljoin(self.scene.url, f"/console{path}"), timeout=30,
                                      allow_redirects=False, **more)
        assert "x-request-id" in answer.headers
        return answer

    def page(self, path: str) -> str:
        """The text of a page that must be there."""
        answer = self.ask(path)
        assert answer.status_code == 200, (answer.status_code, answer.text[:500], dict(answer.headers))
        return html.unescape(answer.text)

    def fields(self, path: str, form: str = "") -> dict[str, str]:
        """What the hidden fields of a page's forms, or of the form that is sent to `form`, bring along."""
        text = self.ask(path).text
        if form:
            found = re.search(rf'<form [^>]*action="[^"]*{re.escape(form)}"[^>]*>.*?</form>|<form (?:(?!</form>).)*'
                              rf'action="[^"]*{re.escape(form)}".*?</form>', text, re.DOTALL)
            assert found, text
            text = found[0]
        return {html.unescape(name): html.unescape(value) for name, value in _HIDDEN.findall(text)}

    def sign_in(self, user: str, password: str = PASSWORD, path: str = "/sign-in") -> requests.Response:
        """Open the sign-in page, fill it in, send it."""
        return self.ask("/sign-in", "POST", data={**self.fields(path), "user": user, "password": password})

    def until(self, path: str, condition: Callable[[str], object], seconds: float = 20) -> str:
        """Look at a page until something is so; the page."""
        deadline = time.monotonic() + seconds
        while not condition(text := self.page(path)):
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
        return text


def signed_in(scene: Scene, user: str) -> Person:
    """Somebody who is in."""
    person = Person(scene)
    assert person.sign_in(user).status_code == 303
    return person


def operation(person: Person, target: str, show: str = "") -> str:
    """The path of the newest listed operation about this."""
    found = re.findall(r'href="/console(/operations/[^"]+)"[^>]*>([^<]*)<', person.page(f"/operations?show={show}"))
    return next(path for path, text in found if text.endswith(target))
