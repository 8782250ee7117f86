"""CloudStack's templates as images: one per id, however many zones hold a copy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import Client
from gcelib.models import Image, ImageState

GB = 1024**3
_BROKEN = re.compile(r"(?i)fail|error|unable|cannot|could not|not found|refused|denied|returned [45][0-9][0-9]")
_PROGRESS = re.compile(r"(?i)^$|%|install|download|upload|process|copy|creat|pending|allocat|not_")
"""What a template on its way says, unless it speaks of a failure; any other text of one not ready is an error."""


def gigabytes(size: int) -> int:
    """Bytes in whole GB, rounded up."""
    return -(-size // GB) if size > 0 else 0


class Images:
    """listTemplates: what can be booted, and the account's own that are not ready yet."""

    name = "images"

    def __init__(self, client: Client) -> None:
        self.client = client

    def list(self) -> Sequence[Image]:
        """The account's own templates and the cloud's public ones."""
        own = self._rows("self")
        mine = {row.id for row in own}
        merged: dict[str, Image] = {}
        for row in [*self._rows("executable"), *own]:
            if row.templatetype.upper() == "SYSTEM":
                continue
            image = _image(row, own=row.id in mine)
            known = merged.get(row.id)
            merged[row.id] = image if known is None else _merged(known, image)
        return list(merged.values())

    def _rows(self, which: str) -> Sequence[records.TemplateRow]:
        return self.client.rows("listTemplates", "template", records.TemplateRow, templatefilter=which)


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
