"""Which thing a name means where several clouds have one of that name."""

from __future__ import annotations

from typing import Any

import pytest

from gcelib import naming
from gcelib.errors import Invalid
from gcelib.models import Image, Snapshot, VolumeState
from gcelib.server.directory import Directory, Found


class Cloud:
    def __init__(self, name: str) -> None:
        self.name = name


A, B = Cloud("a"), Cloud("b")


def snapshot(cloud: Any, id: str, name: str) -> Found[Snapshot]:
    return Found(cloud, Snapshot(id, name, VolumeState.READY), name)


def image(cloud: Any, id: str, label: str, name: str) -> Found[Image]:
    return Found(cloud, Image(id, name), label)


def test_a_name_on_two_clouds_is_refused_with_what_tells_them_apart() -> None:
    found = Directory([snapshot(A, "1", "copy"), snapshot(B, "2", "copy"), snapshot(B, "3", "other")])
    with pytest.raises(Invalid) as refused:
        found.match("copy")
    for item in found.items[:2]:
        number = naming.number(item.cloud.name, "snapshot", item.model.id)
        assert f"{number} ('copy' of cloud '{item.cloud.name}')" in refused.value.message
        assert found.match(number) is item
        assert found.match(item.model.id) is item
    assert found.match("other") is found.items[2]


def test_an_id_that_two_clouds_have_is_refused_too() -> None:
    found = Directory([snapshot(A, "1", "here"), snapshot(B, "1", "there")])
    with pytest.raises(Invalid, match="here, there"):
        found.match("1")
    assert found.by_id("b", "1") is found.items[1]


def test_merged_things_of_one_name_are_one() -> None:
    items = [image(A, "1", "debian-12", "Debian 12"), image(B, "2", "debian-12", "Debian 12")]
    found = Directory(items, merged=True)
    assert found.match("debian-12") is items[0]
    assert found.match("Debian 12") is items[0]


def test_twins_of_one_cloud_are_refused_even_where_clouds_are_merged() -> None:
    items = [image(A, "1", "debian-12-10gb", "Debian 12"), image(A, "2", "debian-12-50gb", "Debian 12")]
    with pytest.raises(Invalid, match="debian-12-10gb, debian-12-50gb"):
        Directory(items, merged=True).match("Debian 12")


@pytest.mark.parametrize(("name", "region", "label"), [
    ("eu-west-1a", "eu-west-1", "eu-west-1-a"), ("CH-GV2", "ch", "ch-gv2"), ("zone1", "eu", "eu-zone1"),
    ("us-east-1-bos-1a", "us-east-1", "us-east-1-bos1a"), ("eu-west-1a", "", "eu-west-1a"),
])  # fmt: skip
def test_a_zone_is_called_after_the_region_that_the_configuration_names(name: str, region: str, label: str) -> None:
    assert naming.zone_label(name, region=region) == label
