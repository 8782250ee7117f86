"""Whatever supported fields a disk, a snapshot or an image is made with read back as they were sent."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api import Api
from tests.wire.machines import machine

ZONE = "de-adv1"
DISKS = f"zones/{ZONE}/disks"
NUMBERS = itertools.count()
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=400)
labels = st.dictionaries(
    st.from_regex(r"[a-f][a-z0-9_-]{0,20}", fullmatch=True), st.from_regex(r"[a-z0-9_-]{0,20}", fullmatch=True),
    max_size=5,
)
ornaments = st.fixed_dictionaries({}, optional={"description": texts, "labels": labels})
families = st.fixed_dictionaries({}, optional={"family": st.from_regex(r"[a-z]([-a-z0-9]{0,40}[a-z0-9])?",
                                                                       fullmatch=True)})
sizes = st.one_of(
    st.fixed_dictionaries({"sizeGb": st.integers(1, 1024).map(str)},
                          optional={"type": st.sampled_from(["pd-standard", "custom"])}),
    st.sampled_from([{"type": "small", "sizeGb": "5"}, {"type": "large"}]),
)


@pytest.fixture(scope="module")
def source(api: Api) -> str:
    """The boot disk of a machine, to copy."""
    disks = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
    api.change("POST", f"zones/{ZONE}/instances", machine("copied", ZONE, disks=disks))
    return f"{DISKS}/copied"


def read_back(api: Api, path: str, sent: dict[str, Any]) -> None:
    """Make it, compare every field sent with the same field as shown, delete it."""
    name = f"thing-{next(NUMBERS)}"
    api.change("POST", path, {**sent, "name": name})
    shown = api.get(f"{path}/{name}")
    for field, value in sent.items():
        if isinstance(value, str) and field in ("type", "sourceDisk"):
            assert shown[field].rpartition("/")[2] == value.rpartition("/")[2]
        else:
            assert shown.get(field) == (value or shown.get(field)), field
    if not sent.get("labels"):
        assert "labels" not in shown
    api.change("DELETE", f"{path}/{name}")


@FEW
@given(sizes, ornaments)
def test_a_disk(api: Api, size: dict[str, str], ornament: dict[str, Any]) -> None:
    link = {"type": f"zones/{ZONE}/diskTypes/{size['type']}"} if "type" in size else {}
    read_back(api, DISKS, {**size, **link, **ornament})


@FEW
@given(ornaments)
def test_a_snapshot(api: Api, source: str, ornament: dict[str, Any]) -> None:
    read_back(api, "global/snapshots", {"sourceDisk": source, **ornament})


@FEW
@given(ornaments, families)
def test_an_image(api: Api, ornament: dict[str, Any], family: dict[str, str]) -> None:
    raw = {"source": "http://images.example/any.raw", "containerType": "TAR"}
    read_back(api, "global/images", {"rawDisk": raw, **ornament, **family})
