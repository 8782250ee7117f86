"""The clouds: whether they let gcelib in, how fast they answer, what they can do, and names that clash there."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from gcelib import naming
from gcelib.cli.symptoms.closer import closer
from gcelib.config import CloudConfig, Config, ProjectConfig
from gcelib.drivers.base import FACETS, READS, Cloud
from gcelib.drivers.projects import Projects
from gcelib.drivers.registry import build, carried, examine
from gcelib.errors import Fault
from gcelib.server.findings import Finding, found, note, well, wrong
from gcelib.server.wellbeing import cause_of

SLOW = 2.0
"""Seconds for the smallest of calls; lists take several times that."""
NAMED = (("zones", "zone"), ("sizes", "machine type"), ("networks", "network"),
         ("nodes", "instance"), ("volumes", "disk"))  # fmt: skip
"""Facets, and GCE's words for what they hold. Images of one name are left out: they are versions of a family."""
LISTED_ONLY = ("zones", "sizes", "quotas")
"""Facets of which there are lists only on every cloud."""
_SHOWN = 3


def login(config: Config, cloud: CloudConfig) -> Iterator[Finding]:
    """One call with the configured keys; then what the cloud can do."""
    about = f"cloud '{cloud.name}'"
    if not cloud.key and not cloud.secret:
        yield note(about, "It has no keys in the configuration: each caller brings their own.")
        return
    try:
        made = build(cloud, config.cache)
    except Fault as fault:
        yield wrong(about, fault.message, "`gcelib providers` lists what gcelib can drive.")
        return
    try:
        yield from _tried(about, cloud, made)
    finally:
        made.close()


def _tried(about: str, cloud: CloudConfig, made: Cloud) -> Iterator[Finding]:
    begun = time.monotonic()
    try:
        made.ping()
        seconds = time.monotonic() - begun
        zones = [zone.name for zone in made.zones.list()] if made.zones else []
    except Fault as fault:
        cause = cause_of(fault, cloud.name)
        why = closer(cloud.endpoint, cause == "cloud-troubled") if cause in ("cloud-away", "cloud-troubled") else ""
        yield found(cause, about, " ".join(filter(None, (fault.message, why))), cloud.name)
        return
    said = f"It lets gcelib in and answers in {seconds * 1000:.0f} ms."
    if seconds > SLOW:
        yield note(about, said, "Let gcelib run nearer to it, or raise the seconds under [cache].")
    else:
        yield well(about, said)
    if zones:
        yield well(about, f"Zones: {', '.join(zones)}.")
    else:
        yield wrong(about, "It shows no zones, so that nothing can be made there.", "Check that the account of the "
                    "keys may use a zone of that cloud.")
    yield from _lacks(made, about)


def _lacks(cloud: Cloud, about: str) -> Iterator[Finding]:
    """What the cloud does not offer at all, and what it only shows."""
    able = cloud.abilities()
    lacking = [facet for facet in FACETS if not able.get(facet)]
    shown = [facet for facet in FACETS if able.get(facet) and set(able[facet]) <= READS and facet not in LISTED_ONLY]
    said = [f"It has no {', '.join(lacking)}."] if lacking else []
    said += [f"Of {', '.join(shown)} it gives lists only."] if shown else []
    if said:
        yield note(about, " ".join(said), f"`gcelib providers {cloud.provider}` says why.")
    else:
        yield well(about, "It offers all that gcelib asks of a cloud.")


def rights(config: Config, cloud: CloudConfig) -> Iterator[Finding]:
    """What the cloud says of these keys: what they may not do, and its limits. Of no cloud that does not answer."""
    if not cloud.key or not carried(cloud.provider):
        return
    about = f"rights, cloud '{cloud.name}'"
    try:
        remarks = examine(cloud)
    except Fault as fault:
        yield note(about, f"They cannot be looked at: {fault.message}")
        return
    for each in remarks:
        yield Finding(about, each.level, each.said, each.cure)


def clashes(config: Config, project: ProjectConfig, projects: Projects) -> Iterator[Finding]:
    """Things of one kind in a project whose names are one name to GCE."""
    about = f"names, project '{project.name}'"
    if project.credentials != "cloud" or not all(config.clouds[name].key for name in project.clouds):
        return
    try:
        clouds = projects.open(project.name).clouds
        found = [clash for facet, word in NAMED for clash in clashing(facet, word, clouds)]
    except Fault as fault:
        yield note(about, f"They cannot be compared: {fault.message}")
        return
    for said in found:
        yield note(about, said, "Rename one of them on its cloud; a zone gets another name by [clouds.NAME.zones].")
    if not found:
        yield well(about, "No two things share one.")


def clashing(facet: str, word: str, clouds: Iterable[Cloud]) -> Iterator[str]:
    """A sentence for every GCE name that several things of this kind come to."""
    twins: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for cloud in clouds:
        reader: Any = getattr(cloud, facet)
        for thing in reader.list() if reader else ():
            place = str(getattr(thing, "zone_id", "") or "")
            twins[f"{place} {naming.slug(thing.name)}"][cloud.name, thing.id] = thing.name
    for key, things in twins.items():
        if len(things) > 1:
            shown = [f"'{name}' ({id[:8]}) on {cloud}" for (cloud, id), name in list(things.items())[:_SHOWN]]
            more = f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
            yield (f"{len(things)} of kind {word} come to '{key.split(' ')[1]}': {', '.join(shown)}{more}; each is "
                   "shown with a suffix.")
