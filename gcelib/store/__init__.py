"""The only place with SQL: operations, notes, accounts and tokens, in SQLite or PostgreSQL."""

from gcelib.store.engine import Store

__all__ = ["Store"]
