"""What pages are made from: everything here is known already, or found out within a bound."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from gcelib.auth.sessions import Session
from gcelib.config import Config
from gcelib.drivers.base import Cloud
from gcelib.errors import Unavailable
from gcelib.server.console.frame import BASE
from gcelib.server.console.markup import Html, badge, el, prose
from gcelib.server.console.samples import Samples
from gcelib.server.console.sight import Sight
from gcelib.server.findings import CAUSES, CLOUD, Finding
from gcelib.server.signs import Pulse, Signs
from gcelib.server.wishes import Wishes
from gcelib.store import Account, AccountRows
from gcelib.store.glimpses import Glimpses
from gcelib.store.operations import Operations
from gcelib.web import Request

EVERY = 10.0
"""Seconds after which a cloud that is looked at is asked again."""
PATIENCE = 0.3
"""Seconds that a page waits for clouds that it knows nothing of yet, and for what may hang."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What lives as long as the server. `findings` says what is wrong with it within so many seconds; `used` is when an
    account was used last; `began` is when the server was started."""

    config: Callable[[], Config]
    clouds: Callable[[], Sequence[Cloud]]
    signs: Signs
    findings: Callable[[float], list[Finding]]
    accounts: AccountRows
    operations: Operations
    glimpses: Glimpses
    samples: Samples
    wishes: Wishes
    used: Callable[[Account], float | None]
    clock: Callable[[], float]
    began: float


@dataclass(frozen=True)
class Visit:
    """One request for a page by somebody who is signed in."""

    desk: Desk
    request: Request
    session: Session
    sight: Sight
    now: float

    def asked(self, name: str) -> str:
        """A parameter of the query, "" without."""
        return dict(self.request.params()).get(name, "")

    def pulses(self) -> list[Pulse]:
        """How the clouds are that may be seen."""
        seen = self.sight.clouds()
        clouds = [cloud for cloud in self.desk.clouds() if cloud.name in seen]
        return self.desk.signs.known(clouds, EVERY, PATIENCE)

    @functools.cached_property
    def wrong(self) -> list[Finding]:
        """All that is wrong, whoever may know."""
        return self.desk.findings(PATIENCE)

    def findings(self) -> list[Finding]:
        """What is wrong: with the server for admins, with clouds for whoever sees them."""
        seen = self.sight.clouds()
        return [
            each for each in self.wrong
            if (about_cloud(each) in seen if about_cloud(each) else self.sight.admin)
        ]


    def books(self) -> Desk:
        """The desk, for who reads what is stored.

        Raises Unavailable when it is known that the store does not answer: it may take long to say so itself.
        """
        for each in self.wrong:
            if each.cause == "store-away":
                raise Unavailable(each.said)
        return self.desk


def about_cloud(finding: Finding) -> str:
    """The name of the cloud that a finding is about, "" for the server itself."""
    cause = CAUSES.get(finding.cause)
    return finding.subject if cause is not None and cause.of == CLOUD else ""


def href(*parts: str, **query: str) -> str:
    """The path of a page of the console."""
    path = "/".join([BASE, *(quote(part, safe="") for part in parts)])
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
    return f"{path}?{asked}" if asked else path


def listed(findings: Sequence[Finding]) -> Html:
    """Findings, the worst first, each with its cure."""
    worst = sorted(findings, key=lambda each: each.level != "wrong")
    return el("ul", [
        el("li", el("p", badge(each.level, each.about), f": {each.said}"),
           el("p", prose(each.cure)) if each.cure else None, class_=each.level) for each in worst
    ], class_="findings")


def without(fault: Unavailable) -> Html:
    """In place of what the store did not tell."""
    return el("p", f"This cannot be shown now: {fault.message}", class_="alert wrong")
