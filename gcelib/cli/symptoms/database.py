"""The database: whether it answers, and whether it is of this version; and the Redis beside it, where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from gcelib.config import Config
from gcelib.errors import Fault, Unavailable
from gcelib.server.findings import Finding, found, note, well, wrong
from gcelib.store.condition import condition
from gcelib.store.marks import Marks

ABOUT = "store"
REDIS = "generations"


def database(config: Config) -> Iterator[Finding]:
    """Reachable, and migrated as far as this version goes."""
    try:
        there = condition(config.server.database_url())
    except Unavailable as fault:
        yield found("store-away", ABOUT, fault.message)
        return
    except Fault as fault:
        yield wrong(ABOUT, fault.message, "Mend server.database.")
        return
    if there.refuses:
        yield found("store-refuses", ABOUT, there.refuses)
    if not there.there:
        yield note(ABOUT, f"{there.url} is not there yet.", "`gcelib serve` makes it when it first starts.")
    elif there.current == there.newest:
        yield well(ABOUT, f"{there.url} answers, schema {there.current}.")
    elif there.known:
        yield note(ABOUT, f"{there.url} has the schema {there.current or 'of no version'}, this version wants "
                   f"{there.newest}.", "Make a copy, then restart `gcelib serve`: it brings the database up to date.")
    else:
        yield wrong(ABOUT, f"{there.url} has the schema {there.current}, which this version does not know.",
                    "It was written by a newer gcelib: install that one, or go back to a copy.")


def generations(config: Config) -> Iterator[Finding]:
    """Redis, where replicas tell each other of changes by it."""
    if not config.server.generations:
        return
    try:
        marks = Marks(config.server.generations)
    except Fault as fault:
        yield wrong(REDIS, fault.message, "Mend server.generations, or remove it: the database does as well.")
        return
    try:
        marks.ping()
    except Fault as fault:
        yield found("redis-away", REDIS, f"{fault.message.rstrip('.')}; the database is asked instead.")
    else:
        yield well(REDIS, f"Redis at {marks.where} answers.")
    finally:
        marks.close()
