"""Command lines as gcloud's users type them, with what each must do; the files beside this one hold them.

A line begins with `gcloud compute` and may go on after a backslash. What is indented below it says what is expected:

    says PATTERN      a regular expression found in what is printed, `^` and `$` at each line
    lacks PATTERN     one that is not
    keep NAME PATTERN its group is put in for $NAME from here on
    waits LIST        before the next line the operations of this list are waited for: gcloud does not do so itself
    refused WORDS     the cloud cannot do it: exit code 1 and one line that names the cloud and what it cannot, each of
                      these words: a method, a field
    wrong WORDS       the user's mistake: exit code 1 and these words

A line with neither of the last two ends with 0. Each list and each thing made is printed as a table with gcloud's
documented columns, unless the line asks for another format.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.api import Api
from tests.contract.gcloud import Gcloud, Ran

FOLDER = Path(__file__).parent
MACHINES = ("instances", "instance_settings", "templates_and_groups")
STORAGE = ("catalogue", "disks", "snapshots_and_images")
NETWORKS = ("networks", "firewalls", "addresses_and_balancing", "private_firewalls")
COLUMNS = {
    "instances": "NAME ZONE MACHINE_TYPE PREEMPTIBLE INTERNAL_IP EXTERNAL_IP STATUS",
    "disks list": "NAME LOCATION LOCATION_SCOPE SIZE_GB TYPE STATUS",
    "disks create": "NAME ZONE SIZE_GB TYPE STATUS",
    "snapshots list": "NAME DISK_SIZE_GB SRC_DISK STATUS",
    "images": "NAME PROJECT FAMILY DEPRECATED STATUS",
    "firewall-rules": "NAME NETWORK DIRECTION PRIORITY ALLOW DENY DISABLED",
    "networks list": "NAME SUBNET_MODE BGP_ROUTING_MODE IPV4_RANGE GATEWAY_IPV4 INTERNAL_IPV6_RANGE",
    "networks create": "NAME SUBNET_MODE BGP_ROUTING_MODE IPV4_RANGE GATEWAY_IPV4 INTERNAL_IPV6_RANGE",
    "networks subnets list": "NAME REGION NETWORK RANGE STACK_TYPE IPV6_ACCESS_TYPE INTERNAL_IPV6_PREFIX "
                             "EXTERNAL_IPV6_PREFIX",
    "networks subnets create": "NAME REGION NETWORK RANGE STACK_TYPE IPV6_ACCESS_TYPE INTERNAL_IPV6_PREFIX "
                               "EXTERNAL_IPV6_PREFIX",
    "networks subnets list-usable": "PROJECT REGION NETWORK SUBNET RANGE SECONDARY_RANGES PURPOSE ROLE STACK_TYPE "
                                    "IPV6_ACCESS_TYPE INTERNAL_IPV6_PREFIX EXTERNAL_IPV6_PREFIX",
    "routes": "NAME NETWORK DEST_RANGE NEXT_HOP PRIORITY",
    "addresses list": "NAME ADDRESS/RANGE TYPE PURPOSE NETWORK REGION SUBNET STATUS",
    "forwarding-rules list": "NAME REGION IP_ADDRESS IP_PROTOCOL TARGET",
    "target-pools": "NAME REGION SESSION_AFFINITY BACKUP HEALTH_CHECKS",
    "target-instances": "NAME ZONE INSTANCE NAT_POLICY",
    "http-health-checks": "NAME HOST PORT REQUEST_PATH",
    "instance-templates": "NAME MACHINE_TYPE PREEMPTIBLE CREATION_TIMESTAMP",
    "instance-groups list": "NAME LOCATION SCOPE NETWORK MANAGED INSTANCES",
    "instance-groups list-instances": "NAME ZONE STATUS",
    "instance-groups get-named-ports": "NAME PORT",
    "instance-groups unmanaged list": "NAME ZONE NETWORK NETWORK_PROJECT MANAGED INSTANCES",
    "instance-groups unmanaged create": "NAME LOCATION SCOPE NETWORK MANAGED INSTANCES",
    "instance-groups unmanaged list-instances": "NAME STATUS",
    "instance-groups unmanaged get-named-ports": "NAME PORT",
    "machine-types": "NAME ZONE CPUS MEMORY_GB DEPRECATED",
    "disk-types": "NAME ZONE VALID_DISK_SIZES",
    "zones": "NAME REGION STATUS NEXT_MAINTENANCE TURNDOWN_DATE",
    "regions": "NAME CPUS DISKS_GB ADDRESSES RESERVED_ADDRESSES STATUS TURNDOWN_DATE",
    "operations": "NAME TYPE TARGET HTTP_STATUS STATUS TIMESTAMP",
}
"""Command or group -> the columns that gcloud documents for it, those of its display information (version 528)."""


GROUPS = ("networks subnets", "networks peerings", "instance-groups unmanaged", "instance-groups managed",
          "instances bulk", "instances network-interfaces")
"""Groups of two words."""
OTHER_OUTPUT = ("--format", "--uri", "--async")


@dataclass
class Line:
    """A command line; `place` is the file and the line in it where it stands."""

    place: str
    text: str
    expected: list[tuple[str, str]] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """What follows `gcloud compute`."""
        return shlex.split(self.text)[2:]

    @property
    def group(self) -> str:
        """The group its command is in: `instances`, `networks subnets`."""
        two = " ".join(self.words[:2])
        return two if two in GROUPS else self.words[0]

    @property
    def verb(self) -> str:
        """What is done in the group: `list`, `create`."""
        return self.words[len(self.group.split())]

    @property
    def kind(self) -> str:
        """`refused`, `wrong`, or `done` when it ends with 0."""
        return next((what for what, _ in self.expected if what in ("refused", "wrong")), "done")

    @property
    def columns(self) -> str:
        """The heading of the table it prints; "" when it prints none, or not as gcloud does by itself."""
        if any(word.startswith(OTHER_OUTPUT) for word in self.words):
            return ""
        tabled = self.verb.startswith("list") or self.verb in ("create", "get-named-ports")
        return COLUMNS.get(f"{self.group} {self.verb}", COLUMNS.get(self.group, "")) if tabled else ""


def lines(name: str) -> list[Line]:
    """The lines of one file, in their order."""
    found: list[Line] = []
    for number, raw in enumerate((FOLDER / f"{name}.txt").read_text().splitlines(), 1):
        if found and found[-1].text.endswith("\\"):
            found[-1].text = found[-1].text[:-1] + raw.strip()
        elif raw.startswith("gcloud compute "):
            found.append(Line(f"{name}.txt:{number}", raw))
        elif raw.startswith("    "):
            what, _, value = raw.strip().partition(" ")
            found[-1].expected.append((what, value))
        else:
            assert not raw or raw.startswith("#"), raw
    return found


@dataclass(frozen=True)
class Outcome:
    """What came of a line; `faults` is empty when it was as expected."""

    line: Line
    code: int
    ran: Ran
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.line.place}: $ {self.line.text}\n  {'; '.join(self.faults)}\n{self.ran.out}{self.ran.err}"


def played(gcloud: Gcloud, name: str) -> list[Outcome]:
    """Every line of one file typed, one after the other."""
    (gcloud.home / "start.sh").write_text("#!/bin/sh\necho started\n")
    (gcloud.home / "banner.txt").write_text("Welcome\nto this machine\n")
    outcomes = []
    kept: dict[str, str] = {}
    for line in lines(name):
        code, ran = gcloud.tried(*[put_in(word, kept) for word in line.words])
        outcomes.append(Outcome(line, code, ran, tuple(judged(line, code, ran, kept))))
        for place in [value for what, value in line.expected if what == "waits"]:
            all_done(gcloud.live.api(), place)
    return outcomes


def all_done(api: Api, place: str) -> None:
    """Wait for the operations of a list."""
    for operation in api.get(place, filter="status != DONE").get("items", []):
        api.until_done(operation)


def put_in(text: str, kept: dict[str, str]) -> str:
    """The text with what was kept in place of its $NAMEs."""
    return re.sub(r"\$([A-Z]+)", lambda found: kept.get(found[1], found[0]), text)


def judged(line: Line, code: int, ran: Ran, kept: dict[str, str]) -> Iterator[str]:
    """What is not as the line says; puts what it keeps into `kept`."""
    printed = ran.out + ran.err
    if "gcloud crashed" in printed or "Traceback" in printed:
        yield "it crashed"
    if code != (line.kind != "done"):
        yield f"it ended with {code}"
    if line.columns and line.kind == "done" and "Listed 0 items" not in printed:
        heading = ran.out.partition("\n")[0].split()
        if heading != line.columns.split():
            yield f"its columns are {' '.join(heading)}, not {line.columns}"
    for what, value in line.expected:
        yield from met(what, put_in(value, kept), printed, ran, kept)


def met(what: str, value: str, printed: str, ran: Ran, kept: dict[str, str]) -> Iterator[str]:
    """What is not as one expectation says."""
    if what in ("says", "lacks"):
        found = any(re.search(value, text, re.MULTILINE) for text in (ran.out, printed))
        if found != (what == "says"):
            yield f"{what} {value}"
    elif what == "keep":
        name, _, pattern = value.partition(" ")
        got = re.search(pattern, printed)
        kept[name] = got[1] if got else ""
        if not got:
            yield f"nothing to keep as {name}"
    elif what == "waits":
        return
    elif what == "wrong":
        if value not in printed:
            yield f"it does not say {value}"
    else:
        assert what == "refused", what
        said = [text for text in ran.err.splitlines() if "loud 'sim'" in text]
        if len(said) != 1:
            yield "it is not refused in one line that names the cloud"
        yield from (f"the refusal does not name {word}" for word in value.split() if word not in "".join(said))


def check(outcomes: list[Outcome]) -> None:
    """Raises AssertionError unless 95 of 100 lines that the cloud can do are done, and all are as they say.

    A refusal that does not name what is refused, and where, is not as it says.
    """
    able = [one for one in outcomes if one.line.kind == "done"]
    succeeded = [one for one in able if one.code == 0]
    amiss = "\n".join(str(one) for one in outcomes if one.faults)
    assert able
    assert len(succeeded) >= 0.95 * len(able), f"{len(succeeded)} of {len(able)} succeed\n{amiss}"
    assert not amiss, f"{len(succeeded)} of {len(able)} succeed\n{amiss}"
