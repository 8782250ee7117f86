"""Backend names and ids on one side, RFC 1035 labels and 63-bit numbers on the other: stable, both ways."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
LABEL_PATTERN = "[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"
_LONGEST = 63
_TWIN = re.compile(r"-[0-9a-f]{8}\Z")
_HOST = re.compile(r"[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?\Z")


def is_label(text: str) -> bool:
    """Whether GCE takes this as a name (RFC 1035, lower case, 1 to 63 characters)."""
    return LABEL.match(text) is not None


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in any of its spellings."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def is_host_name(text: str) -> bool:
    """Whether this could be a machine's host name (RFC 1123 with a letter first): a label in any letter case."""
    return _HOST.match(text) is not None


def slug(text: str) -> str:
    """The label nearest to a backend's name; a label is its own slug, and equal names have equal slugs.

    "Extra-large" -> "extra-large", "Linux CentOS 6.4 64-bit" -> "linux-centos-6-4-64-bit". A name that
    starts with a digit gets an "n-", one with no usable letter a hash, one too long is cut and marked. Host names
    have one label only if they differ in nothing but case.
    """
    if is_label(text):
        return text
    if text.isascii() and is_label(text.lower()):
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    label = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not label:
        label = "n-" + _hash(text)
    if not label[0].isalpha():
        label = "n-" + label
    if len(label) > _LONGEST:
        label = with_suffix(label, _hash(text))
    return label


def may_have_suffix(label: str) -> bool:
    """Whether a label may be one that tells twins apart that have UUIDs for ids: none else ends so by our doing."""
    return _TWIN.search(label) is not None


def with_suffix(label: str, suffix: str) -> str:
    """`label-suffix`, the label cut where the two would be longer than a name may be."""
    return f"{label[: _LONGEST - 1 - len(suffix)].rstrip('-')}-{suffix}"


def number(cloud: str, kind: str, backend_id: str) -> str:
    """GCE's numeric id: 63 bits of SHA-256 over cloud, kind and backend id, as a decimal text, never "0"."""
    digest = hashlib.sha256("\0".join((cloud, kind, backend_id)).encode()).digest()
    return str(max(1, int.from_bytes(digest[:8], "big") >> 1))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Named(msgspec.Struct, frozen=True, gc=False):
    """A thing to be named: its backend id and name, and hints that may tell it from others of that name.

    Hints are tried in order; one serves when every twin has it and no two have the same ("10gb")."""

    id: str
    name: str
    hints: tuple[str, ...] = ()


def labels(things: Iterable[Named], reserved: Mapping[str, str] | None = None) -> dict[str, str]:
    """id -> label, no label twice. `reserved` maps ids to labels they have whatever their name is.

    A name nobody else has becomes its slug. Twins each take a suffix: the first hint that tells them
    all apart, else the beginning of their id, so that one's name does not depend on the others' order.
    """
    given = dict(reserved or {})
    used = set(given.values())
    first: dict[str, Named] = {}
    twins: dict[str, list[Named]] = {}
    for thing in things:
        if thing.id not in given:
            label = slug(thing.name)
            # Hardly anything has a twin: a list for each thing would cost as much as all the rest.
            if first.setdefault(label, thing) is not thing:
                twins.setdefault(label, [first[label]]).append(thing)
    taken = used | set(first)
    for label, thing in first.items():
        if label in used:
            twins.setdefault(label, [thing])
        elif label not in twins:
            given[thing.id] = label
    for label in (label for label in first if label in twins):
        group = twins[label]
        suffixes = _suffixes(group)
        for thing in group:
            wish = with_suffix(label, suffixes[thing.id])
            if wish in taken:
                wish = with_suffix(label, _hash(thing.id))
            taken.add(wish)
            given[thing.id] = wish
    return given


def _suffixes(group: list[Named]) -> dict[str, str]:
    """What tells the members of one slug apart, as label pieces."""
    for column in range(min(len(thing.hints) for thing in group)):
        pieces = {thing.id: _piece(thing.hints[column]) for thing in group}
        if all(pieces.values()) and max(Counter(pieces.values()).values()) == 1:
            return pieces
    short = {thing.id: _piece(thing.id)[:8].strip("-") for thing in group}
    if len(group) > 1 and max(Counter(short.values()).values()) == 1 and all(short.values()):
        return short
    return {thing.id: _hash(thing.id) for thing in group}


def _piece(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:20].strip("-")


def region_of(zone: str) -> str:
    """The region GCE clients compute from a zone's name: what stands before its last dash."""
    return zone.rpartition("-")[0]


def zone_label(name: str, *, given: str = "", region: str = "") -> str:
    """A zone's GCE name, `<region>-<suffix>` always.

    `given` is the config's own name for it; `region` the config's name for the region, which a zone may begin with:
    one letter or digit follows ("eu-west-1a" in "eu-west-1"), or a dash. Without either, "CH-GV2" -> "ch-gv2" (region
    "ch") and "zone1" -> "zone1-a" (region "zone1").
    """
    label = slug(given or name)
    if region and not given:
        prefix = slug(region) + "-"
        rest = label.removeprefix(prefix)
        if label[:-1] == slug(region):
            rest = label[-1]
        return prefix + rest.replace("-", "")
    return label if "-" in label else label + "-a"
