"""Who may come in and what they may do: OAuth 2.0 as Google's clients speak it, accounts, roles."""

from gcelib.auth.caller import Caller
from gcelib.auth.gate import Gate

__all__ = ["Caller", "Gate"]
