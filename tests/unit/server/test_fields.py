"""Partial responses."""

from __future__ import annotations

from typing import Any

import pytest

from gcelib.errors import Invalid
from gcelib.server.fields import mask

LIST: dict[str, Any] = {
    "kind": "k",
    "items": [{"name": "a", "zone": "z", "disks": [{"boot": True, "source": "s"}]}, {"name": "b"}],
    "nextPageToken": "t",
}
AGGREGATED: dict[str, Any] = {
    "items": {"zones/z": {"instances": [{"name": "a", "id": "1"}]}, "zones/y": {"warning": {}}}
}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", LIST),
        ("*", LIST),
        ("kind", {"kind": "k"}),
        ("items/name,nextPageToken", {"items": [{"name": "a"}, {"name": "b"}], "nextPageToken": "t"}),
        (" items ( name , zone ) ", {"items": [{"name": "a", "zone": "z"}, {"name": "b"}]}),
        ("items(name,disks/boot)", {"items": [{"name": "a", "disks": [{"boot": True}]}, {"name": "b"}]}),
        ("items/disks(source)", {"items": [{"disks": [{"source": "s"}]}, {}]}),
        ("items/name,items/zone", {"items": [{"name": "a", "zone": "z"}, {"name": "b"}]}),
        ("items/name,items", {"items": LIST["items"]}),
        ("items,items/name", {"items": LIST["items"]}),
        ("*/name", {"items": [{"name": "a"}, {"name": "b"}]}),
        ("nosuch", {}),
        ("kind/below", {}),
    ],
)
def test_only_what_is_selected_is_left(text: str, left: dict[str, Any]) -> None:
    assert mask(text)(LIST) == left


def test_maps_are_entered_with_a_star() -> None:
    assert mask("items/*/instances(name)")(AGGREGATED) == {
        "items": {"zones/z": {"instances": [{"name": "a"}]}, "zones/y": {}}
    }


@pytest.mark.parametrize(
    "text",
    [",", "a,", "a//b", "/a", "a(", "a()", "a(b", "a)b", "(a)", "a b", "a(b)c", "é", "a(" * 100, "x" * 9000],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        mask(text)
    assert caught.value.field == "fields"
