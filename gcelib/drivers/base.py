"""What every cloud looks like from above: a `Cloud` with facets, each an object or None.

Reads return models. Writes take JSON values by keyword, submit, and return a `Job` at once; they never
wait for the cloud to finish. Everything raises Faults only. Facets may block on the network and are
safe to call from several threads.

Every write also takes `key`, a UUID text that is the same for every attempt at the same change: a
provider that can, hands it to its cloud so that a change sent twice is carried out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gcelib.config.keys import Holder
from gcelib.drivers.addresses import Addresses as Addresses
from gcelib.drivers.addresses import Balancers as Balancers
from gcelib.drivers.networking import Acls as Acls
from gcelib.drivers.networking import Guards as Guards
from gcelib.drivers.networking import Networks as Networks
from gcelib.drivers.networking import Routes as Routes
from gcelib.drivers.networking import Vpcs as Vpcs
from gcelib.drivers.storage import Images as Images
from gcelib.drivers.storage import Snapshots as Snapshots
from gcelib.drivers.storage import Volumes as Volumes
from gcelib.models import (
    Group,
    Job,
    KeyPair,
    Node,
    Quota,
    Size,
    Zone,
)

FACETS = (
    "zones", "sizes", "images", "nodes", "volumes", "snapshots", "networks", "firewalls", "addresses",
    "balancers", "vpcs", "routes", "guards", "acls", "keypairs", "tags", "quotas",
)

READS = frozenset({"list", "find", "of", "tagged", "types", "console"})
"""The verbs that change nothing; every other is a write."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a cloud does differently, as facts that the core may act on without knowing its name.

    `lingering`: whether a destroyed machine holds its name until it is purged; may ask. None where it never does.
    `boot_disk_dies`: the boot disk cannot outlive its machine. `change_groups_running`: groups change while it runs.
    `user_data_bytes`: the longest base64 text of user data; `tag_chars`: the longest tag value; 0 for none.
    `image_files`: how the name of a file ends that an image can be made of; none where the cloud fetches no files.
    `default_group`: the group every machine joins when none is named; "" when there is none.
    `name_pattern`: what a machine's name must match for this cloud to take it.
    `keeps_names`: a machine has the name that was asked for; where not, gcelib remembers it.
    `host_names`: machines are called by host names, and ids are UUIDs: `Nodes.find` finds what a GCE name may mean.
    `spanning_networks`: a network reaches every zone: it is listed once in each, always under the same id.
    `groups_of_networks`: a security group is of one network, which must be named when it is made.
    `public_at_birth`: a machine is made with a public address of its own or without; where not, one is taken for it.
    `copies_keep_type`: a disk made of a snapshot is of the kind that the copied one was.
    `queues`: a machine that is being made takes what is kept of it; disks and addresses wait until it is there.
    """

    lingering: Callable[[], bool] | None = None
    boot_disk_dies: bool = True
    change_groups_running: bool = False
    user_data_bytes: int = 32768
    tag_chars: int = 255
    image_files: tuple[str, ...] = ()
    default_group: str = "default"
    name_pattern: str = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
    keeps_names: bool = True
    host_names: bool = False
    spanning_networks: bool = False
    groups_of_networks: bool = False
    public_at_birth: bool = False
    copies_keep_type: bool = True
    queues: bool = True


class Zones(Protocol):
    """Places."""

    def list(self) -> Sequence[Zone]: ...


class Sizes(Protocol):
    """Machine sizes."""

    def list(self) -> Sequence[Size]: ...


class Nodes(Protocol):
    """Machines: `find` gives those whose backend name is `name` in any case, `tagged` those with a tag "key=value"."""

    def list(self) -> Sequence[Node]: ...

    def find(self, name: str) -> Sequence[Node]: ...

    def tagged(self, tag: str) -> Sequence[Node]: ...

    def create(
        self, *,
        key: str,
        name: str,
        zone_id: str,
        size_id: str,
        image_id: str,
        display_name: str = "",
        cpus: int = 0,
        ram_mb: int = 0,
        network_ids: Sequence[str] = (),
        ip: str = "",
        group_ids: Sequence[str] = (),
        keypair_names: Sequence[str] = (),
        user_data: str = "",
        root_gb: int = 0,
        keep_root: bool = False,
        public: bool = False,
        submitted: str = "",
    ) -> Job:
        """Make and start a machine. `cpus`/`ram_mb` only for a custom size, `root_gb` 0 for the image's own.

        `keep_root`: the boot disk stays when the machine goes; only where not `boot_disk_dies`. `public`: it gets a
        public address of its own; only where `public_at_birth`.
        `user_data` is base64 text. `submitted` is the RFC 3339 time at which the change was first
        wanted: `Cloud.seek` adopts only a machine of this name made since then. The job's target is
        the node's id. Raises Exceeded, NoCapacity, Refused, Exists (the name is taken), Forbidden.
        """
        ...

    def destroy(self, *, key: str, id: str, volume_ids: Sequence[str] = (), aside: str = "") -> Job:
        """Destroy a machine and its boot disk, and the data volumes named; one already gone is done.

        `aside` is a name to give it before that if its own would linger.
        """
        ...

    def rename(self, *, key: str, id: str, name: str) -> Job: ...

    def start(self, *, key: str, id: str) -> Job: ...

    def stop(self, *, key: str, id: str) -> Job: ...

    def reset(self, *, key: str, id: str) -> Job: ...

    def protect(self, *, key: str, id: str, on: bool) -> Job:
        """Set or clear the cloud's own protection against deletion."""
        ...

    def resize(self, *, key: str, id: str, size_id: str, cpus: int = 0, ram_mb: int = 0) -> Job:
        """Give a stopped machine another size; `cpus`/`ram_mb` only for a custom one."""
        ...

    def regroup(self, *, key: str, id: str, group_ids: Sequence[str]) -> Job:
        """Put a machine into these security groups and no others; a stopped one, but for `change_groups_running`."""
        ...

    def add_nic(self, *, key: str, id: str, network_id: str, ip: str = "") -> Job:
        """Put a machine into one more network; `ip` "" for any address. Raises Refused where the zone has no such."""
        ...

    def remove_nic(self, *, key: str, id: str, network_id: str) -> Job:
        """Take a machine out of a network other than its first; one that is not in it is done."""
        ...

    def set_user_data(self, *, key: str, id: str, user_data: str) -> Job:
        """Replace what the machine's next boot reads, base64 text, "" for nothing."""
        ...

    def console(self, id: str) -> str:
        """What the machine has written to its serial port, as far as the cloud keeps it; a read."""
        ...


