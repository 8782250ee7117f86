"""Makes an OpenStack cloud of its configuration, and says what one can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib.config import CloudConfig
from gcelib.drivers.faults import At
from gcelib.drivers.generic import cloud
from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.drivers.openstack.connecting import Driver, Manner, Tokens, driver_class
from gcelib.drivers.openstack.identity import PASSWORD, Identity
from gcelib.drivers.openstack.networks import RANGE, Choice
from gcelib.drivers.pacing import pace_of
from gcelib.drivers.profile import Keys, Profile
from gcelib.drivers.session import Observer, Session

OWN = ("default_network", "floating_network", "network_range", "boot_from_volume", "api_version")
"""Options that libcloud's driver is not given."""
TENANT, DOMAIN = "ex_tenant_name", "ex_domain_name"


def build(profile: Profile, config: CloudConfig, keys: Keys, tenant: str, observe: Observer) -> OpenStack:
    """The cloud; asks it nothing yet. `tenant` is the project, by name or id, in place of the configuration's."""
    told = {**profile.options, **config.options}
    own = {name: told.pop(name, None) for name in OWN}
    at = At(config.name, profile.name, (keys.secret, keys.key))
    manner = Manner(config.timeout, config.ca_file)
    endpoint = config.endpoint.rstrip("/").removesuffix("/v3")
    identity = Identity(at, endpoint, keys, str(told[DOMAIN]), manner)
    given = {**told, profile.endpoint_as: endpoint, "ex_auth_cache": Tokens(), "timeout": config.timeout}
    wanted = tenant or str(told.get(TENANT, ""))
    named = given["ex_force_auth_version"] == PASSWORD

    def make() -> Driver:
        if named and (tenant or not wanted):
            found = identity.tenant(tenant)
            given.update({TENANT: found.name, "ex_tenant_domain_id": found.domain_id})
        return driver_class(manner)(keys.key, keys.secret, **given)

    pace = pace_of(config.name, config.per_second)
    session = Session[Any](at, make, size=config.concurrent, pace=pace, observe=observe)
    choice = Choice(
        default=str(own["default_network"] or ""), outside=str(own["floating_network"] or ""),
        range=str(own["network_range"] or RANGE),
    )
    door = Door(session, Kind(profile), owned=keys.owned)
    return OpenStack(door, identity, choice, from_volume=bool(own["boot_from_volume"]))


def abilities(profile: Profile) -> Mapping[str, frozenset[str]]:
    """Facet to verbs."""
    return cloud.able(Kind(profile), OpenStack.kinds)


def why_not(profile: Profile, facet: str, verb: str) -> str:
    """Why a verb is missing."""
    return cloud.why_not(Kind(profile), OpenStack.kinds, facet, verb)
