"""Every method of GCE v1, called once: served, or refused by name; never a 5xx, never HTML."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gcelib.server.resources import offered, table
from gcelib.server.routes import Method
from tests.api import Api

VALUES = {"project": "demo", "zone": "ch-gv2", "region": "ch"}
METHODS = sorted(table().methods.values(), key=lambda method: method.id)


def path_of(method: Method) -> str:
    """The method's path with something in every place."""
    return "/compute/v1/" + re.sub(r"\{(\w+)\}", lambda match: VALUES.get(match[1], "nothing-here"), method.path)


def test_the_document_has_the_1025_methods_of_gce_v1() -> None:
    assert len(METHODS) == 1025


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)
def test_a_method_is_served_or_refused_by_name(api: Api, method: Method) -> None:
    body: Any = {} if method.request else None
    answer = api.call(method.verb, path_of(method), body)
    assert answer.status < 500, answer.data
    if method.id in offered():
        assert answer.status in (200, 400, 404), answer.data
        assert answer.status == 200 or answer.reason != "unsupportedOperation" or "not offered on" in answer.message
    else:
        assert (answer.status, answer.reason) == (400, "unsupportedOperation"), answer.data
        assert method.id in answer.message
        assert "'sim'" in answer.message


def test_a_path_gce_does_not_have_is_404(api: Api) -> None:
    below = "/compute/v1/projects/demo/zones/z/instances/a/b/c"
    for path in ("/compute/v1/nothing", below, "/compute/v2/x", "/nothing"):
        answer = api.call("GET", path)
        assert (answer.status, answer.reason) == (404, "notFound"), path


def test_a_wrong_verb_is_405_and_says_which_are_right(api: Api) -> None:
    answer = api.call("PUT", "zones/ch-gv2/instances")
    assert answer.status == 405
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}
