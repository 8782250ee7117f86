"""Who owns things in the cloud, and what every thing has in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

Row = dict[str, Any]

UNLIMITED = -1
# Name and number of each kind of limit, as listResourceLimits numbers them.
LIMIT_KINDS = {
    "user_vm": 0, "public_ip": 1, "volume": 2, "snapshot": 3, "template": 4, "project": 5, "network": 6,
    "vpc": 7, "cpu": 8, "memory": 9, "primary_storage": 10, "secondary_storage": 11,
}  # fmt: skip


@dataclass(eq=False, kw_only=True)
class Owner:
    """An account, or the pseudo-account behind a project."""

    id: str
    name: str
    limits: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class Account(Owner):
    """A tenant of the cloud and the keys of its one user."""

    api_key: str
    secret_key: str = field(repr=False)
    user_id: str
    admin: bool = False
    enabled: bool = True
    denied: set[str] = field(default_factory=set)


@dataclass(eq=False, kw_only=True)
class Thing:
    """An entity with an id and an owner; `tag_type` is its name in createTags, if it takes tags."""

    tag_type: ClassVar[str] = ""

    id: str
    owner: Owner
    created: float
    tags: dict[str, str] = field(default_factory=dict)
    job_id: str = ""


@dataclass(eq=False, kw_only=True)
class Project(Thing, Owner):
    """A CloudStack project: an owner of its own, used by its members."""

    tag_type: ClassVar[str] = "Project"

    displaytext: str
    members: set[str] = field(default_factory=set)
    state: str = "Active"


@dataclass(eq=False, kw_only=True)
class KeyPair(Thing):
    """A registered public SSH key."""

    name: str
    public_key: str
    fingerprint: str


@dataclass(eq=False, kw_only=True)
class AffinityGroup(Thing):
    """A wish to keep machines apart or together."""

    name: str
    kind: str
    description: str = ""


@dataclass(eq=False, kw_only=True)
class Rule(Thing):
    """One rule of a security group: one CIDR or one source group."""

    tag_type: ClassVar[str] = "SecurityGroupRule"

    protocol: str
    first: int = 0
    last: int = 0
    cidr: str = ""
    source_group: str = ""
    source_account: str = ""

    def same_as(self, other: Rule) -> bool:
        """True when both let in exactly the same traffic."""
        mine = (self.protocol, self.first, self.last, self.cidr, self.source_group, self.source_account)
        return mine == (
            other.protocol, other.first, other.last, other.cidr, other.source_group, other.source_account
        )  # fmt: skip


@dataclass(eq=False, kw_only=True)
class Group(Thing):
    """A security group."""

    tag_type: ClassVar[str] = "SecurityGroup"

    name: str
    description: str = ""
    ingress: list[Rule] = field(default_factory=list)
    egress: list[Rule] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Event(Thing):
    """A line of the account's history."""

    kind: str
    description: str
    state: str = "Completed"
    resource_id: str = ""
    resource_type: str = ""
