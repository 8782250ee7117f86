"""Questions to one EC2 region and changes to it, through libcloud's signed connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import faults
from gcelib.drivers.ec2 import wire
from gcelib.drivers.ec2.codes import fault_of
from gcelib.drivers.ec2.wire import Refusal, Tree
from gcelib.drivers.faults import At
from gcelib.drivers.generic.door import Door
from gcelib.errors import NotFound

MOST_PAGES = 1000
"""A cloud that gives the same page for ever is asked no longer than this."""
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


class Client:
    """`at` says which cloud it is, in messages. Thread-safe; raises Faults only."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._account = ""

    @property
    def at(self) -> At:
        """Which cloud this is."""
        return self.door.at

    def ask(self, action: str, **params: Any) -> Tree:
        """One read."""
        return self._call(action, params, writes=False)

    def change(self, action: str, **params: Any) -> Tree:
        """One change. Raises Uncertain when its answer was lost."""
        return self._call(action, params, writes=True)

    def list(self, action: str, name: str, size: int = 0, **params: Any) -> Sequence[Tree]:
        """All pages of a list: `name` is what the answer calls it, `size` of a page where one has to be asked for."""
        found: list[Tree] = []
        page = {**params, "MaxResults": size or None}
        for _ in range(MOST_PAGES):
            answer = self.ask(action, **page)
            found += self._listed(action, answer, name)
            token = wire.text(answer, "nextToken") or wire.text(answer, "NextToken")
            if not token:
                break
            page = {**params, "MaxResults": size or None, "NextToken": token}
        return found

    def some(self, action: str, name: str, **params: Any) -> Sequence[Tree]:
        """A list of things asked for by their ids; none where they are not there."""
        try:
            return self._listed(action, self.ask(action, **params), name)
        except NotFound:
            return []

    def account(self) -> str:
        """The id of the account, asked once."""
        self._account = self._account or self.ask_account()
        return self._account

    def ask_account(self) -> str:
        """The id of the account, "" when it cannot be told: the owner of all groups called `default`.

        Every VPC has one, and of all groups these alone cannot be another account's that is shared with this one.
        """
        wanted = [{"Name": "group-name", "Value": ["default"]}]
        found = self.list("DescribeSecurityGroups", "securityGroupInfo", Filter=wanted)
        owners = {wire.text(row, "ownerId") for row in found}
        return owners.pop() if len(owners) == 1 else ""

    def tagged(self, key: str) -> Sequence[Mapping[str, Any]]:
        """The filter for what a change of this key made."""
        return [{"Name": f"tag:{KEY}", "Value": [key]}]

    def told(self, row: Mapping[str, Any], id: str, name: str, key: str) -> str:
        """The id of a new thing, which has its name and its change's key from now on.

        EC2 takes both with the request; a cloud that speaks an older form of its API leaves them out, and is told
        again.
        """
        if KEY not in wire.tags(row):
            tags = named("", name, key)["Tag"]
            self.change("CreateTags", ResourceId=[id], Tag=tags)
        return id

    def _listed(self, action: str, answer: Tree, name: str) -> Sequence[Tree]:
        try:
            return wire.listed(answer, name, str(self.at))
        except faults.Garbled as exc:
            raise faults.name(exc, self.at, action, writes=False) from None

    def made(self, action: str, answer: Tree, name: str) -> str:
        """The id in the answer to a change. Raises Uncertain when it is not there."""
        found = wire.text(answer, name)
        if not found:
            raise faults.name(faults.Garbled(f"it holds no {name}"), self.at, action, writes=True)
        return found

    def _call(self, action: str, params: Mapping[str, Any], *, writes: bool) -> Tree:
        def work(driver: Any) -> Tree:
            driver.connection.set_context({wire.ACTION: action})
            try:
                return _send(driver, {"Action": action, **wire.spelt(params)})
            except Refusal as refusal:
                raise fault_of(refusal, self.at, action, writes=writes) from refusal

        return self.door.run(action, work, writes=writes)


KEY = "gcelib-key"
"""The tag that tells which change made a thing: a change whose answer was lost finds its own outcome by it."""


def named(kind: str, name: str, key: str, more: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """One of a creation's TagSpecification: the name, and the key of the change."""
    tags = {**({"Name": name} if name else {}), KEY: key, **(more or {})}
    return {"ResourceType": kind, "Tag": [{"Key": each, "Value": value} for each, value in tags.items()]}


def _send(driver: Any, params: Mapping[str, str]) -> Tree:
    """Long user data does not fit into an address, and logs keep those: all goes in the body where it can be signed."""
    connection = driver.connection
    if driver.signature_version == "4":
        body = wire.form({**params, "Version": connection.version})
        answer = connection.request(driver.path, data=body, headers=dict(FORM), method="POST")
    else:
        answer = connection.request(driver.path, params=dict(params))
    found: Tree = answer.object
    return found
