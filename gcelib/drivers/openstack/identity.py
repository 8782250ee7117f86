"""Signing in to Keystone without a project: whose keys these are, and which projects their holder is in."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from libcloud.common.openstack_identity import OpenStackIdentityTokenScope, get_class_for_auth_version
from libcloud.common.types import InvalidCredsError

from gcelib.config.keys import Holder
from gcelib.drivers import faults
from gcelib.drivers.faults import At
from gcelib.drivers.generic.door import refused
from gcelib.drivers.openstack.connecting import Manner, http_class
from gcelib.drivers.openstack.refusals import NoProject
from gcelib.drivers.profile import Keys
from gcelib.errors import Forbidden

PASSWORD = "3.x_password"
"""The way to sign in for which a project is named."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A project of Keystone's."""

    id: str
    name: str
    domain_id: str


class Identity:
    """One user of one Keystone. Thread-safe; the projects are asked for when one is wanted that is not known."""

    def __init__(self, at: At, endpoint: str, keys: Keys, domain: str, manner: Manner) -> None:
        self._at, self._endpoint, self._keys, self._domain, self._manner = at, endpoint, keys, domain, manner
        self._lock = threading.Lock()
        self._tenants: Sequence[Tenant] | None = None

    def holder(self) -> Holder:
        """Whose keys these are, asked now. Raises Unauthenticated or Unavailable for keys that are wrong."""
        user, tenants = self._ask()
        return Holder(*user, tuple((each.id, each.name) for each in tenants))

    def tenant(self, wanted: str) -> Tenant:
        """The project of this id or name; with "" the one called like the user, else the only one.

        Raises NotFound for none such, Forbidden when it cannot be told which is meant.
        """
        with self._lock:
            found = self._meant(wanted)
            if len(found) != 1:
                # Since it was asked the user may have come into another one, or left one.
                self._tenants = self._ask()[1]
                found = self._meant(wanted)
            names = ", ".join(f"'{each.name}'" for each in self._tenants or ()) or "none"
        if wanted and not found:
            raise NoProject(f"{self._at}: the user is in no project '{wanted}'; projects: {names}.")
        if len(found) != 1:
            raise Forbidden(f"{self._at}: say which project; the user is in {names}.")
        return found[0]

    def _meant(self, wanted: str) -> Sequence[Tenant]:
        """Those of the projects known so far that may be meant; an id before names."""
        tenants = self._tenants or ()
        if wanted:
            ids = [each for each in tenants if each.id == wanted]
            return ids or [each for each in tenants if each.name == wanted][:1]
        return [each for each in tenants if each.name == self._keys.key] or tenants

    def _ask(self) -> tuple[tuple[str, str], Sequence[Tenant]]:
        try:
            return self._answer()
        except InvalidCredsError:
            raise refused(self._at, owned=self._keys.owned) from None
        except Exception as exc:
            fault = faults.name(exc, self._at, "GET identity /v3/auth/projects", writes=False)
        raise fault

    def _answer(self) -> tuple[tuple[str, str], Sequence[Tenant]]:
        """The user's id and name, and projects."""
        base = get_class_for_auth_version(PASSWORD)  # type: ignore[no-untyped-call]
        shape = type("Identity", (base,), {"conn_class": http_class(self._manner)})
        connection = shape(
            auth_url=self._endpoint, user_id=self._keys.key, key=self._keys.secret, domain_name=self._domain,
            token_scope=OpenStackIdentityTokenScope.UNSCOPED, timeout=self._manner.timeout,
        )
        try:
            connection.authenticate()
            rows = connection.authenticated_request("/v3/auth/projects").object["projects"]
            user = (str(connection.auth_user_info["id"]), str(connection.auth_user_info["name"]))
        finally:
            http = connection.connection
            if http is not None:
                http.session.close()
        found = [Tenant(each["id"], each["name"], each["domain_id"]) for each in rows if each.get("enabled", True)]
        return user, found
