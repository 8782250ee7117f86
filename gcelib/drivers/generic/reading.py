"""libcloud's objects as models: whatever a driver leaves out, or puts elsewhere, is taken as unknown."""

from __future__ import annotations

import datetime
import ipaddress
import math
from collections.abc import Mapping, Sequence
from typing import Any

from libcloud.compute.types import NodeState as Theirs

from gcelib.drivers.profile import Profile
from gcelib.models import Image, KeyPair, Nic, Node, NodeState, Size, Snapshot, Volume, VolumeState

STATES: Mapping[str, NodeState] = {
    Theirs.RUNNING: NodeState.RUNNING,
    Theirs.STARTING: NodeState.STAGING,
    Theirs.REBOOTING: NodeState.RUNNING,
    Theirs.PENDING: NodeState.PROVISIONING,
    Theirs.STOPPING: NodeState.STOPPING,
    Theirs.STOPPED: NodeState.STOPPED,
    Theirs.SUSPENDED: NodeState.STOPPED,
    Theirs.PAUSED: NodeState.STOPPED,
    Theirs.ERROR: NodeState.ERROR,
    Theirs.MIGRATING: NodeState.RUNNING,
    Theirs.RECONFIGURING: NodeState.RUNNING,
    Theirs.NORMAL: NodeState.RUNNING,
    Theirs.UPDATING: NodeState.RUNNING,
    Theirs.UNKNOWN: NodeState.RUNNING,
}
PLAIN = frozenset({Theirs.RUNNING, Theirs.STARTING, Theirs.PENDING, Theirs.STOPPING, Theirs.STOPPED, Theirs.REBOOTING})
"""States that need no explanation."""
LATEST = 1e10
"""Seconds since the epoch that are still a time: year 2286. What is more counts something smaller than seconds."""
A_DAY = datetime.timedelta(days=1)
"""By how much a thing may seem older than it is: some clouds tell local times as if they were others."""
VOLUME_STATES: Mapping[str, VolumeState] = {
    "creating": VolumeState.CREATING, "deleting": VolumeState.DELETING, "error": VolumeState.FAILED,
    "deleted": VolumeState.DELETING, "unknown": VolumeState.READY,
}
ZONE_KEYS = (
    "availability_zone", "availability", "zone", "zone_id", "location", "region", "datacenter", "datacenter_id",
)
SIZE_KEYS = ("flavorId", "flavor_id", "instance_type", "size_id", "size", "plan", "plan_id", "type")
IMAGE_KEYS = ("imageId", "image_id", "image", "os_id")
CPU_KEYS = ("vcpus", "cpus", "cpu", "cores", "vcpu_count")
CREATED_KEYS = ("created", "created_at", "launch_time", "create_time", "date_created", "creationTimestamp")

_PRIVATE = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7")
]


