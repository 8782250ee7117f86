"""What a request does first where several processes share the database: forget what others have changed."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib.config import keys
from gcelib.drivers.base import Cloud
from gcelib.store.generations import NOTES, version
from gcelib.store.notes import Notes


def catch_up(clouds: Sequence[Cloud], tenancy: str, notes: Notes) -> int:
    """Have the clouds ask anew for what another process changed; the version of the notes now.

    One small query, or a look into Redis; none where nobody shares the database. Raises Unavailable when that is away.
    """
    if notes.generations.alone:
        return notes.version
    places = {cloud.name: keys.place(tenancy, cloud.name) for cloud in clouds}
    numbers = notes.generations.numbers([NOTES, *places.values()])
    for cloud in clouds:
        told = getattr(cloud, "catch_up", None)
        if told is not None:
            told(numbers.get(places[cloud.name], {}))
    return version(numbers)
