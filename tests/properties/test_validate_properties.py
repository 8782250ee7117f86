"""Bodies of any shape are cleaned or refused by path; names are what RFC 1035 says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcelib.errors import Invalid, Missing
from gcelib.server import validate
from gcelib.server.routes import RouteTable

TABLE = RouteTable.load()
INSERT = TABLE.methods["compute.instances.insert"]
FIELDS = st.sampled_from(
    ["name", "disks", "items", "tags", "metadata", "boot", "diskSizeGb", "labels", "scheduling", "key", "value", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=15,
)


def cleaned(value: Any, *, strict: bool = False) -> tuple[dict[str, Any], list[str]]:
    return validate.body(INSERT, TABLE.schemas, json.dumps(value).encode(), "application/json", strict=strict)


@given(st.dictionaries(FIELDS, JSON))
def test_a_body_is_cleaned_or_refused_by_the_path_of_a_field(value: dict[str, Any]) -> None:
    answer: dict[str, Any] = {"name": "n"}
    try:
        answer, paths = cleaned({**value, "name": "n"})
    except Invalid as refusal:
        paths = [refusal.field]
    assert all(path.startswith("resource.") for path in paths)
    assert cleaned(answer, strict=True) == (answer, [])


@given(st.text("aA-1._", min_size=1, max_size=70) | st.from_regex(r"[a-z]([-a-z0-9]{0,70}[a-z0-9])?", fullmatch=True))
def test_a_name_passes_exactly_when_it_is_a_label(name: str) -> None:
    if len(name) <= 63 and re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name):
        assert cleaned({"name": name})[0] == {"name": name}
    else:
        with pytest.raises(Invalid) as caught:
            cleaned({"name": name})
        assert caught.value.field == "resource.name"


@given(st.integers() | st.integers(-(2**65), 2**65))
def test_a_64_bit_number_is_text_however_it_came(number: int) -> None:
    for sent in (number, str(number)):
        body = {"name": "n", "disks": [{"diskSizeGb": sent}]}
        if -(2**63) <= number < 2**63:
            assert cleaned(body)[0]["disks"] == [{"diskSizeGb": str(number)}]
        else:
            with pytest.raises(Invalid):
                cleaned(body)


@given(st.lists(st.tuples(st.sampled_from([*INSERT.params, "maxResults", "alt", "fields", "prettyPrint"]), st.text())))
def test_a_query_is_typed_or_refused_by_the_name_of_a_parameter(pairs: list[tuple[str, str]]) -> None:
    for id in ("compute.instances.insert", "compute.instances.list", "compute.instances.setDiskAutoDelete"):
        method = TABLE.methods[id]
        try:
            named = set(validate.query(method, pairs))
        except Missing as refusal:
            named = {refusal.field} - {name for name, param in method.params.items() if param.required}
        except Invalid as refusal:
            named = {refusal.field}
        assert named <= {name for name, _ in pairs}
