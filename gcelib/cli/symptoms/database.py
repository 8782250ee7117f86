"""The database: whether it answers, and whether it is of this version; and the Redis beside it, where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from gcelib.config import Config
from gcelib.errors import Fault
from gcelib.server.findings import Finding, note, well, wrong
from gcelib.store.condition import condition
from gcelib.store.marks import Marks

ABOUT = "store"
REDIS = "generations"


def database(config: Config) -> Iterator[Finding]:
    """Reachable, and migrated as far as this version goes."""
    try:
        found = condition(config.server.database_url())
    except Fault as fault:
        yield wrong(ABOUT, fault.message, "Check server.database and server.state_dir; a database server must run and "
                    "let this user in.")
        return
    if not found.there:
        yield note(ABOUT, f"{found.url} is not there yet.", "`gcelib serve` makes it when it first starts.")
    elif found.current == found.newest:
        yield well(ABOUT, f"{found.url} answers, schema {found.current}.")
    elif found.known:
        yield note(ABOUT, f"{found.url} has the schema {found.current or 'of no version'}, this version wants "
                   f"{found.newest}.", "Make a copy, then restart `gcelib serve`: it brings the database up to date.")
    else:
        yield wrong(ABOUT, f"{found.url} has the schema {found.current}, which this version does not know.",
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
        yield wrong(REDIS, f"{fault.message}.", "Redis must run and take the user and password of server.generations; "
                    "until then replicas ask the database instead.")
    else:
        yield well(REDIS, f"Redis at {marks.where} answers.")
    finally:
        marks.close()
