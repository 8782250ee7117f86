"""The clouds: whether each answers, how fast, and what can be done on it. None is called to draw the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gcelib.drivers.base import FACETS, Cloud
from gcelib.drivers.profile import verbs
from gcelib.server.console.desk import Visit, about_cloud, listed
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, Html, badge, el, join, lasted, many, table
from gcelib.server.console.plot import spark
from gcelib.server.signs import Pulse
from gcelib.server.wellbeing import hung, trouble


def page(visit: Visit) -> Page:
    """Every cloud that may be seen."""
    pulses = {pulse.name: pulse for pulse in visit.pulses()}
    seen = visit.sight.clouds()
    clouds = {cloud.name: cloud for cloud in visit.desk.clouds() if cloud.name in pulses}
    without_keys = [name for name in visit.desk.config().clouds if name in seen and name not in clouds]
    findings = [each for each in visit.findings() if about_cloud(each)]
    body = join([
        el("h1", "Clouds"),
        listed(findings) if findings else None,
        table("How the clouds are", ("Cloud", "Provider", "State", "Answers in", "Heard of", "Last answers"),
              [_row(pulse) for pulse in pulses.values()], hidden=True) if pulses else el("p", "There is none to see."),
        [el("p", f"Cloud '{name}' has no keys in the configuration: each caller brings their own, and gcelib itself "
                 "does not ask it.", class_="quiet") for name in without_keys],
        _abilities(visit, clouds.values()) if clouds else None,
    ])
    return Page("Clouds", body, 5.0, summary(pulses.values()))


def summary(pulses: Iterable[Pulse]) -> str:
    """How many answer, for people."""
    all = list(pulses)
    well = sum(not trouble(pulse) and pulse.answered is not None for pulse in all)
    return f"{well} of {many(len(all), 'cloud', 'clouds')} answer" + ("s" if well == 1 else "")


def state(pulse: Pulse) -> Html:
    """A cloud's state in a word."""
    if hung(pulse):
        return badge("wrong", "silent")
    if pulse.fault is not None:
        return badge("wrong", "away" if pulse.fault.status >= 500 else "refuses")
    return badge("well", "answers") if pulse.answered is not None else badge("busy", "asked")


def _row(pulse: Pulse) -> list[Child]:
    slow = [took * 1000 for took in pulse.took]
    last = f"The last {len(slow)} answers took {min(slow):.0f} to {max(slow):.0f} ms" if slow else ""
    heard: list[str] = []
    if pulse.answered is not None:
        heard.append(f"{lasted(round(pulse.answered))} ago" if pulse.answered >= 1 else "now")
    if pulse.failing is not None:
        heard.append(f"away for {lasted(round(pulse.failing))}")
    if hung(pulse):
        heard.append(f"asked {lasted(round(pulse.waiting or 0))} ago, no answer")
    return [
        pulse.name, pulse.provider, state(pulse), lasted(pulse.took[-1]) if pulse.took else "–",
        ", ".join(heard) or "not yet",
        spark(slow, last) if len(slow) > 1 else "–",
    ]


def _abilities(visit: Visit, clouds: Iterable[Cloud]) -> Html:
    """What can be done where. What a cloud's account may not do shows when it is tried."""
    columns = list(clouds)
    can = {cloud.name: cloud.abilities() for cloud in columns}
    rows = [
        [facet, *(_can(cloud, facet, can[cloud.name]) for cloud in columns)] for facet in FACETS
    ]
    return join([
        el("h2", "Abilities"),
        el("div", table("What gcelib can do on each cloud", ("Facet", *(cloud.name for cloud in columns)), rows),
           class_="aside", role="region", aria_label="What gcelib can do on each cloud", tabindex=0),
    ])


def _can(cloud: Cloud, facet: str, abilities: Mapping[str, frozenset[str]]) -> Child:
    able = [verb for verb in verbs(facet) if verb in abilities.get(facet, ())]
    return el("div", ", ".join(able) or "nothing", el("details", el("summary", f"{len(lacks)} not offered"), el(
        "ul", list(_why(cloud, facet, lacks)))) if (lacks := [v for v in verbs(facet) if v not in able]) else None)


def _why(cloud: Cloud, facet: str, lacks: Iterable[str]) -> Iterator[Html]:
    for verb in lacks:
        yield el("li", f"{verb}: {cloud.why_not(facet, verb)}")