def first(extra: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The first of these that is there, as a text; of an object or a dict its id. Dots lead into inner tables."""
    for key in keys:
        value: Any = extra
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            value = value.get("id") or value.get("slug") or value.get("name")
        value = getattr(value, "id", value)
        if value not in (None, ""):
            return str(value)
    return ""


def time_of(*values: Any) -> datetime.datetime | None:
    """The first of these that is a time: a datetime, RFC 3339 text or seconds since the epoch."""
    for value in values:
        found: datetime.datetime | None = None
        if isinstance(value, datetime.datetime):
            found = value
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < LATEST:
            found = datetime.datetime.fromtimestamp(value, datetime.UTC)
        elif isinstance(value, str) and value:
            try:
                found = datetime.datetime.fromisoformat(value)
            except ValueError:
                continue
        if found is not None:
            return utc(found)
    return None


def utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    """A time in UTC, as which one without a zone is taken; None for one before or after all years."""
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=moment.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except OverflowError:
        return None


def extra_of(thing: Any) -> Mapping[str, Any]:
    """What a driver says of a thing beyond what all say; nothing where that is no table."""
    found = getattr(thing, "extra", None)
    return found if isinstance(found, Mapping) else {}


def created(thing: Any) -> datetime.datetime | None:
    """When a thing was made, where its driver says so."""
    extra = extra_of(thing)
    return time_of(getattr(thing, "created_at", None), getattr(thing, "created", None),
                   *(extra.get(key) for key in CREATED_KEYS))


def state_of(node: Any) -> str:
    """libcloud's word for a machine's state, or the driver's own; "" where it says nothing."""
    found = getattr(node, "state", None)
    return str("" if found is None else found).casefold()


def hidden(node: Any, profile: Profile) -> bool:
    """Whether a node is there no more, though its driver still lists it."""
    return state_of(node) == Theirs.TERMINATED and not profile.off_is_terminated


def node_id(node: Any, profile: Profile) -> str:
    """The id by which a machine is known as long as it is there; its name where its driver gives it no id."""
    own = (profile.id_key and first(extra_of(node), (profile.id_key,))) or node.id
    return str(node.name or "") if own in (None, "") else str(own)


def node_of(node: Any, profile: Profile, zones: Mapping[str, str], network_id: str) -> Node:
    """A machine; `zones` maps what zones are called or have as ids to their ids, the first being the default."""
    extra: Mapping[str, Any] = extra_of(node)
    state = state_of(node)
    ours = NodeState.STOPPED if state == Theirs.TERMINATED else STATES.get(state, NodeState.RUNNING)
    size = node.size
    return Node(
        id=node_id(node, profile),
        name=str(node.name or node_id(node, profile)),
        state=ours,
        zone_id=zone_id(extra, profile, zones),
        size_id=first({"": size}, ("",)) or first(extra, (*profile.size_keys, *SIZE_KEYS)),
        size_name=str(getattr(size, "name", None) or ""),
        cpus=_number(extra_of(size), *CPU_KEYS) or _number(extra, *CPU_KEYS),
        ram_mb=whole(getattr(size, "ram", 0)),
        image_id=first({"": node.image}, ("",)) or first(extra, (*profile.image_keys, *IMAGE_KEYS)),
        state_text="" if state in ("", *PLAIN) or profile.off_is_terminated else f"The cloud says: {state}.",
        created=created(node),
        nics=_nics(node, network_id),
        keypair_names=tuple(filter(None, (first(extra, ("key_name", "keyname", "keypair")),))),
    )


def zone_id(extra: Mapping[str, Any], profile: Profile, zones: Mapping[str, str]) -> str:
    """The id of the zone a thing says it is in; where it says nothing that is known, the first zone's."""
    return told_zone(extra, profile, zones) or next(iter(zones.values()), "")


def told_zone(extra: Mapping[str, Any], profile: Profile, zones: Mapping[str, str]) -> str:
    """The id of the zone a thing says it is in; "" where it says nothing that is known."""
    known = (zones.get(first(extra, (key,)), "") for key in (*profile.zone_keys, *ZONE_KEYS))
    return next(filter(None, known), "")


def may_be(thing: Any, args: Mapping[str, Any], profile: Profile, zones: Mapping[str, str]) -> bool:
    """Whether a thing can be what a change made: of its name, in its zone if it tells, and not older."""
    if thing.name != args.get("name"):
        return False
    zone = told_zone(extra_of(thing), profile, zones)
    if zone and args.get("zone_id") not in (None, "", zone):
        return False
    since, made = time_of(args.get("submitted")), created(thing)
    return since is None or made is None or made > since - A_DAY


def _nics(node: Any, network_id: str) -> tuple[Nic, ...]:
    private, told = addresses(node.private_ips), addresses(node.public_ips)
    public = [ip for ip in told if is_public(ip)]
    # A driver that tells no private addresses apart has them among the public ones.
    private += [ip for ip in told if not is_public(ip) and ip not in private]
    ip = private[0] if private else (public[0] if public else "")
    outside = public[0] if public else ""
    direct = bool(public and not private)
    return (Nic(network_id, "default", ip=ip, public_ip="" if direct else outside, direct=direct),)


def addresses(told: Any) -> list[str]:
    """The IP addresses among what a driver tells, those of version 4 first."""
    found = []
    for each in told if isinstance(told, Sequence) and not isinstance(told, str) else ():
        try:
            found.append(ipaddress.ip_interface(str(each)).ip)
        except ValueError:
            continue
    return [str(ip) for ip in sorted(found, key=lambda ip: ip.version)]


def is_public(text: str) -> bool:
    """Whether an address is meant to be reached from outside (not RFC 1918, 6598, 3927 or 4193)."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not any(address.version == net.version and address in net for net in _PRIVATE)


def size_of(size: Any, profile: Profile) -> Size:
    """A machine size: memory in MB, disk in GB, as libcloud has them."""
    disk = whole(size.disk)
    return Size(
        id=str(size.id), name=str(size.name or size.id), ram_mb=whole(size.ram),
        root_gb=disk // 1024 if profile.disk_mb else disk,
        cpus=whole(getattr(size, "vcpus", 0)) or _number(extra_of(size), *CPU_KEYS),
    )


def image_of(image: Any) -> Image:
    """An image; what else is known of it its `extra` may say."""
    extra: Mapping[str, Any] = extra_of(image)
    size = _number(extra, "min_disk", "min_disk_size", "size_gigabytes", "disk_size")
    return Image(
        id=str(image.id), name=str(image.name or image.id), description=str(extra.get("description") or ""),
        size_gb=size, created=created(image),
        public=str(extra.get("visibility", extra.get("public", ""))).lower() in ("public", "true"),
    )


def volume_of(volume: Any, profile: Profile, zones: Mapping[str, str], node_id: str) -> Volume:
    """A data disk, attached to `node_id` unless that is ""."""
    extra: Mapping[str, Any] = extra_of(volume)
    return Volume(
        id=str(volume.id), name=str(volume.name or volume.id), size_gb=whole(volume.size),
        state=VOLUME_STATES.get(str(getattr(volume, "state", "")), VolumeState.READY),
        zone_id=zone_id(extra, profile, zones), node_id=node_id, created=created(volume),
        type_name=first(extra, ("volume_type", "type")), snapshot_id=first(extra, ("snapshot_id",)),
    )


def snapshot_of(snapshot: Any) -> Snapshot:
    """A copy of a disk."""
    return Snapshot(
        id=str(snapshot.id), name=str(snapshot.name or snapshot.id), size_gb=whole(snapshot.size),
        state=VOLUME_STATES.get(str(getattr(snapshot, "state", "")), VolumeState.READY), created=created(snapshot),
        volume_id=first(extra_of(snapshot), ("volume_id", "volume", "source_volume")),
    )


def keypair_of(pair: Any) -> KeyPair:
    """A registered key."""
    return KeyPair(str(pair.name), str(pair.fingerprint or ""))


def bare(thing: Any) -> str:
    """What a thing is called where its cloud wants a name, not the thing."""
    return str(getattr(thing, "name", thing))


def _number(extra: Mapping[str, Any] | None, *keys: str) -> int:
    for key in keys:
        found = whole((extra or {}).get(key))
        if found:
            return found
    return 0


def whole(value: Any) -> int:
    """A number that a driver tells, as a number or as a text; 0 for one that is none, as in "unlimited"."""
    try:
        number = 0.0 if isinstance(value, bool) else float(value or 0)
    except (TypeError, ValueError):
        return 0
    return int(number) if math.isfinite(number) and number > 0 else 0
