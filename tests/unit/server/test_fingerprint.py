"""Fingerprints and what is done with those that come back."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gcelib.errors import Invalid, Stale
from gcelib.server.fingerprint import check, fingerprint, touched


def test_equal_values_have_equal_fingerprints() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_a_fingerprint_is_eight_bytes_in_both_alphabets() -> None:
    for value in range(300):
        text = fingerprint(value)
        assert len(base64.b64decode(text)) == 8
        assert "+" not in text
        assert "/" not in text


@pytest.mark.parametrize("sent", [None, "", "FXI9TH+3wfM=", "FXI9TH-3wfM=", "FXI9TH-3wfM"])
def test_an_absent_or_current_fingerprint_passes(sent: str | None) -> None:
    check(sent, "FXI9TH+3wfM=", "resource.fingerprint")
    with pytest.raises(Stale):
        check("AAAAAAAAAAA=", "FXI9TH+3wfM=", "resource.fingerprint")


def test_an_old_fingerprint_is_stale() -> None:
    with pytest.raises(Stale, match=r"^Supplied fingerprint does not match current fingerprint\.$"):
        check("AAAAAAAAAAA=", fingerprint(1), "resource.fingerprint")


@pytest.mark.parametrize("sent", ["?", "a", "ü"])
def test_what_is_no_base64_is_invalid(sent: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(sent, fingerprint(1), "resource.fingerprint")
    assert caught.value.field == "resource.fingerprint"


@pytest.mark.parametrize(("body", "names"), [
    ({}, ""), ({"description": "x"}, ""), ({"labels": {}}, "labelFingerprint"),
    ({"labelFingerprint": "YQ==", "labels": {"a": "b"}}, "labelFingerprint"), ({"fingerprint": "YQ=="}, "fingerprint"),
    ({"metadata": {"fingerprint": "YQ=="}, "labels": {}}, "fingerprint labelFingerprint"),
    ({"fingerprint": "", "tags": {"items": []}}, ""),
])
def test_a_request_says_whose_fingerprints_it_changes(body: dict[str, Any], names: str) -> None:
    assert touched(body) == names
