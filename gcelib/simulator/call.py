"""One call of the API: who calls, with which parameters, and what they may touch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from gcelib.simulator.errors import at_door, forbidden, invalid, malformed, unknown_id
from gcelib.simulator.records import Account, Owner, Project, Row, Thing
from gcelib.simulator.world import World

T = TypeVar("T", bound=Thing)
MAP_NAME = re.compile(r"^([a-z]\w*)\[(\d+)\](?:\.(.+))?$")


class Call:
    """The parameters (names in lower case) and the caller of one command; `touched` is the first thing it named."""

    def __init__(self, world: World, account: Account, command: str, params: dict[str, str], post: bool) -> None:
        self.world = world
        self.account = account
        self.command = command
        self.params = params
        self.post = post
        self.touched: Thing | None = None

    # Parameters -----------------------------------------------------------------------------------------

    def text(self, name: str, default: str = "") -> str:
        """A text parameter; an empty one counts as not given."""
        return self.params.get(name) or default

    def given(self, name: str) -> bool:
        """True when the parameter was sent with a value."""
        return bool(self.params.get(name))

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean parameter."""
        value = self.params.get(name)
        return default if not value else value.lower() == "true"

    def number(self, name: str) -> int | None:
        """An integer parameter, or None. Raises ApiError 431 when it is not a number."""
        value = self.params.get(name)
        if not value:
            return None
        try:
            return int(value)
        except ValueError:
            raise invalid(f"Unable to execute API command {self.command.lower()} due to invalid value {value} "
                          f"for parameter {name}") from None  # fmt: skip

    def items(self, name: str) -> list[str]:
        """A comma separated parameter."""
        return [item.strip() for item in self.params.get(name, "").split(",") if item.strip()]

    def table(self, name: str) -> list[dict[str, str]]:
        """A map parameter `name[i].field=value`, by index. Raises ApiError 430 for a bad name."""
        found: dict[int, dict[str, str]] = {}
        for sent, value in self.params.items():
            if not sent.startswith(name + "["):
                continue
            match = MAP_NAME.match(sent)
            if match is None or not match[3]:
                raise malformed(f"Malformed parameter {sent}: expected {name}[<number>].<field>")
            found.setdefault(int(match[2]), {})[match[3]] = value
        return [found[index] for index in sorted(found)]

    def pairs(self, name: str) -> dict[str, str]:
        """A map parameter of keys and values, in either of its two spellings."""
        result: dict[str, str] = {}
        for entry in self.table(name):
            if "key" in entry:
                result[entry["key"]] = entry.get("value", "")
            else:
                result.update(entry)
        return result

    # Owners ---------------------------------------------------------------------------------------------

    def project(self, project_id: str) -> Project:
        """The project, if the caller is in it. Raises ApiError 431 or 531."""
        project = self.world.find(Project, project_id)
        if project is None:
            raise at_door(unknown_id("projectid", project_id))
        if not self.account.admin and self.account.name not in project.members:
            raise at_door(forbidden(f"Account {self.account.name} is not in project {project.name}"))
        return project

    def other_account(self) -> Account | None:
        """The account named by account and domainid, if any. Raises ApiError 431 or 531."""
        name = self.text("account")
        if not name:
            return None
        if not self.given("domainid"):
            raise invalid("account and domainid must be specified together")
        if self.given("projectid"):
            raise invalid("account and projectid are mutually exclusive")
        account = self.world.accounts.get(name)
        if account is not self.account and not self.account.admin:
            raise forbidden(f"Account {self.account.name} may not act for {name}")
        if account is None:
            raise invalid(f"Unable to find account {name}")
        return account

    def owner(self) -> Owner:
        """Who owns what this call makes."""
        other = self.other_account()
        if self.given("projectid"):
            return self.project(self.text("projectid"))
        return other or self.account

    def may_touch(self, owner: Owner) -> bool:
        """True when the caller may use what the owner has."""
        if owner is self.account or self.account.admin:
            return True
        return isinstance(owner, Project) and self.account.name in owner.members

    def seen_owners(self) -> list[Owner]:
        """Whose things a list of this call shows."""
        other = self.other_account()
        if other is not None:
            return [other]
        project_id = self.text("projectid")
        if project_id == "-1":
            mine = [owner for owner in self.world.all(Project) if self.may_touch(owner)]
            return [self.account, *mine]
        if project_id:
            return [self.project(project_id)]
        if self.account.admin and self.flag("listall"):
            return list(self.world.accounts.values())
        return [self.account]

    # Things ---------------------------------------------------------------------------------------------

    def find(self, kind: type[T], parameter: str) -> T:
        """The thing a parameter names. Raises ApiError 431 when it is not there, 531 when it is another's."""
        return self.get(kind, self.text(parameter), parameter)

    def get(self, kind: type[T], thing_id: str, parameter: str = "id") -> T:
        """The thing of this id. Raises ApiError 431 when it is not there, 531 when it is another's."""
        thing = self.world.find(kind, thing_id)
        if thing is None:
            raise at_door(unknown_id(parameter, thing_id))
        if not self.may_touch(thing.owner):
            raise at_door(forbidden(f"{self.account.name} does not have permission to operate with {thing_id}"))
        self.touched = self.touched or thing
        return thing

    def shared(self, kind: type[T], parameter: str) -> T:
        """A thing that everyone may use, such as an offering. Raises ApiError 431."""
        thing = self.world.find(kind, self.text(parameter))
        if thing is None:
            raise at_door(unknown_id(parameter, self.text(parameter)))
        return thing

    def visible(self, kind: type[T]) -> list[T]:
        """The things of a kind that a list of this call shows, before its other filters."""
        owners = self.seen_owners()
        if len(owners) == 1:
            return self.world.owned(kind, owners[0])
        wanted = set(map(id, owners))
        return [thing for thing in self.world.all(kind) if id(thing.owner) in wanted]

    def tagged(self, things: Iterable[T]) -> list[T]:
        """Those of the things that carry any of the call's tags; all when it names none."""
        wanted = self.pairs("tags")
        if not wanted:
            return list(things)
        return [
            thing for thing in things
            if any(key in thing.tags and value in ("", thing.tags[key]) for key, value in wanted.items())
        ]  # fmt: skip

    def selected(self, things: Iterable[T], **exact: str) -> list[T]:
        """Filter by id, ids, tags and by texts: `parameter="attribute"` compares without regard to case."""
        rows = self.tagged(things)
        if self.given("id"):
            rows = [thing for thing in rows if thing.id == self.text("id")]
        if self.given("ids"):
            wanted = set(self.items("ids"))
            rows = [thing for thing in rows if thing.id in wanted]
        for parameter, attribute in exact.items():
            if self.given(parameter):
                sought = self.text(parameter).lower()
                rows = [thing for thing in rows if str(getattr(thing, attribute)).lower() == sought]
        if self.given("zoneid"):
            rows = [thing for thing in rows if getattr(thing, "zone", None) is None
                    or thing.zone.id == self.text("zoneid")]  # type: ignore[attr-defined]  # fmt: skip
        if self.given("keyword"):
            rows = [thing for thing in rows if self._has_keyword(thing)]
        return rows

    def _has_keyword(self, thing: Thing) -> bool:
        sought = self.text("keyword").lower()
        texts = (getattr(thing, name, "") for name in ("name", "displayname", "state", "displaytext", "address"))
        return any(isinstance(text, str) and sought in text.lower() for text in texts)


def ownership(world: World, owner: Owner) -> Row:
    """The fields that say whose a thing is: account or project, and domain."""
    domain = {"domainid": world.domain_id, "domain": "ROOT", "domainpath": "ROOT"}
    if isinstance(owner, Project):
        return {"projectid": owner.id, "project": owner.name, **domain}
    return {"account": owner.name, **domain}


def tag_rows(world: World, thing: Thing) -> list[Row]:
    """A thing's tags as its row shows them."""
    if not thing.tags:
        return []
    shared = {"resourcetype": type(thing).tag_type, "resourceid": thing.id, **ownership(world, thing.owner)}
    return [{"key": key, "value": value, **shared} for key, value in thing.tags.items()]


def job_fields(thing: Thing) -> Row:
    """jobid and jobstatus while a job works on the thing."""
    return {"jobid": thing.job_id, "jobstatus": 0} if thing.job_id else {}
