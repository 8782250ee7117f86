"""EC2's query API in text form: parameters as it spells them, answers as plain values, its refusals by their codes."""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from libcloud.common.types import InvalidCredsError
from libcloud.compute.drivers.ec2 import EC2Response

from gcelib.drivers.faults import Garbled

LOG = logging.getLogger(__name__)
ACTION = "action"
"""Under which a connection's context holds what is asked."""

Tree = dict[str, Any]
"""One answer, or a part of one: texts, further trees, or lists of either where EC2 has `<item>`s."""

KEYS = frozenset({
    "AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationToken", "InvalidAccessKeyId",
    "IncompleteSignature", "OptInRequired", "InvalidSignature", "UnrecognizedClientException",
})
"""The codes that say that the keys are not good."""


CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture", "InvalidRequestTimestamp"})
"""The codes that say that a request is of another time."""
TIMES = re.compile("(?i)signature (expired|not yet current)|request has expired|timestamp")
"""The words of SignatureDoesNotMatch, and its like, that say so."""
OTHERS = re.compile("(?i)not authorized for|does not belong to|permission to access")
"""The words of AuthFailure that speak of a thing which is not the account's: the keys are good."""

IDS: Mapping[str, tuple[str, ...]] = {
    "reservationSet": ("reservationId",), "instancesSet": ("instanceId",), "volumeSet": ("volumeId",),
    "snapshotSet": ("snapshotId",), "imagesSet": ("imageId",), "addressesSet": ("allocationId", "publicIp"),
    "availabilityZoneInfo": ("zoneName",), "subnetSet": ("subnetId",), "vpcSet": ("vpcId",),
    "securityGroupInfo": ("groupId",), "securityGroupRuleSet": ("securityGroupRuleId",), "keySet": ("keyName",),
    "instanceTypeSet": ("instanceType",), "accountAttributeSet": ("attributeName",),
}
"""What tells the rows of a list apart, by the list: the first field that is there. Rows of others need none."""


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
        """The answer's fields. Raises Garbled for what is no XML, or another call's answer."""
        asked: Any = self.connection
        return tree_of(self.body or "", str(asked.context.get(ACTION, "")))

    def parse_error(self) -> str:
        """Raises InvalidCredsError, Refusal by code, or Garbled where there is none."""
        status = int(self.status)
        try:
            parts = list(ElementTree.fromstring(self.body or "").iter())
        except ElementTree.ParseError:
            parts = []
        named = {_name(each): (each.text or "").strip() for each in parts if _name(each) in ("Code", "Message")}
        code, words = named.get("Code", ""), named.get("Message", "")
        if not code:
            if status in (401, 403):
                raise InvalidCredsError(f"HTTP {status}")
            raise Garbled(f"HTTP {status} without an error of EC2's", refused=300 <= status < 500)
        if code in KEYS and not TIMES.search(words) and not OTHERS.search(words):
            raise InvalidCredsError(f"{code}: {words}")
        raise Refusal(status, code, words)


def tree_of(body: str | bytes, action: str) -> Tree:
    """The fields of the answer to an action. Raises Garbled for what is no XML, or not this answer."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Garbled(f"no XML, {len(body)} characters") from None
    if _name(root) != f"{action}Response":
        # A page in XHTML would be taken for an empty list.
        raise Garbled(f"{_name(root)[:80]}, not the answer of this call")
    found = _value(root)
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


def listed(tree: Mapping[str, Any], name: str, cloud: str = "") -> list[Tree]:
    """The items of the list that a cloud's answer is about. Raises Garbled where it has none: an empty one is there."""
    found = tree.get(name)
    if not isinstance(found, list) and found != "":
        raise Garbled(f"no list '{name}'")
    return rows(tree, name, cloud)


def rows(tree: Mapping[str, Any], name: str, cloud: str = "") -> list[Tree]:
    """The items of a list in an answer; an empty list comes as an empty text, or not at all.

    Those without what tells them apart are left out, with a line in the log; of two that are the same the second.
    """
    found = tree.get(name)
    every: list[Any] = found if isinstance(found, list) else []
    keys = IDS.get(name, ())
    good: dict[Any, Tree] = {}
    for place, row in enumerate(every):
        mark = next(filter(None, (text(row, key) for key in keys)), "") if isinstance(row, dict) else ""
        if isinstance(row, dict) and (mark or not keys):
            good.setdefault(mark or place, row)
        else:
            lacking = " or ".join(keys) or "fields"
            LOG.warning("%s: a row of %s is left out: it has no %s", cloud or "EC2", name, lacking)
    return list(good.values())


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
    return int(found) if re.fullmatch("-?[0-9]{1,18}", found) else 0


def tags(tree: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a thing."""
    return {key: text(row, "value") for row in rows(tree, "tagSet") if (key := text(row, "key"))}


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
