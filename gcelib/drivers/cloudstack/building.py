"""Makes a CloudStack cloud of its configuration, and says what one can do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gcelib.config import CloudConfig
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.cloud import CloudStack
from gcelib.drivers.cloudstack.connection import Driver, Endpoint, make_driver
from gcelib.drivers.faults import At
from gcelib.drivers.pacing import pace_of
from gcelib.drivers.profile import Keys, Profile, abilities_of
from gcelib.drivers.session import Observer, Session
from gcelib.errors import Unavailable


def build(profile: Profile, config: CloudConfig, keys: Keys, tenant: str, observe: Observer) -> CloudStack:
    """The cloud; asks it nothing yet."""
    at = At(config.name, profile.name, (keys.secret, keys.key))
    ca_file = Path(config.ca_file).expanduser() if config.ca_file else None
    endpoint = Endpoint(config.endpoint or profile.endpoint, config.timeout, ca_file)

    def make() -> Driver:
        try:
            return make_driver(endpoint, keys.key, keys.secret)
        except ValueError as exc:
            raise Unavailable(f"{at} is not set up: {exc}; check [clouds.{config.name}].") from None

    pace = pace_of(config.name, config.per_second)
    session = Session(at, make, size=config.concurrent, pace=pace, observe=observe)
    client = Client(session, tenant=tenant, owned=keys.owned)
    return CloudStack(client, config.options)


def abilities(profile: Profile) -> Mapping[str, frozenset[str]]:
    """Facet to verbs."""
    return abilities_of(CloudStack.kinds)


def why_not(profile: Profile, facet: str, verb: str) -> str:
    """Why a verb is missing."""
    return CloudStack.lacks.get(f"{facet}.{verb}", f"CloudStack cannot {verb} {facet}")
