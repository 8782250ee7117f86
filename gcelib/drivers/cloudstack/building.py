"""Makes a CloudStack cloud of its configuration, and says what one can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gcelib.config import CloudConfig
from gcelib.drivers.cloudstack import examination
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.cloud import CloudStack
from gcelib.drivers.cloudstack.connection import Driver, Endpoint, make_driver
from gcelib.drivers.examined import Remark
from gcelib.drivers.faults import At
from gcelib.drivers.pacing import pace_of
from gcelib.drivers.profile import Keys, Profile, abilities_of
from gcelib.drivers.session import Observer, Session, log_call
from gcelib.errors import Unavailable


def build(profile: Profile, config: CloudConfig, keys: Keys, tenant: str, observe: Observer) -> CloudStack:
    """The cloud; asks it nothing yet."""
    return CloudStack(_client(profile, config, keys, tenant, observe), config.options)


def _client(profile: Profile, config: CloudConfig, keys: Keys, tenant: str, observe: Observer) -> Client:
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
    return Client(session, tenant=tenant, owned=keys.owned)


def examine(profile: Profile, config: CloudConfig) -> Sequence[Remark]:
    """What the cloud says of the configured keys. Raises Faults when it does not answer."""
    client = _client(profile, config, Keys(config.key, config.secret.reveal()), "", log_call)
    try:
        return [*examination.examine(client)]
    finally:
        client.session.close()


def abilities(profile: Profile) -> Mapping[str, frozenset[str]]:
    """Facet to verbs."""
    return abilities_of(CloudStack.kinds)


def why_not(profile: Profile, facet: str, verb: str) -> str:
    """Why a verb is missing."""
    return CloudStack.lacks.get(f"{facet}.{verb}", f"CloudStack cannot {verb} {facet}")
