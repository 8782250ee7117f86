"""Whose keys these are: the account they belong to, and the projects it is in."""

from __future__ import annotations

from gcelib.config.keys import Holder
from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import Client
from gcelib.errors import Forbidden


class AccountRow(records.Row, frozen=True, kw_only=True):
    """An account, as its own users see it."""

    name: str = ""


def holder(client: Client) -> Holder:
    """The account of the client's keys. Raises Forbidden when the cloud does not tell which one it is."""
    accounts = client.rows("listAccounts", "account", AccountRow)
    if len(accounts) != 1:
        raise Forbidden(f"{client.at} shows {len(accounts)} accounts to these keys; whose they are cannot be told.")
    projects = client.rows("listProjects", "project", records.ProjectRow)
    return Holder(accounts[0].id, accounts[0].name, tuple((each.id, each.name) for each in projects))
