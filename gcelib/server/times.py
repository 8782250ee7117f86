"""Times as GCE writes them: RFC 3339 with milliseconds and a zone offset."""

from __future__ import annotations

import datetime

EPOCH = "1969-12-31T16:00:00.000-08:00"
"""What GCE shows for things that were always there."""


def rfc3339(when: datetime.datetime | None) -> str:
    """`2014-06-09T10:31:35.123+00:00`; the epoch where the cloud does not say."""
    return when.isoformat(timespec="milliseconds") if when else EPOCH


def from_seconds(seconds: float) -> str:
    """The same for seconds since the epoch."""
    return rfc3339(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
