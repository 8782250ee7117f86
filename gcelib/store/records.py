"""An operation as it is on the books, and as a row of its table."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Select, case, null, or_, select

from gcelib.store.tables import OPEN
from gcelib.store.tables import operations as table

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One operation. Times are seconds since the epoch; `work` and `state` are JSON values.

    `scope` is "zones/Z", "regions/R" or "global"; `status` PENDING, RUNNING or DONE. `request_key` is the
    caller's request id made unique per caller and project. `due` is when it was last written, another time at
    each write: who wrote last knows it; of a done one when it ended, on the clock of `moment`. `holder` may write
    until `lease_until`; processes that share a database count the time from `due` to there on its clock. `method`
    is the GCE method that began it, `description` what is said of it to people, `canceller` who wants it cancelled,
    "" while nobody does. `repeatable`: what its client sent is still kept; only known of what is read.
    """

    id: str
    name: str
    number: str
    project: str
    scope: str
    verb: str
    target: str
    target_id: str = ""
    target_kind: str = ""
    caller: str = ""
    request_key: str | None = None
    status: str = "PENDING"
    progress: int = 0
    insert_time: float = 0.0
    start_time: float | None = None
    end_time: float | None = None
    error: Data | None = None
    warnings: list[Data] = field(default_factory=list)
    http_status: int | None = None
    work: Data = field(default_factory=dict)
    state: Data = field(default_factory=dict)
    due: float | None = None
    holder: str = ""
    lease_until: float = 0.0
    client_operation_id: str = ""
    method: str = ""
    description: str = ""
    canceller: str = ""
    repeatable: bool = field(default=False, compare=False)

    @property
    def done(self) -> bool:
        """True when nothing about it will change any more."""
        return self.status == "DONE"


_NAMES = tuple(each.name for each in fields(Record) if each.name != "repeatable")

_COLUMNS = (*(table.c[name] for name in _NAMES), (table.c.request != "").label("repeatable"))
"""What is read of an operation: not what its client sent, which is long and sealed."""


GROUPS = ("bulkInsert",)
"""The verbs of operations that are shown with their parts."""
_SHORT = or_(OPEN, table.c.verb.in_(GROUPS))


def chosen() -> Select[Any]:
    """The rows of `record_of`, all of them."""
    return select(*_COLUMNS)


def listed() -> Select[Any]:
    """The same for a list: without the work and the state of those that are done, which take most of the time."""
    long = {name: case((_SHORT, table.c[name]), else_=null()).label(name) for name in ("work", "state")}
    return select(*(long.get(column.name, column) for column in _COLUMNS))


def row_of(record: Record) -> Data:
    """A record as values by column."""
    return {name: getattr(record, name) for name in _NAMES}


def record_of(row: Any) -> Record:
    """The record of a row of `chosen`."""
    values = {name: row[name] for name in _NAMES}
    for name, empty in (("warnings", []), ("work", {}), ("state", {})):
        if values[name] is None:
            values[name] = empty
    return Record(**values, repeatable=bool(row["repeatable"]))
