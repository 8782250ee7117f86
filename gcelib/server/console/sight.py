"""What a person may see in the console, and do there: what the roles of the account allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gcelib.auth import policy
from gcelib.auth.caller import Caller
from gcelib.config import Config, ProjectConfig
from gcelib.store import Account
from gcelib.store.glimpses import Projects

ANY = "*"


@dataclass(frozen=True, slots=True)
class Sight:
    """One person's view. Whoever is admin of every project sees all there is, callers' own accounts, too."""

    caller: Caller
    config: Config

    @property
    def all(self) -> bool:
        """Whether nothing is hidden."""
        return self.caller.roles.get(ANY) == "admin"

    @property
    def admin(self) -> bool:
        """Whether what ails the server itself is this person's business: an admin of any project."""
        return "admin" in self.caller.roles.values()

    def role(self, project: str) -> str:
        """The role on a project, "" for none. What belongs to a caller's own account of a cloud is the caller's."""
        if project not in self.config.projects and not self.all:
            return ""
        return policy.role(self.caller, project)

    def projects(self) -> Mapping[str, ProjectConfig]:
        """The configured projects that may be seen, by name; "*" stands for those that the configuration does not
        name."""
        return {name: row for name, row in self.config.projects.items() if self.role(name)}

    def operations(self) -> Projects:
        """Whose operations may be seen; None for everybody's."""
        return None if self.all else [name for name in self.projects() if name != ANY]

    def clouds(self) -> frozenset[str]:
        """The names of the clouds of these projects."""
        if self.all:
            return frozenset(self.config.clouds)
        return frozenset(cloud for row in self.projects().values() for cloud in row.clouds)

    def roles_of(self, account: Account) -> Mapping[str, str] | None:
        """The roles of an account that may be seen; None when the account itself may not.

        An admin of a project sees who has a role there, everybody sees themselves.
        """
        if self.all or account.email == self.caller.email:
            return account.roles
        mine = {name for name, role in self.caller.roles.items() if role == "admin"}
        seen = {name: role for name, role in account.roles.items() if name in mine or (name == ANY and mine)}
        return seen if mine & seen.keys() or ANY in seen else None
