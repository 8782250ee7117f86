"""The names that a project's zones are given, whoever answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gcelib.config import CacheConfig, CloudConfig, Config, ProjectConfig, ServerConfig
from gcelib.models import Zone
from gcelib.server.places import Places, assigned, from_data, in_order, to_data

NAMES = ("a", "b", "c")


def config(**clouds: Mapping[str, Any]) -> Config:
    rows = {name: CloudConfig(name, provider="dummy", **clouds.get(name, {})) for name in NAMES}
    return Config(ServerConfig(), CacheConfig(), rows, {"p": ProjectConfig("p", NAMES)})


PLAIN = config()


def zones(*names: str) -> list[Zone]:
    return [Zone(f"id-{name}", name) for name in names]


def labels(places: Places) -> dict[str, str]:
    """"cloud/zone's own name" -> label."""
    return {f"{cloud}/{place.zone.name}": place.label for (cloud, _), place in places.items()}


def test_of_two_zones_of_one_name_the_later_clouds_has_the_clouds_name_in_front() -> None:
    found = assigned(PLAIN, NAMES, {"a": zones("Z-1"), "b": zones("Z-1", "Z-2"), "c": zones("Z-1")}, {})
    assert labels(found) == {"a/Z-1": "z-1", "b/Z-1": "b-z-1", "b/Z-2": "z-2", "c/Z-1": "c-z-1"}


def test_twins_of_one_cloud_differ_too() -> None:
    twins = [Zone("1", "Z-1"), Zone("2", "Z-1"), Zone("3", "Z-1")]
    found = assigned(PLAIN, NAMES, {"a": twins}, {})
    assert len({place.label for place in found.values()}) == 3


def test_a_name_stays_while_the_cloud_that_had_it_first_is_silent() -> None:
    both = assigned(PLAIN, NAMES, {"a": zones("Z-1"), "b": zones("Z-1")}, {})
    alone = assigned(PLAIN, NAMES, {"b": zones("Z-1")}, both)
    assert labels(alone) == labels(both)
    assert [(cloud, place.label) for cloud, place in in_order(alone, NAMES, {"b": zones("Z-1")})] == [
        ("a", "z-1"), ("b", "b-z-1")]


def test_a_cloud_that_comes_later_takes_no_name_that_is_given() -> None:
    first = assigned(PLAIN, ["b"], {"b": zones("Z-1")}, {})
    grown = assigned(PLAIN, ["a", "b"], {"a": zones("Z-1"), "b": zones("Z-1")}, first)
    assert labels(grown) == {"a/Z-1": "a-z-1", "b/Z-1": "z-1"}


def test_the_configuration_alone_changes_a_name() -> None:
    before = assigned(PLAIN, NAMES, {"a": zones("Z-1"), "b": zones("Z-1")}, {})
    renamed = [Zone("id-Z-1", "Other")]
    assert labels(assigned(PLAIN, NAMES, {"a": renamed, "b": zones("Z-1")}, before)) == {
        "a/Other": "z-1", "b/Z-1": "b-z-1"}
    said = config(b={"zones": {"Z-1": "north-1"}})
    assert labels(assigned(said, NAMES, {"a": zones("Z-1"), "b": zones("Z-1")}, before))["b/Z-1"] == "north-1"
    region = config(b={"region": "east"})
    assert labels(assigned(region, NAMES, {"a": zones("Z-1"), "b": zones("Z-1")}, before))["b/Z-1"] == "east-z1"


def test_a_name_the_configuration_gives_is_taken_from_whoever_has_it_and_kept_for_a_silent_cloud() -> None:
    said = config(b={"zones": {"X-9": "z-1"}})
    silent = assigned(said, NAMES, {"a": zones("Z-1")}, {})
    assert labels(silent) == {"a/Z-1": "a-z-1"}
    before = assigned(PLAIN, NAMES, {"a": zones("Z-1"), "b": zones("X-9")}, {})
    after = assigned(said, NAMES, {"a": zones("Z-1"), "b": zones("X-9")}, before)
    assert labels(after) == {"a/Z-1": "a-z-1", "b/X-9": "z-1"}


def test_a_zone_that_is_gone_is_not_shown_and_keeps_its_name() -> None:
    before = assigned(PLAIN, NAMES, {"a": zones("Z-1", "Z-2")}, {})
    gone = assigned(PLAIN, NAMES, {"a": zones("Z-2"), "b": zones("Z-1")}, before)
    assert labels(gone)["b/Z-1"] == "b-z-1"
    shown = [place.label for _, place in in_order(gone, NAMES, {"b": zones("Z-1")})]
    assert shown == ["z-2", "b-z-1"]
    back = assigned(PLAIN, NAMES, {"a": zones("Z-1", "Z-2")}, gone)
    assert labels(back)["a/Z-1"] == "z-1"
    assert not back["a", "id-Z-1"].gone


def test_places_are_stored_as_json_and_read_back_by_an_older_or_newer_gcelib() -> None:
    found = assigned(PLAIN, NAMES, {"a": [Zone("1", "Z-1", up=False, own_networks=True)], "b": zones("Z-1")}, {})
    data = json.loads(json.dumps(to_data(found)))
    assert from_data(data) == found
    for row in data["zones"]:
        row["zone"]["later"] = 1
        del row["zone"]["description"]
    assert from_data(data) == found
    assert from_data({}) == {}


@pytest.mark.parametrize("silent", NAMES)
def test_what_is_said_of_a_silent_cloud_is_what_was_seen_last(silent: str) -> None:
    answers = {name: [Zone("1", f"{name.upper()}-1", description="old")] for name in NAMES}
    known = assigned(PLAIN, NAMES, answers, {})
    changed = {name: [structs.replace(each, description="new") for each in rows]
               for name, rows in answers.items() if name != silent}
    found = assigned(PLAIN, NAMES, changed, known)
    assert {cloud: place.zone.description for (cloud, _), place in found.items()} == {
        name: "old" if name == silent else "new" for name in NAMES}


ROWS = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(("Z-1", "Z-2", "Z1", "b-z-1")), unique=True))


@given(st.lists(ROWS, max_size=5))
def test_no_two_zones_share_a_name_and_none_ever_changes(history: Sequence[Mapping[str, Sequence[str]]]) -> None:
    known: Places = {}
    for answers in history:
        found = assigned(PLAIN, NAMES, {cloud: zones(*names) for cloud, names in answers.items()}, known)
        assert len({place.label for place in found.values()}) == len(found)
        assert {key: found[key].label for key in known} == {key: place.label for key, place in known.items()}
        known = found
