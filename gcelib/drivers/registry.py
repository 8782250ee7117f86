"""Provider name -> Cloud: every compute provider libcloud knows, and those gcelib carries."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from libcloud.compute.types import OLD_CONSTANT_TO_NEW_MAPPING, Provider

from gcelib.config import CacheConfig, CloudConfig
from gcelib.drivers.base import Cloud
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.cloud import CloudStack
from gcelib.drivers.cloudstack.connection import Driver, Endpoint, make_driver
from gcelib.drivers.cloudstack.profile import PROFILES
from gcelib.drivers.faults import At
from gcelib.drivers.layers import Remember
from gcelib.drivers.profile import Profile
from gcelib.drivers.session import Observer, Session, log_call
from gcelib.errors import Unavailable, Unsupported

ONLY = "gcelib carries only CloudStack in this version"
POOL = 8
"""libcloud drivers, and so connections, per cloud and set of credentials."""


@functools.cache
def profiles() -> dict[str, Profile]:
    """Every compute provider of libcloud by name, in alphabetical order."""
    carried = {profile.name: profile for profile in PROFILES}
    found: dict[str, Profile] = {}
    for constant, value in vars(Provider).items():
        if re.fullmatch("[A-Z][A-Z0-9_]*", constant) and isinstance(value, str):
            found.setdefault(value, carried.get(value) or _uncarried(constant, value))
    return dict(sorted(found.items()))


def _uncarried(constant: str, value: str) -> Profile:
    renamed: str | None = dict(OLD_CONSTANT_TO_NEW_MAPPING).get(value)  # type: ignore[call-overload]
    why = f"an old name: libcloud calls it {renamed} now" if renamed else ONLY
    return Profile(value, constant.replace("_", " ").capitalize(), why_not=why)


def profile_of(provider: str) -> Profile:
    """A provider's profile, any letter case. Raises Unsupported for a name libcloud does not know."""
    found = profiles().get(provider) or profiles().get(provider.casefold())
    if found is None:
        raise Unsupported(f"libcloud has no compute provider '{provider}'; `gcelib providers` lists them all.")
    return found


def providers() -> Sequence[Profile]:
    """Every provider, for people."""
    return list(profiles().values())


def cloud_class(profile: Profile) -> type[CloudStack] | None:
    """The class that carries a provider."""
    return CloudStack if profile.carried else None


def build(
    config: CloudConfig,
    cache: CacheConfig,
    tenant: str = "",
    *,
    keys: tuple[str, str] | None = None,
    observe: Observer = log_call,
) -> Cloud:
    """The cloud a configuration describes, its lists remembered.

    `tenant` is one of the cloud's own projects. `keys` are a caller's (key, secret) in place of the
    configuration's. `observe` is told of every call. Asks the cloud nothing yet. Raises Unsupported for a
    provider that is not carried.
    """
    profile = profile_of(config.provider)
    if not profile.carried:
        raise Unsupported(f"Cloud '{config.name}': provider '{profile.name}' is not offered: {profile.why_not}.")
    key, secret = keys or (config.key, config.secret.reveal())
    at = At(config.name, profile.name, (secret, key))
    ca_file = Path(config.ca_file).expanduser() if config.ca_file else None
    endpoint = Endpoint(config.endpoint or profile.endpoint, config.timeout, ca_file)

    def make() -> Driver:
        try:
            return make_driver(endpoint, key, secret)
        except ValueError as exc:
            raise Unavailable(f"{at} is not set up: {exc}; check [clouds.{config.name}].") from None

    client = Client(Session(at, make, size=POOL, observe=observe), tenant=tenant, owned=keys is None)
    cloud = CloudStack(client, config.options)
    seconds = {"zones": cache.zones, "sizes": cache.sizes, "images": cache.images, "nodes": cache.nodes}
    return cast(Cloud, Remember(cast(Cloud, cloud), {**seconds, "other": cache.other}))


def carried(provider: str) -> bool:
    """Whether gcelib can drive this provider."""
    found = profiles().get(provider) or profiles().get(provider.casefold())
    return found is not None and found.carried
