"""A small client with its own signing, written from CloudStack's rules and sharing no code with the simulator."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote_plus

import requests

from gcelib.simulator import Simulator


class Refusal(Exception):
    """An error answer: HTTP status, errorcode, text and the envelope's name."""

    def __init__(self, status: int, envelope: str, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error['errortext']}")
        self.status, self.envelope, self.error = status, envelope, error
        self.code = error["errorcode"]


def sign(parameters: dict[str, str], secret: str) -> str:
    """HMAC-SHA1 of the sorted, encoded, lower-cased parameters."""
    encoded = [
        f"{name}={quote_plus(value, safe='*').replace('+', '%20').replace('~', '%7E')}"
        for name, value in sorted(parameters.items())
    ]
    digest = hmac.new(secret.encode(), "&".join(encoded).lower().encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class Caller:
    """Signed calls as one account."""

    def __init__(self, simulator: Simulator, name: str, session: requests.Session) -> None:
        self.url, self.session = simulator.url, session
        self.account = simulator.accounts[name]

    def parameters(self, command: str, **given: Any) -> dict[str, str]:
        """The parameters with command, key and signature; an underscore pair stands for [ ] and a dot."""
        named = {"command": command, "response": "json", "apiKey": self.account.api_key}
        named |= {name: str(value) for name, value in given.items() if value is not None}
        return named | {"signature": sign(named, self.account.secret_key)}

    def raw(self, command: str, post: bool = False, **given: Any) -> requests.Response:
        """The HTTP answer of one call."""
        sent = self.parameters(command, **given)
        if post:
            return self.session.post(self.url, data=sent, timeout=10)
        return self.session.get(self.url, params=sent, timeout=10)

    def __call__(self, command: str, post: bool = False, **given: Any) -> dict[str, Any]:
        """What is in the envelope. Raises Refusal for an error answer."""
        answer = self.raw(command, post, **given)
        ((envelope, payload),) = answer.json().items()
        if answer.status_code != 200:
            raise Refusal(answer.status_code, envelope, payload)
        return payload

    def rows(self, command: str, **given: Any) -> list[dict[str, Any]]:
        """The rows of a list."""
        found = [value for value in self(command, **given).values() if isinstance(value, list)]
        return found[0] if found else []

    def job(self, command: str, post: bool = False, **given: Any) -> dict[str, Any]:
        """The job of an asynchronous command, polled once."""
        return self("queryAsyncJobResult", jobid=self(command, post, **given)["jobid"])

    def result(self, command: str, post: bool = False, **given: Any) -> dict[str, Any]:
        """The one object in a successful job's result."""
        ended = self.job(command, post, **given)
        assert ended["jobstatus"] == 1, ended
        (value,) = ended["jobresult"].values()
        return value

    def zone(self, name: str = "CH-GV2") -> str:
        """A zone's id."""
        return self.rows("listZones", name=name)[0]["id"]

    def offering(self, name: str = "Micro") -> str:
        """A size's id."""
        return self.rows("listServiceOfferings", name=name)[0]["id"]

    def template(self, zone: str, name: str | None = None) -> str:
        """The id of a template in a zone."""
        return self.rows("listTemplates", templatefilter="executable", zoneid=zone, name=name)[0]["id"]

    def deploying(self, zone: str = "CH-GV2", **given: Any) -> dict[str, Any]:
        """The parameters of a deploy."""
        zone_id = self.zone(zone)
        basics = {"zoneid": zone_id, "templateid": self.template(zone_id), "serviceofferingid": self.offering()}
        return basics | given

    def machine(self, zone: str = "CH-GV2", **given: Any) -> dict[str, Any]:
        """A machine, deployed and running."""
        return self.result("deployVirtualMachine", **self.deploying(zone, **given))