class Firewalls(Protocol):
    """Security groups, `find` those of a name, and their rules; directions are "ingress" and "egress".

    `allow` makes one rule per source; the job's result holds `rule_ids`, all that were wanted, and
    `made_ids`, those among them that were not there before. A rule that is there already is no error.
    `revoke` with a tag as `claim` leaves a rule that has another tag beginning with `claims`, without that tag.
    """

    def list(self) -> Sequence[Group]: ...

    def find(self, name: str) -> Sequence[Group]: ...

    def create_group(self, *, key: str, name: str, description: str = "", network_id: str = "") -> Job:
        """Make a group; one of this name is as good. `network_id` only where groups are of networks."""
        ...

    def destroy_group(self, *, key: str, id: str) -> Job: ...

    def allow(self, *, key: str, group_id: str, direction: str, protocol: str, first_port: int | None = None,
              last_port: int | None = None, icmp_type: int = -1, icmp_code: int = -1,
              cidrs: Sequence[str] = (), group_names: Sequence[str] = ()) -> Job: ...

    def revoke(self, *, key: str, direction: str, rule_id: str = "", rule_ids: Sequence[str] = ()) -> Job:
        """Remove one rule or several; one already gone is done."""
        ...


class KeyPairs(Protocol):
    """SSH public keys registered with the cloud."""

    def list(self) -> Sequence[KeyPair]: ...

    def register(self, *, key: str, name: str, public_key: str) -> Job:
        """Make the key known; the job's result holds `name`, another one where the cloud has this key already."""
        ...


class Tags(Protocol):
    """Key-value pairs on things.

    `kind` is "node", "volume", "snapshot", "image", "network", "group", "rule", "address",
    "balancer", "vpc", "route", "guard" or "entry" (of an access list).
    """

    def set(self, *, key: str, kind: str, ids: Sequence[str], tags: Mapping[str, str]) -> Job:
        """Set these tags on every id, replacing the values of keys that are there."""
        ...

    def remove(self, *, key: str, kind: str, ids: Sequence[str], keys: Sequence[str]) -> Job: ...


class Quotas(Protocol):
    """Limits of the account (or the cloud's own project) and their use."""

    def list(self) -> Sequence[Quota]: ...


@runtime_checkable
class Cloud(Protocol):
    """One cloud as seen with one set of credentials.

    A facet is None when the provider has no such thing. `abilities` maps a facet to the verbs it can do;
    layers may only shrink it.
    """

    name: str
    provider: str
    zones: Zones | None
    sizes: Sizes | None
    images: Images | None
    nodes: Nodes | None
    volumes: Volumes | None
    snapshots: Snapshots | None
    networks: Networks | None
    firewalls: Firewalls | None
    addresses: Addresses | None
    balancers: Balancers | None
    vpcs: Vpcs | None
    routes: Routes | None
    guards: Guards | None
    acls: Acls | None
    keypairs: KeyPairs | None
    tags: Tags | None
    quotas: Quotas | None

    @property
    def traits(self) -> Traits:
        """Facts about this cloud."""
        ...

    def abilities(self) -> Mapping[str, frozenset[str]]: ...

    def why_not(self, facet: str, verb: str) -> str:
        """Why an ability is missing, for people: the second half of a sentence."""
        ...

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        """Carry out one write now. Raises Uncertain when it was sent and its answer lost."""
        ...

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """The job of an earlier attempt at this write, or of its visible effect; None: it never happened."""
        ...

    def poll(self, job: Job) -> Job:
        """How far the job is: one cheap call that never sleeps. Raises Unavailable when the cloud is."""
        ...

    def ping(self) -> None:
        """One authenticated call; raises Unauthenticated when the keys are wrong, Unavailable when unreachable."""
        ...

    def holder(self) -> Holder:
        """Whose keys these are, asked of the cloud each time; raises as `ping` does."""
        ...

    def close(self) -> None: ...


def able(cloud: Cloud, facet: str, verb: str) -> bool:
    """Whether the cloud can do this."""
    return verb in cloud.abilities().get(facet, ())
