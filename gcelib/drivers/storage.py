"""The facets that hold data: disks, copies of disks, and what machines are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gcelib.models import Image, Job, Snapshot, Volume, VolumeType


class Images(Protocol):
    """Templates a machine can be made from: the account's own and the cloud's public ones.

    `submitted` in a creation is the RFC 3339 time at which it was first wanted: only a thing made since then is
    taken for the outcome of an earlier attempt.
    """

    def list(self) -> Sequence[Image]: ...

    def create(self, *, key: str, name: str, description: str = "", volume_id: str = "", snapshot_id: str = "",
               submitted: str = "") -> Job:
        """Copy a disk that no running machine writes to, or a snapshot, into a template."""
        ...

    def register(self, *, key: str, name: str, url: str, zone_ids: Sequence[str], description: str = "",
                 submitted: str = "") -> Job:
        """Have the cloud fetch a file whose name ends as `Traits.image_files` says; done when it can be used."""
        ...

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a template; machines made of it go on. One already gone is done."""
        ...


class Volumes(Protocol):
    """Disks, boot disks included.

    `types` are kinds of data disk that can be made. `of` tells one machine's disks, `find` those that their own names
    give this label (`naming.slug`), but for names that are not ASCII.
    """

    def list(self) -> Sequence[Volume]: ...

    def find(self, label: str) -> Sequence[Volume]: ...

    def of(self, node_id: str) -> Sequence[Volume]: ...

    def types(self) -> Sequence[VolumeType]: ...

    def create(self, *, key: str, name: str, zone_id: str, type_id: str = "", size_gb: int = 0,
               snapshot_id: str = "", submitted: str = "") -> Job: ...

    def attach(self, *, key: str, id: str, node_id: str, device: int = 0) -> Job: ...

    def detach(self, *, key: str, id: str, node_id: str = "") -> Job:
        """Detach a disk; where a machine is named, one that another has meanwhile stays there and is done."""
        ...

    def resize(self, *, key: str, id: str, size_gb: int, type_id: str = "") -> Job:
        """Make a disk larger: to `size_gb`, by giving it another type where that one fixes the size."""
        ...

    def outlive(self, *, key: str, id: str, node_id: str, on: bool) -> Job:
        """Say whether an attached disk stays when its machine is destroyed; where `Volume.dies` tells which."""
        ...

    def destroy(self, *, key: str, id: str) -> Job: ...


class Snapshots(Protocol):
    """Copies of disks."""

    def list(self) -> Sequence[Snapshot]: ...

    def create(self, *, key: str, name: str, volume_id: str, submitted: str = "") -> Job: ...

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a snapshot; what was made of it stays. One already gone is done."""
        ...
