"""A client that checks every answer it gets against the discovery document."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from gcelib.errors import Fault
from gcelib.server.resources import table
from tests.schema import mistakes


@dataclass
class Answer:
    """Status, headers and decoded body."""

    status: int
    headers: Any
    data: Any

    @property
    def message(self) -> str:
        """The error's message."""
        return str(self.data["error"]["message"])

    @property
    def reason(self) -> str:
        """The error's reason."""
        return str(self.data["error"]["errors"][0]["reason"])


class Api:
    """Calls below `/compute/v1/projects/PROJECT/`, with a bearer token."""

    def __init__(self, url: str, token: str, project: str = "demo", ca: str | bool = True) -> None:
        self.url, self.token, self.project, self.ca = url, token, project, ca
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca

    def call(self, verb: str, path: str, body: Any = None, **query: Any) -> Answer:
        """One call; `path` is below the project, or starts with a slash."""
        url = self.url + (path if path.startswith("/") else f"/compute/v1/projects/{self.project}/{path}".rstrip("/"))
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.session.request(verb, url, json=body, params=query, headers=headers, timeout=60)
        if answer.status_code == 204:
            assert answer.content == b""
            return Answer(204, answer.headers, None)
        assert answer.headers["content-type"] == "application/json; charset=UTF-8", answer.text[:300]
        found = Answer(answer.status_code, answer.headers, answer.json())
        self.check(verb, url, found, bool(query.get("fields")))
        return found

    def check(self, verb: str, url: str, answer: Answer, masked: bool = False) -> None:
        """The answer is what the document promises for this method, or Google's error envelope."""
        if answer.status >= 400:
            error = answer.data["error"]
            assert error["code"] == answer.status
            assert error["message"]
            assert error["errors"][0]["domain"] == "global"
            assert error["errors"][0]["reason"]
            return
        try:
            method, _ = table().match(verb, url.partition("/compute/v1/")[2])
        except Fault:
            return
        found = mistakes(method.response, answer.data)
        assert not found, f"{method.id}: {found[:5]}"
        assert masked or answer.data.get("kind", "compute#x").startswith("compute#")

    def get(self, path: str, **query: Any) -> Any:
        """The body of an answer that must be 200."""
        answer = self.call("GET", path, **query)
        assert answer.status == 200, answer.data
        return answer.data

    def change(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        """A change, carried through: the operation, DONE and without error."""
        operation = self.start(verb, path, body, **query)
        done = self.until_done(operation)
        assert "error" not in done, done["error"]
        return done

    def start(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        """A change that must be accepted: its operation as first answered."""
        answer = self.call(verb, path, body, **query)
        assert answer.status == 200, answer.data
        assert answer.data["kind"] == "compute#operation"
        return answer.data

    def until_done(self, operation: Any, seconds: float = 60) -> Any:
        """The operation once it is DONE; its link never changes on the way."""
        path = operation["selfLink"].partition(f"/projects/{self.project}/")[2]
        deadline = time.monotonic() + seconds
        while operation["status"] != "DONE":
            assert time.monotonic() < deadline, operation
            found = self.call("POST", f"{path}/wait")
            assert found.status == 200, found.data
            assert found.data["selfLink"] == operation["selfLink"]
            operation = found.data
        return operation

    def until(self, ask: Callable[[], Answer], status: int, seconds: float = 30) -> Answer:
        """The first answer of this status: for what a cache may hide for a while."""
        deadline = time.monotonic() + seconds
        while (answer := ask()).status != status:
            assert time.monotonic() < deadline, answer.data
            time.sleep(0.2)
        return answer
