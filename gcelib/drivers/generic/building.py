"""Makes a cloud over any libcloud driver of its configuration, and says what one can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gcelib.config import CloudConfig
from gcelib.drivers.faults import At
from gcelib.drivers.generic import cloud
from gcelib.drivers.generic.cloud import Generic
from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.generic.making import make, wanted
from gcelib.drivers.profile import Keys, Profile
from gcelib.drivers.session import Observer, Session
from gcelib.errors import Unsupported

POOL = 8
"""libcloud drivers, and so connections, per cloud and set of credentials."""
ARGUMENTS = "arguments"
"""The option that holds further arguments of the driver's calls: [clouds.NAME.options.arguments.create_node]."""


def door(profile: Profile, config: CloudConfig, keys: Keys, observe: Observer) -> Door:
    """The way to a cloud's drivers; asks it nothing yet."""
    options = dict(config.options)
    told: Mapping[str, Mapping[str, Any]] = options.pop(ARGUMENTS, {})
    calls = {call: {**profile.arguments.get(call, {}), **told.get(call, {})} for call in {*profile.arguments, *told}}
    kind = Kind(replace(profile, arguments=calls))
    want = wanted(replace(config, options=options), kind, keys.key, keys.secret)
    at = At(config.name, profile.name, (keys.secret, keys.key))
    size = 1 if profile.one_driver else POOL
    session = Session[Any](at, lambda: make(kind, want), size=size, lasting=profile.one_driver, observe=observe)
    return Door(session, kind, owned=keys.owned)


def build(profile: Profile, config: CloudConfig, keys: Keys, tenant: str, observe: Observer) -> Generic:
    """The cloud; asks it nothing yet. Raises Unsupported for one of the cloud's own projects: the base API has none."""
    if tenant:
        raise Unsupported(f"Cloud '{config.name}' ({profile.name}) has no projects of its own; remove `tenant`.")
    return Generic(door(profile, config, keys, observe))


def abilities(profile: Profile) -> Mapping[str, frozenset[str]]:
    """Facet to the verbs that the driver's class has the calls for."""
    return cloud.able(Kind(profile), Generic.kinds)


def why_not(profile: Profile, facet: str, verb: str) -> str:
    """Why a verb is missing."""
    return cloud.why_not(Kind(profile), Generic.kinds, facet, verb)
