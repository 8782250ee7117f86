"""The only place with SQL: operations, notes, accounts and tokens, in SQLite or PostgreSQL."""

from gcelib.store.accounts import Account, AccountRows, PublicKey
from gcelib.store.credentials import Credential, CredentialRows
from gcelib.store.engine import Store
from gcelib.store.tokens import Code, Token, TokenRows

__all__ = ["Account", "AccountRows", "Code", "Credential", "CredentialRows", "PublicKey", "Store", "Token", "TokenRows"]
