"""Both of GCE's filter languages, on resources as we render them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gcelib.errors import Invalid
from gcelib.server.filters import compile_filter

ROW: dict[str, Any] = {
    "name": "my-image",
    "status": "UP",
    "network": "https://h/compute/v1/projects/p/global/networks/default",
    "region": "https://h/compute/v1/projects/p/regions/us-central1",
    "zone": "https://h/compute/v1/projects/p/zones/us-central1-a",
    "operationType": "insert",
    "sizeGb": "10",
    "id": "9223372036854775807",
    "memoryMb": 1024,
    "limit": 24.0,
    "labels": {"env-1": "prod", "empty": ""},
    "tags": {"items": ["http", "ssh"]},
    "disks": [{"boot": True, "source": "a"}, {"boot": False, "source": "b"}],
    "scheduling": {"automaticRestart": True, "preemptible": False},
    "creationTimestamp": "2024-01-02T00:00:00.000-07:00",
    "description": 'two\nlines, "quoted"',
    "nothing": None,
    "none": [],
}


def passes(text: str) -> bool:
    return compile_filter(text)(ROW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "name eq my-image",
        "name eq vm1|my-image",
        "name eq my.*",
        "name eq (my|your)-image",
        "name ne my",
        "status eq UP",
        r'name eq ".*\bmy\-image\b.*"',
        r'network eq ".*\bdefault\b.*"',
        'name eq ".*(my-.*).*"',
        "name eq '.*image'",
        r'(region eq ".*\bus\-central1\b.*")(status eq UP)',
        r'(operationType eq ".*\binsert\b.*")(zone eq ".*\bus\-central1\-a\b.*")',
        r'name ne ".*\byour\-image\b.*"',
        "(name eq (my)-image) (status ne DOWN)",
        "(name eq [m)(]y-image)(status eq UP)",
        r"(name eq (\)|m)y-image)",
        "memoryMb eq 1024",
        "limit eq 24",
        "sizeGb eq 1.",
        "scheduling.automaticRestart eq true",
        "scheduling.preemptible ne true",
        "description eq two.*",
        "tags.items eq s.h",
        "nosuch ne x",
        "nothing ne .*",
        "labels.nosuch.deep ne x",
    ],
)
def test_the_older_language_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "name eq my",
        "name eq MY-IMAGE",
        "name ne my-image",
        "(name eq my-image)(status eq DOWN)",
        "nosuch eq .*",
        "nothing eq .*",
        "none eq .*",
        "labels eq .*",
        "scheduling.automaticRestart eq false",
        "tags.items ne ssh",
    ],
)
def test_the_older_language_stops(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    "text",
    [
        'name = "my-image"',
        "name=my-image",
        "name = my*",
        "name = *im*ge",
        "name != your-image",
        "nosuch != x",
        "name:IMAGE",
        "name:m*ge",
        "name:*",
        "status = UP AND name = my-image",
        "(status = UP) (name = my-image)",
        "status = DOWN OR name = my-image",
        "status = UP OR name = x AND name = my-image",
        "NOT status = DOWN",
        "NOT (status = UP AND name = x)",
        "-name:your",
        "NOT NOT status=UP",
        "sizeGb = 10",
        "sizeGb > 9",
        'sizeGb > "9"',
        "sizeGb<=10",
        "sizeGb>=10.0",
        "memoryMb < 2e3",
        "id = 9223372036854775807",
        "id > 9223372036854775806",
        "scheduling.automaticRestart = true",
        "scheduling.preemptible = FALSE",
        "scheduling.automaticRestart:true",
        "labels.env-1 = prod",
        'labels."env-1" = prod',
        "labels.env-1:*",
        "labels.empty:*",
        "labels:env-1",
        "labels.nosuch != x",
        "tags.items = ssh",
        "tags.items:ss",
        "disks.boot = true",
        "disks.source=b",
        "zone:us-central1-a",
        "creationTimestamp > 2024-01-02",
        'creationTimestamp = "2024-01-02T00:00:00.000-07:00"',
        "creationTimestamp <= 2024-01-02T07:00:00Z",
        'creationTimestamp < "2024-01-02T07:00:00.001Z"',
        "name > my",
        r'description:"\"quoted\""',
        'status = UP AND (name eq ".*image")',
        'name eq "my.*" AND status = UP',
        "status=UP AND name eq my.*",
    ],
)
def test_the_newer_language_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "name = my",
        "name != my-image",
        "nosuch = *",
        "nosuch:*",
        "none:*",
        "nothing:*",
        "nosuch < 5",
        "status = UP OR name = my-image AND name = x",
        "-status:up",
        "id > 9223372036854775807",
        "id = 9223372036854775806",
        "id = 9223372036854775808",
        "tags.items != ssh",
        "labels.nosuch:*",
        "labels = prod",
        "scheduling.automaticRestart > 0",
        "creationTimestamp > 2024-01-03",
        "name = *a*a*a*",
        "name = my-imagemy-image*",
    ],
)
def test_the_newer_language_stops(text: str) -> None:
    assert not passes(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name", "After 'name' a comparison"),
        ("name = ", "at the end"),
        ("= x", "A field name was expected"),
        ("(name=a", "A ')' is missing"),
        ("name=a)", "a ')' too many"),
        ("name eq (", "not an RE2 regular expression"),
        ('name eq "a', "closing quote is missing"),
        ("name eq ", "A regular expression was expected"),
        ('name eq "a"b', "left over"),
        ("name = a b", "needs quotes"),
        ("name:(a b)", "needs quotes"),
        ("name eq a AND status eq b", "in parentheses"),
        ("name eq a status eq b", "in parentheses"),
        ("(name eq a", "A ')' is missing"),
        ("a = 1 and b = 2", "After 'and'"),
        ("AND", "A field name was expected"),
        ("name=x AND", "A field name was expected"),
        ("OR name=x", "A field name was expected"),
        ("a ~ b", "After 'a'"),
        ("9name = a", "A field name was expected"),
        ("name==a", "There is no '=='"),
        ("name=~[", "not an RE2 regular expression"),
        ("name =~ ", "A regular expression was expected"),
        ("(name=~a", "A ')' is missing"),
        ("name eq (a{1000}){1000}", "not an RE2 regular expression"),
        ("name eq (?=a)", "not an RE2 regular expression"),
        (r"name eq (a)\1", "not an RE2 regular expression"),
        ("(" * 100 + "a=1" + ")" * 100, "deep"),
        (" ".join(["a=1"] * 200), "more than 128"),
        ("a" * 20_000, "longer than"),
        ("name = \ud800", "not Unicode"),
    ],
)
def test_what_is_not_understood_is_said(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_filter(text)
    assert caught.value.field == "filter"
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("name", 5), ("name = ", 8), ("a=1 AND = x", 9), ("(name=a", 8), ("name=a)", 7), ("a=1 name eq [", 13),
        ("a=1 b=~[", 8), ("name = a b", 11), ("a=1 OR OR b=2", 8), ("(a eq b", 8), ('a = "b', 5),
    ],
)
def test_what_is_not_understood_is_said_with_its_place(text: str, at: int) -> None:
    with pytest.raises(Invalid, match=rf"\(At character {at}\.\)"):
        compile_filter(text)


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ("name=~my-.*", True), ("name =~ my", False), ("name=~my-image", True), ("name!~my-.*", False),
        ("nosuch!~.*", True), ("nosuch=~.*", False), ("(name=~(my|your)-image) (name!~x)", True),
        (r'name=~"my\-im[a-z]+"', True), ("name=~'my-(a|image)' AND id=~9.*", True), ("(name=~[)m]y-.*)", True),
        ("tags.items=~s.h OR name=x", True), ("NOT name=~my.*", False), ("labels.env-1=~p..d", True),
    ],
)
def test_regular_expressions_of_the_newer_language_are_anchored(text: str, passing: bool) -> None:
    assert passes(text) is passing


@pytest.mark.parametrize(
    "text",
    [
        "name eq (a+)+$", "name=~(a+)+$", "name eq (a|aa)*b", "name = " + "*a" * 300 + "*b", "name:" + "a*" * 300 + "b",
    ],
)
def test_no_pattern_takes_long(text: str) -> None:
    test = compile_filter(text)
    started = time.perf_counter()
    assert not test({"name": "a" * 50_000 + "!"})
    assert time.perf_counter() - started < 2
