"""What an image is made of: a disk, a snapshot, or a file the clouds fetch; and how that is shown later."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.errors import InUse, Invalid, Missing, Unsupported
from gcelib.models import NodeState
from gcelib.server import disks, remarks, unmet
from gcelib.server.abilities import needed
from gcelib.server.context import Context

REFUSED: unmet.Wishes = {
    "imageEncryptionKey": bool, "sourceImageEncryptionKey": bool, "sourceDiskEncryptionKey": bool,
    "sourceSnapshotEncryptionKey": bool, "shieldedInstanceInitialState": bool, "storageLocations": bool,
    "enableConfidentialCompute": bool, "architecture": lambda value: value == "ARM64",
}
IGNORED = ("licenses", "guestOsFeatures", "diskSizeGb")
SOURCES = ("sourceDisk", "sourceSnapshot", "sourceImage", "rawDisk")
RAW = "resource.rawDisk.source"
GOOGLE = "https://storage.googleapis.com"
OBJECT = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/([^/]+)")
"""The path of an object in Google's storage API, as gcloud writes it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How one cloud makes the image: the verb of its images and the arguments, and what is kept of the origin."""

    cloud: Cloud
    verb: str
    args: Mapping[str, Any]
    said: Mapping[str, str] = field(default_factory=dict)


def chosen(ctx: Context) -> Sequence[Origin]:
    """What the request's image is to be made of, for every cloud that makes it.

    Raises Missing without a source, Invalid for two, Unsupported, NotFound, NotReady or InUse naming it.
    """
    body = ctx.body
    given = [name for name in SOURCES if body.get(name)]
    if not given:
        raise Missing("Required field 'resource.sourceDisk' not specified: an image is made of a disk, a snapshot "
                      "('sourceSnapshot') or a file ('rawDisk.source').", field="resource.sourceDisk")
    if len(given) > 1:
        raise Invalid(f"Invalid value for field 'resource.{given[1]}': an image has one source, and '{given[0]}' is "
                      "given as well.", field=f"resource.{given[1]}")
    for cloud in ctx.view.clouds:
        unmet.refuse(ctx, cloud, body, REFUSED, "images", "resource")
    if given[0] == "sourceImage":
        clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.sourceImage' is not offered on cloud {clouds}: it does not copy "
            "images. Make an instance of the image, stop it, and make the image of its disk.",
            field="resource.sourceImage",
        )
    return {"sourceDisk": _disk, "sourceSnapshot": _snapshot, "rawDisk": _file}[given[0]](ctx)


def ignored(ctx: Context) -> list[tuple[str, str]]:
    """Warnings for what is accepted and has no effect."""
    return unmet.ignored(ctx.view.clouds[0], ctx.body, IGNORED, "trait of images")


def shown(ctx: Context, tags: Mapping[str, str], note: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that tell what an image was made of."""
    fields: dict[str, Any] = {}
    disk = str(remarks.said_of("source-disk", tags, note)).split("/")
    if len(disk) == 3:
        fields |= {"sourceDisk": ctx.link("zones", disk[0], "disks", disk[1]), "sourceDiskId": disk[2]}
    snapshot = str(remarks.said_of("source-snapshot", tags, note)).split("/")
    if len(snapshot) == 2:
        fields |= {"sourceSnapshot": ctx.link("global", "snapshots", snapshot[0]), "sourceSnapshotId": snapshot[1]}
    source = str(remarks.said_of("source-file", tags, note))
    if source:
        fields["rawDisk"] = {"source": source, "containerType": "TAR"}
    return fields


def family(name: str) -> str:
    """The family's name. Raises Invalid for one that GCE would not take."""
    if name and not naming.is_label(name):
        raise Invalid(f"Invalid value for field 'resource.family': '{name}'. Must be a match of regex "
                      f"'{naming.LABEL_PATTERN}'", field="resource.family")
    return name


def moment(text: str, field: str) -> str:
    """A date or time as RFC 3339 has them. Raises Invalid naming the field."""
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"Invalid value for field '{field}': '{text}'. Must be a date and time as in RFC 3339.",
                      field=field) from error
    return text


def _disk(ctx: Context) -> Sequence[Origin]:
    disk = disks.readable(ctx, disks.named(ctx, ctx.body["sourceDisk"], "resource.sourceDisk"))
    needed(ctx, disk.cloud, "images", "create")
    node = disks.user_of(ctx, disk)
    if node is not None and node.model.state is not NodeState.STOPPED:
        raise InUse(
            f"{disks.used(ctx, disk).message}: cloud '{disk.cloud.name}' makes no image of it while that runs. Stop "
            "the instance, or make a snapshot of the disk and the image of the snapshot.", field="resource.sourceDisk",
        )
    number = naming.number(disk.cloud.name, "volume", disk.model.id)
    said = {"source-disk": f"{disk.zone}/{disk.name}/{number}"}
    return [Origin(disk.cloud, "create", {"volume_id": disk.model.id}, said)]


def _snapshot(ctx: Context) -> Sequence[Origin]:
    copy = disks.snapshot_named(ctx, ctx.body["sourceSnapshot"], "resource.sourceSnapshot")
    number = naming.number(copy.cloud.name, "snapshot", copy.model.id)
    return [Origin(copy.cloud, "create", {"snapshot_id": copy.model.id}, {"source-snapshot": f"{copy.name}/{number}"})]


def _file(ctx: Context) -> Sequence[Origin]:
    """One origin for every cloud that fetches files; all of them get the image."""
    raw = ctx.body["rawDisk"]
    if not raw.get("source"):
        raise Missing(f"Required field '{RAW}' not specified", field=RAW)
    url = address(raw["source"])
    able = [cloud for cloud in ctx.view.clouds if cloud.traits.image_files]
    if not able:
        clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
        raise Unsupported(f"{ctx.method.id} with field '{RAW}' is not offered on cloud {clouds}: it fetches no files. "
                          "Make images of disks or snapshots.", field=RAW)
    for cloud in able:
        unmet.refuse(ctx, cloud, raw, {"sha1Checksum": bool}, "images", "resource.rawDisk")
        if not urlsplit(url).path.lower().endswith(cloud.traits.image_files):
            plain = ", ".join(ending for ending in cloud.traits.image_files if ending.count(".") == 1)
            raise Invalid(
                f"Invalid value for field '{RAW}': '{_plain(url)}'. Cloud '{cloud.name}' makes images of files whose "
                f"names end in one of {plain}, also packed. Convert it.", field=RAW,
            )
    origins = []
    for cloud in able:
        zones = [zone.model.id for zone in ctx.view.zones if zone.cloud.name == cloud.name and zone.model.up]
        origins.append(Origin(cloud, "register", {"url": url, "zone_ids": zones}, {"source-file": _plain(url)}))
    return origins


def address(source: str) -> str:
    """Where a file can be fetched by anybody: its own URL, or Google's public one of an object in its storage."""
    try:
        parts = urlsplit(source)
    except ValueError as error:
        raise Invalid(f"Invalid value for field '{RAW}': it is no URL.", field=RAW) from error
    if parts.scheme == "gs" and parts.netloc:
        return f"{GOOGLE}/{parts.netloc}{parts.path}"
    inside = OBJECT.fullmatch(parts.path)
    if inside and parts.scheme in ("http", "https"):
        return f"{GOOGLE}/{unquote(inside[1])}/{unquote(inside[2])}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"Invalid value for field '{RAW}': '{_plain(source)}'. Must be a URL that starts with gs, http "
                      "or https.", field=RAW)
    return source


def _plain(url: str) -> str:
    """A URL to be shown: without a password or a signature in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
