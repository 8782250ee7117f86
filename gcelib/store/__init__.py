"""The only place with SQL: operations, notes, accounts and tokens, in SQLite or PostgreSQL."""

from gcelib.store.accounts import Account, AccountRows, PublicKey
from gcelib.store.engine import Store
from gcelib.store.tokens import Code, Token, TokenRows

__all__ = ["Account", "AccountRows", "Code", "PublicKey", "Store", "Token", "TokenRows"]
