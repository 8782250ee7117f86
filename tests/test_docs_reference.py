"""The reference of errors and of methods says what the server does: no word of it is missing, no yes is a no."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import errors_page, methods
from docs.reasons import CODES, REASONS, SIGN_IN, WARNINGS
from gcelib.drivers import registry
from gcelib.drivers.base import FACETS
from gcelib.drivers.profile import verbs
from gcelib.server.resources import offered, table
from tests.live import Live

SOURCES = Path(__file__).parent.parent / "gcelib"
DUMMY = """
[clouds.dum]
provider = "dummy"
key = "0"
[projects.demo]
clouds = ["dum"]
"""


def sources(folder: str) -> str:
    """All code of a part of gcelib."""
    return "\n".join(path.read_text() for path in sorted((SOURCES / folder).rglob("*.py")))


def test_every_reason_that_a_fault_may_have_is_explained_and_no_other() -> None:
    assert set(errors_page.answers()) == set(REASONS)
    assert all(cause and cure for cause, cure in REASONS.values())


def test_every_code_of_a_warning_or_an_operation_is_explained() -> None:
    written = sources("server")
    found = {word for word in table().schemas["Operation"]["properties"]["warnings"]["items"]["properties"][
        "code"]["enum"] if f'"{word}"' in written}
    assert {"UNDECLARED_PROPERTIES", "NO_RESULTS_ON_PAGE", "FIELD_VALUE_OVERRIDEN"} <= found
    assert found == {*WARNINGS, *CODES}


def test_every_word_of_oauth_is_explained() -> None:
    found = set(re.findall(r'"error": "(\w+)"|error="(\w+)"', sources("auth")))
    written = {word for pair in found for word in pair if word}
    assert "access_denied" in written
    assert written <= set(SIGN_IN)


def test_every_served_change_stands_on_a_verb_that_facets_have() -> None:
    told = {(collection, method) for collection, needs in methods.NEEDS.items() for method in needs}
    assert set(methods.writes()) <= told
    known = {f"{facet}.{verb}" for facet in FACETS for verb in verbs(facet)}
    assert {need for needs in methods.NEEDS.values() for need in needs.values() if need} <= known


def test_cloudstack_carries_out_all_that_is_served() -> None:
    assert [pair for pair in methods.writes() if not methods.served("cloudstack", *pair)] == []


@pytest.fixture(scope="module")
def dummy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """gcelib before libcloud's toy, which can do little."""
    live = Live(tmp_path_factory.mktemp("dummy"), "", "", "", clouds=DUMMY)
    live.start()
    yield live
    assert live.stop() == 0


def test_what_a_cloud_cannot_do_is_refused_and_nothing_else(dummy: Live) -> None:
    api = dummy.api()
    (machine, *_) = api.get("zones/dum-a/instances")["items"]
    values = {"project": "demo", "zone": "dum-a", "region": "dum", "instance": machine["name"]}
    unlike = []
    for collection, name in methods.writes():
        method = table().methods[f"compute.{collection}.{name}"]
        path = re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "nothing-here"), method.path)
        answer = api.call(method.verb, f"/compute/v1/{path}", BODIES.get((collection, name), {}), **ASKED.get(name, {}))
        reason = answer.data["error"]["errors"][0]["reason"] if answer.status >= 400 else ""
        if methods.served("dummy", collection, name):
            wrong = reason == "unsupportedOperation"
        else:
            # What it names may be looked for first.
            wrong = reason not in ("unsupportedOperation", "notFound", "invalid")
        if wrong:
            unlike.append(f"{collection}.{name}: {answer.data.get('error', {}).get('message')}")
    assert not unlike, "\n".join(unlike)


NIC = {"networkInterface": "nic0"}
ASKED = {
    "addAccessConfig": NIC, "updateAccessConfig": NIC, "deleteAccessConfig": {**NIC, "accessConfig": "External NAT"},
    "deleteNetworkInterface": {"networkInterfaceName": "nic1"}, "detachDisk": {"deviceName": "data"},
    "setDiskAutoDelete": {"deviceName": "data", "autoDelete": "true"},
}
NEW, NETWORK, DISK = {"name": "new"}, {"network": "global/networks/default"}, "zones/dum-a/disks/nothing-here"
BODIES = {
    ("addresses", "insert"): NEW,
    ("disks", "createSnapshot"): NEW,
    ("disks", "insert"): {**NEW, "sizeGb": "10"},
    ("disks", "resize"): {"sizeGb": "10"},
    ("firewalls", "insert"): {**NEW, **NETWORK, "allowed": [{"IPProtocol": "tcp"}]},
    ("forwardingRules", "insert"): {**NEW, "IPProtocol": "TCP", "portRange": "80", "target": "global/x"},
    ("images", "insert"): {**NEW, "sourceDisk": DISK},
    ("instances", "attachDisk"): {"source": DISK},
    ("networks", "insert"): {**NEW, "autoCreateSubnetworks": True},
    ("routes", "insert"): {**NEW, **NETWORK, "destRange": "10.9.0.0/16", "nextHopIp": "10.0.0.9", "priority": 1000},
    ("snapshots", "insert"): {**NEW, "sourceDisk": DISK},
    ("subnetworks", "insert"): {**NEW, **NETWORK, "ipCidrRange": "10.9.0.0/16"},
}
"""What a request needs so that it is not refused for what it lacks."""


def test_the_columns_are_providers_that_gcelib_carries() -> None:
    assert all(registry.carried(name) for name in methods.SHOWN)
    assert len(offered()) > len(methods.writes()) > 60
