"""A caller's own keys to a cloud, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from gcelib.config.names import idlike
from gcelib.config.sealed import Secret

MARK = "~"
"""Parts the names in a caller's tenancy: no project, alias or cloud may be called so that one looks like it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The account of a cloud that some keys belong to: its id and name there, and the cloud's own projects it
    is in, as (id, name) pairs."""

    id: str
    name: str
    projects: tuple[tuple[str, str], ...] = ()

    def project(self, name: str) -> tuple[str, str] | None:
        """The one of the cloud's own projects that is called so: by id, name, or a form of it that gcloud takes.

        A form that several of them share stands for none.
        """
        exact = [each for each in self.projects if name in each]
        found = exact or [each for each in self.projects if idlike(each[1]) == name]
        return found[0] if len(found) == 1 else None

    def is_called(self, name: str) -> bool:
        """Whether this names the account itself: its name, or a form of it that gcloud takes."""
        return name in (self.name, idlike(self.name))


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys that a caller gave. `id` names them and is no secret; `holder` is as it was at the sign-in."""

    id: str
    cloud: str
    holder: Holder
    key: str = field(repr=False)
    secret: Secret

    @property
    def tenancy(self) -> str:
        """What the account's own things are kept under: no other account, of any cloud, has the same."""
        return tenancy(self.cloud, self.holder.id)

    def owns(self, name: str) -> bool:
        """Whether a tenancy is the account's own, or that of one of the cloud's projects for it."""
        return name == self.tenancy or name.startswith(self.tenancy + MARK)


def tenancy(cloud: str, account: str, project: str = "") -> str:
    """The name under which is kept what a caller does as an account, in one of the cloud's own projects or none."""
    parts = [cloud, _plain(account), *([_plain(project)] if project else [])]
    return MARK.join(parts)


def parts(name: str) -> tuple[str, str, str] | None:
    """Cloud, account and the cloud's own project ("" for none) of a caller's tenancy; None for other names."""
    cloud, *ids = (unquote(part) for part in name.split(MARK))
    return (cloud, ids[0], ids[1] if len(ids) > 1 else "") if ids else None


def place(tenancy: str, place: str) -> str:
    """Where the store keeps what a project notes at a place: a caller's own apart from everybody else's."""
    return tenancy if MARK in tenancy and MARK not in place else place


def _plain(id: str) -> str:
    return quote(id, safe="").replace(MARK, "%7E")
