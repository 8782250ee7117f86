"""Every URL we print and every form of URL we accept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from gcelib.errors import Invalid

ROOT = "/compute/v1/"
MAX_LENGTH = 2048
FAMILY = "family/"
"""An image's name starts with this when the link means the newest image of a family."""

PLACES = ("zones", "regions", "global")
"""What a link below a project starts with."""

_READABLE = "@:"
"""Google leaves these as they are in a path, and gcutil compares links literally."""
_PLAIN = re.compile(r"[-._~@:A-Za-z0-9/]*")
_VERSION = re.compile(r"alpha|beta|v[0-9][a-z0-9]*")
_HOST = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Ref:
    """A thing that a link means. `scope`: "zones/Z", "regions/R", "global", "" for projects, zones, regions.

    A project is `Ref(P, "", "projects", P)`; an image family is an image named "family/F". Values are
    decoded.
    """

    project: str
    scope: str
    collection: str
    name: str

    @property
    def path(self) -> str:
        """This thing's path as GCE's messages show it: "projects/p/zones/z/instances/n"."""
        if self.collection == "projects":
            return f"projects/{self.project}"
        scope = f"{self.scope}/" if self.scope else ""
        return f"projects/{self.project}/{scope}{self.collection}/{self.name}"


class Links:
    """The links of one request: all start with the base URL that its client was given.

    `base_url` has no slash at the end. Arguments are plain values, not percent-encoded.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.root = base_url + ROOT

    def at(self, path: str) -> str:
        """The full link of a path below "compute/v1/"; each of its segments is percent-encoded."""
        return self.root + (path if _PLAIN.fullmatch(path) else quote(path, safe=_READABLE + "/"))

    def project(self, project: str) -> str:
        """The link of a project."""
        return f"{self.root}projects/{_encoded(project)}"

    def zone(self, project: str, zone: str) -> str:
        """The link of a zone."""
        return f"{self.project(project)}/zones/{_encoded(zone)}"

    def region(self, project: str, region: str) -> str:
        """The link of a region."""
        return f"{self.project(project)}/regions/{_encoded(region)}"

    def resource(self, project: str, scope: str, collection: str, name: str) -> str:
        """The link of a thing; `scope` as in `Ref`. An image name may be "family/F"."""
        place = self.project(project)
        if collection == "projects":
            return place
        if scope:
            kind, _, where = scope.partition("/")
            place = f"{place}/{kind}/{_encoded(where)}" if where else f"{place}/{kind}"
        if collection == "images" and name.startswith(FAMILY):
            return f"{place}/{collection}/{FAMILY}{_encoded(name.removeprefix(FAMILY))}"
        return f"{place}/{collection}/{_encoded(name)}"

    def to(self, ref: Ref) -> str:
        """The link of what `parse` understood."""
        return self.resource(ref.project, ref.scope, ref.collection, ref.name)


def parse(text: str, *, project: str, collection: str = "", scope: str = "", field: str = "") -> Ref:
    """What a link in any of GCE's forms means.

    Accepted: full on any host and API version, "/compute/v1/projects/..", "projects/..", "zones/Z/..",
    "regions/R/..", "global/..", these three also after a slash, and a bare name, which takes the `collection` and
    `scope` given. `project` fills in where the link names none. Raises `Invalid` for anything else, and for a link
    to another collection than the one given; `field` is the body field or parameter to name in it.
    """
    if not text or len(text) > MAX_LENGTH:
        raise _malformed(text, field, "it is empty" if not text else "it is too long")
    segments = [_decoded(segment, text, field) for segment in _below_root(text).split("/")]
    if len(segments) == 1 and collection and "/" not in text:
        return _bare(segments[0], project=project, collection=collection, scope=scope)
    if segments[0] == "projects" and len(segments) > 1:
        project, segments = segments[1], segments[2:]
    ref = _placed(project, segments)
    if ref is None:
        raise _malformed(text, field, "it is none of the forms GCE knows")
    if collection and ref.collection != collection:
        raise _malformed(text, field, f"it leads to {ref.collection}, and {collection} are meant here")
    return ref


def _below_root(text: str) -> str:
    """What follows "compute/VERSION/", or starts at "projects/"."""
    host = _HOST.match(text)
    path = text[host.end() :] if host else text
    segments = path.lstrip("/").split("/")
    if host or path.startswith("/") or segments[0] == "compute":
        for at in range(len(segments) - 2):
            if segments[at] == "compute" and _VERSION.fullmatch(segments[at + 1]):
                return "/".join(segments[at + 2 :])
            if segments[at] == "projects":
                return "/".join(segments[at:])
        if host and "projects" in segments:
            return "/".join(segments[segments.index("projects") :])
    # libcloud writes "/zones/Z/machineTypes/M".
    return path.removeprefix("/") if not host and segments[0] in PLACES else path


def _bare(name: str, *, project: str, collection: str, scope: str) -> Ref:
    if collection == "projects":
        return Ref(name, "", collection, name)
    return Ref(project, "" if collection in {"zones", "regions"} else scope, collection, name)


def _placed(project: str, segments: list[str]) -> Ref | None:
    """The thing that segments below a project mean, or None."""
    match segments:
        case []:
            return Ref(project, "", "projects", project)
        case [("zones" | "regions") as kind, place]:
            return Ref(project, "", kind, place)
        case ["zones", _, "imageFamilyViews", family]:
            return Ref(project, "global", "images", FAMILY + family)
        case ["global", "images", "family", family]:
            return Ref(project, "global", "images", FAMILY + family)
        case [("zones" | "regions") as kind, place, collection, name]:
            return Ref(project, f"{kind}/{place}", collection, name)
        case ["global", collection, name]:
            return Ref(project, "global", collection, name)
    return None


def _encoded(segment: str) -> str:
    return segment if _PLAIN.fullmatch(segment) and "/" not in segment else quote(segment, safe=_READABLE)


def _decoded(segment: str, text: str, field: str) -> str:
    try:
        name = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise _malformed(text, field, "its percent-encoding is not UTF-8") from None
    if name in {"", ".", ".."} or _CONTROL.search(name):
        raise _malformed(text, field, "a part of it is empty or no name")
    return name


def _malformed(text: str, field: str, why: str) -> Invalid:
    shown = text if len(text) <= 200 else text[:200] + "..."
    where = f" for field '{field}'" if field else ""
    return Invalid(f"Invalid value{where}: '{shown}'. The URL is malformed: {why}.", field=field)
