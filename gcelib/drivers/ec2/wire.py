"""EC2's query API in text form: parameters as it spells them, answers as plain values, its refusals by their codes."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from libcloud.common.types import InvalidCredsError
from libcloud.compute.drivers.ec2 import EC2Response

from gcelib.drivers.faults import Garbled

Tree = dict[str, Any]
"""One answer, or a part of one: texts, further trees, or lists of either where EC2 has `<item>`s."""

KEYS = frozenset({
    "AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationToken", "InvalidAccessKeyId",
    "IncompleteSignature", "OptInRequired", "RequestExpired", "InvalidSignature", "UnrecognizedClientException",
})
"""The codes that say that the keys are not good, or the clock is not."""


class Refusal(Exception):
    """What EC2 answered instead: the HTTP status, its code ("InvalidGroup.Duplicate") and its words."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.status, self.code, self.words = status, code, words


class Answer(EC2Response):
    """An answer read without regard to XML namespaces: each version of the API and each cloud has another one."""

    def __init__(self, response: Any, connection: Any) -> None:
        # Not every cloud says so, and without a word XML would be taken for Latin-1.
        response.encoding = "utf-8"
        super().__init__(response, connection)  # type: ignore[no-untyped-call]

    def parse_body(self) -> Tree:
        """The answer's fields. Raises Garbled for what is no XML."""
        return tree_of(self.body or "")

    def parse_error(self) -> str:
        """Raises InvalidCredsError, Refusal by code, or Garbled where there is none."""
        status = int(self.status)
        try:
            root = ElementTree.fromstring(self.body or "")
        except ElementTree.ParseError:
            if status in (401, 403):
                raise InvalidCredsError(f"HTTP {status}") from None
            raise Garbled(f"HTTP {status} without an error of EC2's", refused=400 <= status < 500) from None
        named = {_name(each): (each.text or "").strip() for each in root.iter() if _name(each) in ("Code", "Message")}
        code, words = named.get("Code", ""), named.get("Message", "")
        if code in KEYS:
            raise InvalidCredsError(f"{code}: {words}")
        raise Refusal(status, code, words)


def tree_of(body: str | bytes) -> Tree:
    """The fields of an answer. Raises Garbled for what is no XML."""
    if not body:
        return {}
    try:
        found = _value(ElementTree.fromstring(body))
    except ElementTree.ParseError:
        raise Garbled("no XML") from None
    return found if isinstance(found, dict) else {}


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(element: ElementTree.Element) -> Any:
    parts = list(element)
    if not parts:
        return (element.text or "").strip()
    if all(_name(part) in ("item", "member") for part in parts):
        return [_value(part) for part in parts]
    return {_name(part): _value(part) for part in parts}


def rows(tree: Mapping[str, Any], name: str) -> list[Any]:
    """The items of a list in an answer; an empty list comes as an empty text, or not at all."""
    found = tree.get(name)
    return found if isinstance(found, list) else []


def part(tree: Mapping[str, Any], name: str) -> Tree:
    """A part of an answer; {} where it is not there."""
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def text(tree: Mapping[str, Any], name: str) -> str:
    """A text in an answer; "" where it is not there."""
    found = tree.get(name)
    return found if isinstance(found, str) else ""


def number(tree: Mapping[str, Any], name: str) -> int:
    """A whole number in an answer; 0 where it is not there."""
    found = text(tree, name)
    return int(found) if found.lstrip("-").isdigit() else 0


def tags(tree: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a thing."""
    return {text(row, "key"): text(row, "value") for row in rows(tree, "tagSet")}


def spelt(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as EC2 takes them: `{"Filter": [{"Name": "x"}]}` is `Filter.1.Name=x`; None and "" are left out."""
    return dict(_spelt(params, ""))


def form(params: Mapping[str, str]) -> str:
    """Parameters as the body of a form."""
    return urlencode(sorted(params.items()))


def _spelt(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _spelt(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value, 1):
            yield from _spelt(inner, f"{at}.{index}")
    elif isinstance(value, bool):
        yield at, str(value).lower()
    elif value not in (None, ""):
        yield at, str(value)
