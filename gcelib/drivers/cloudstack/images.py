"""CloudStack's templates as images: one per id, however many zones hold a copy."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from gcelib.drivers.beside import side_by_side
from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.facet import Facet, gone, line_of
from gcelib.drivers.cloudstack.jobs import Jobs, Seen
from gcelib.drivers.cloudstack.systems import Systems, format_of
from gcelib.errors import Refused
from gcelib.models import Image, ImageState, Job, JobState

FETCHING = datetime.timedelta(hours=6)
GB = 1024**3
OWN = "self"
SEEN = ("executable", "sharedexecutable", OWN)
"""CloudStack's filters for what an account may boot, or owns; what is lent is not among the executable ones."""
_BROKEN = re.compile(r"(?i)fail|error|unable|cannot|could not|not found|refused|denied|returned [45][0-9][0-9]")
_PROGRESS = re.compile(r"(?i)^$|%|install|download|upload|process|copy|creat|pending|allocat|not_")
"""What a template on its way says, unless it speaks of a failure; any other text of one not ready is an error."""


def gigabytes(size: int) -> int:
    """Bytes in whole GB, rounded up."""
    return -(-size // GB) if size > 0 else 0


class Images(Facet):
    """listTemplates: what can be booted, and the account's own that are not ready yet; making and deleting them."""

    name = "images"
    jobbed = frozenset({"destroy"})
    once = frozenset({"create", "register"})

    def __init__(self, client: Client, jobs: Jobs) -> None:
        super().__init__(client, jobs)
        self._systems = Systems(client)

    def list(self) -> Sequence[Image]:
        """The account's own templates, the cloud's public ones, and those that other accounts lend it."""
        found: dict[str, Sequence[records.TemplateRow]] = {}

        def look(which: str) -> None:
            found[which] = self._rows(which)

        side_by_side(look, SEEN, min(len(SEEN), self.client.session.size), "templates")
        mine = {row.id for row in found[OWN]}
        merged: dict[str, Image] = {}
        for row in [row for which in SEEN for row in found[which]]:
            if row.templatetype.upper() == "SYSTEM":
                continue
            image = _image(row, own=row.id in mine)
            known = merged.get(row.id)
            merged[row.id] = image if known is None else _merged(known, image)
        return list(merged.values())

    def create(
        self, *, key: str, name: str, description: str = "", volume_id: str = "", snapshot_id: str = "",
        submitted: str = "",
    ) -> Job:
        """createTemplate, for the operating system that the disk or the snapshot came from."""
        args = {"name": name, "submitted": submitted}
        return self.make(
            "create", "createTemplate", args, name=name, displaytext=line_of(description) or name, volumeid=volume_id,
            snapshotid=snapshot_id, ostypeid=self._systems.of(volume_id, snapshot_id),
        )  # fmt: skip

    def register(
        self, *, key: str, name: str, url: str, zone_ids: Sequence[str], description: str = "", submitted: str = ""
    ) -> Job:
        """registerTemplate. CloudStack answers at once and fetches the file behind; done when it can be used.

        Raises Refused when no hypervisor of the zones takes a file of this format.
        """
        format = format_of(url)
        where = {"zoneid": zone_ids[0]} if len(zone_ids) == 1 else {"zoneids": zone_ids}
        fields = self.client.change(
            "registerTemplate", name=name, displaytext=line_of(description) or name, url=url, format=format,
            hypervisor=self._systems.hypervisor(zone_ids[0], format), ostypeid=self._systems.other(), **where,
        )  # fmt: skip
        rows, _ = wire.rows(fields, "template", records.TemplateRow)
        args = {"name": name, "submitted": submitted}
        return self.jobs.begun(self.token("register", args, rows[0].id if rows else ""))

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteTemplate; by force, for machines made of it, and destroyed ones that linger, need it no more."""
        return self.send("destroy", "deleteTemplate", {"id": id}, key=key, target=id, id=id, forced=True)

    def patience(self, verb: str) -> datetime.timedelta:
        """A file may take hours to fetch."""
        return FETCHING if verb == "register" else super().patience(verb)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the template's rows say about the change: one of them ready is enough."""
        if verb == "destroy":
            return gone(bool(self._rows(OWN, id=target)), target)
        if target:
            rows = self._rows(OWN, id=target)
        else:
            found, name = self._rows(OWN, name=str(args["name"])), str(args["name"]).casefold()
            rows = [row for row in found if row.name.casefold() == name and self.young(row.created, args)]
        if not rows:
            return None
        row = min(rows, key=lambda row: list(_ORDER).index(_state(row)))
        state = _ORDER[_state(row)]
        fault = Refused(f"{self.client.at} could not make image '{row.name}': {row.status}")
        job = row.jobid if row.busy else ""
        return Seen(state, row.id, {"id": row.id}, fault if state is JobState.FAILED else None, job=job)

    def _rows(self, which: str, **filters: str) -> Sequence[records.TemplateRow]:
        return self.client.rows("listTemplates", "template", records.TemplateRow, templatefilter=which, **filters)


_ORDER = {
    ImageState.READY: JobState.DONE, ImageState.PENDING: JobState.RUNNING, ImageState.FAILED: JobState.FAILED,
}
"""What the states of a template in its zones mean for a change, the one that counts most first."""


def _image(row: records.TemplateRow, *, own: bool) -> Image:
    return Image(
        id=row.id,
        name=row.name or row.id,
        description=row.displaytext,
        state=_state(row),
        status_text="" if row.isready else row.status,
        created=wire.time_of(row.created),
        size_gb=gigabytes(row.size),
        archive_bytes=row.physicalsize or row.size,
        public=row.ispublic,
        own=own,
        os=row.ostypename,
        tags=row.pairs,
        zone_ids=frozenset((row.zoneid,)) if row.zoneid else None,
    )


def _state(row: records.TemplateRow) -> ImageState:
    if row.isready:
        return ImageState.READY
    on_its_way = _PROGRESS.search(row.status) and not _BROKEN.search(row.status)
    return ImageState.PENDING if on_its_way else ImageState.FAILED


def _merged(known: Image, other: Image) -> Image:
    """One image out of the rows of two zones: usable where it is ready."""
    if other.state is not known.state:
        ready = [image for image in (known, other) if image.state is ImageState.READY]
        if ready:
            return ready[0]
    if known.zone_ids is None or other.zone_ids is None:
        return known
    return replace(known, zone_ids=known.zone_ids | other.zone_ids, size_gb=max(known.size_gb, other.size_gb))
