"""Makes a cloud over EC2 or a cloud that speaks its API, and says what one can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from gcelib.config import CloudConfig
from gcelib.drivers.ec2.cloud import Ec2
from gcelib.drivers.ec2.disks import TYPES
from gcelib.drivers.ec2.driver import DEFAULT_REGION, Driver, endpoint_of
from gcelib.drivers.ec2.facet import AUTOMATIC, ELASTIC, Settings
from gcelib.drivers.faults import At
from gcelib.drivers.generic import cloud
from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.generic.making import make, wanted
from gcelib.drivers.pacing import pace_of
from gcelib.drivers.profile import Keys, Profile
from gcelib.drivers.session import Observer, Session
from gcelib.errors import Unsupported


class Ours(Kind):
    """libcloud's class of driver in the form that takes a region of any name."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.factory = self.type = Driver


def settings_of(config: CloudConfig) -> tuple[Settings, dict[str, Any]]:
    """What the options say to us, and what they say to the driver. Raises Unsupported for a value that is none."""
    options = dict(config.options)
    given: dict[str, Any] = {}
    for each in fields(Settings):
        if each.name in options:
            value = options.pop(each.name)
            listed = isinstance(each.default, tuple)
            given[each.name] = _listed(value) if listed else str(value)
    found = Settings(**given)
    if found.volume_type not in TYPES:
        raise Unsupported(f"Cloud '{config.name}': option volume_type '{found.volume_type}' is not offered; it can be "
                          f"{', '.join(TYPES)}.")
    if found.public_addresses not in (ELASTIC, AUTOMATIC):
        raise Unsupported(f"Cloud '{config.name}': option public_addresses '{found.public_addresses}' is not offered; "
                          f"it can be {ELASTIC} or {AUTOMATIC}.")
    return found, options


def _listed(value: Any) -> tuple[str, ...]:
    """A list of texts; from the environment it comes as one, separated by commas."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(str(part).strip() for part in parts if str(part).strip())


def build(profile: Profile, config: CloudConfig, keys: Keys, tenant: str, observe: Observer) -> Ec2:
    """The cloud; asks it nothing yet. Raises Unsupported for one of the cloud's own projects: EC2 has none."""
    if tenant:
        raise Unsupported(f"Cloud '{config.name}' ({profile.name}) has no projects of its own; remove `tenant`.")
    settings, options = settings_of(config)
    region = str(options.get("region") or profile.options.get("region") or DEFAULT_REGION)
    endpoint = config.endpoint or profile.endpoint or endpoint_of(region)
    kind = Ours(profile)
    told = replace(config, options={**options, "region": region}, endpoint=endpoint)
    want = wanted(told, kind, keys.key, keys.secret)
    at = At(config.name, profile.name, (keys.secret, keys.key, str(options.get("token", ""))))
    pace = pace_of(config.name, config.per_second)
    session = Session[Any](at, lambda: make(kind, want), size=config.concurrent, pace=pace, observe=observe)
    return Ec2(Door(session, kind, owned=keys.owned), settings)


def abilities(profile: Profile) -> Mapping[str, frozenset[str]]:
    """Facet to the verbs that there are."""
    return cloud.able(Ours(profile), Ec2.kinds)


def why_not(profile: Profile, facet: str, verb: str) -> str:
    """Why a verb is missing."""
    return cloud.why_not(Ours(profile), Ec2.kinds, facet, verb)
