"""Provider name -> Cloud: every compute provider libcloud knows, and which package here drives it."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from libcloud.compute.providers import DRIVERS
from libcloud.compute.types import DEPRECATED_RACKSPACE_PROVIDERS, OLD_CONSTANT_TO_NEW_MAPPING, Provider

from gcelib.config import CacheConfig, CloudConfig
from gcelib.drivers.base import Cloud
from gcelib.drivers.cloudstack.profile import PROFILES as CLOUDSTACK
from gcelib.drivers.ec2.profile import PROFILES as EC2
from gcelib.drivers.examined import NOTE, Remark
from gcelib.drivers.generic.profiles import PROFILES as GENERIC
from gcelib.drivers.layers import Remember
from gcelib.drivers.openstack.profile import PROFILES as OPENSTACK
from gcelib.drivers.profile import Keys, Profile
from gcelib.drivers.session import Observer, log_call
from gcelib.errors import Unsupported

DROPPED = "libcloud no longer drives it"


@functools.cache
def profiles() -> dict[str, Profile]:
    """Every compute provider of libcloud by name, in alphabetical order; those added to it at run time, too."""
    told = {profile.name: profile for profile in (*CLOUDSTACK, *EC2, *OPENSTACK, *GENERIC)}
    constants = {
        value: constant for constant, value in vars(Provider).items()
        if re.fullmatch("[A-Z][A-Z0-9_]*", constant) and isinstance(value, str)
    }
    found = {name: told.get(name) or _untold(name, constants.get(name, name)) for name in {*constants, *DRIVERS}}
    return dict(sorted(found.items()))


def _untold(name: str, constant: str) -> Profile:
    """The profile of a provider that nothing is known of but its driver's class."""
    renamed: str | None = dict(OLD_CONSTANT_TO_NEW_MAPPING).get(name)  # type: ignore[call-overload]
    title = constant.replace("_", " ").capitalize()
    if renamed:
        return Profile(name, title, why_not=f"an old name: libcloud calls it {renamed} now")
    if name not in DRIVERS or name in DEPRECATED_RACKSPACE_PROVIDERS:
        return Profile(name, title, why_not=DROPPED)
    return Profile(name, title, carried=True, keeps_names=False)


def profile_of(provider: str) -> Profile:
    """A provider's profile, any letter case. Raises Unsupported for a name libcloud does not know."""
    found = profiles().get(provider) or profiles().get(provider.casefold())
    if found is None:
        raise Unsupported(f"libcloud has no compute provider '{provider}'; `gcelib providers` lists them all.")
    return found


def providers() -> Sequence[Profile]:
    """Every provider, for people."""
    return list(profiles().values())


def family(profile: Profile) -> Any:
    """The package that drives a provider: its `build` makes a cloud, its `abilities` and `why_not` say what it can.

    Only the one that is wanted is imported, and with it only libcloud's driver of this provider.
    """
    return importlib.import_module(f"gcelib.drivers.{profile.family}.building")


def abilities(profile: Profile) -> Mapping[str, frozenset[str]]:
    """Facet to the verbs a provider can do, as far as can be told without asking a cloud.

    Raises Unsupported when libcloud has dropped it, or a library of the provider's is missing.
    """
    found: Mapping[str, frozenset[str]] = family(profile).abilities(profile)
    return found


def why_not(profile: Profile, facet: str, verb: str) -> str:
    """Why a provider cannot do this, for people: a sentence's second half."""
    return str(family(profile).why_not(profile, facet, verb))


def examine(config: CloudConfig) -> Sequence[Remark]:
    """What a cloud says of the configured keys: rights, limits, ways of its own. Raises Faults when it does not answer.

    Where a provider has no way to be asked that, it is said so.
    """
    profile = profile_of(config.provider)
    look: Callable[[Profile, CloudConfig], Sequence[Remark]] | None = getattr(family(profile), "examine", None)
    if look is not None:
        return look(profile, config)
    return [Remark(NOTE, f"What these keys may not do cannot be asked of {profile.title}; it is refused, in the "
                   "cloud's own words, when it is tried.")]


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
    cloud = family(profile).build(profile, config, Keys(key, secret, owned=keys is None), tenant, observe)
    seconds = {"zones": cache.zones, "sizes": cache.sizes, "images": cache.images, "nodes": cache.nodes}
    return cast(Cloud, Remember(cast(Cloud, cloud), {**seconds, "other": cache.other}))


def carried(provider: str) -> bool:
    """Whether gcelib can drive this provider."""
    found = profiles().get(provider) or profiles().get(provider.casefold())
    return found is not None and found.carried
