"""Makes a cloud over any libcloud driver of its configuration, and says what one can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError, LibcloudError

from gcelib.config import CloudConfig
from gcelib.drivers import faults
from gcelib.drivers.faults import At
from gcelib.drivers.generic import cloud
from gcelib.drivers.generic.cloud import Generic
from gcelib.drivers.generic.door import Door, refused
from gcelib.drivers.generic.effects import THREADS
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.generic.making import Wanted, make, wanted
from gcelib.drivers.pacing import pace_of
from gcelib.drivers.profile import Keys, Profile
from gcelib.drivers.redaction import redact
from gcelib.drivers.session import Observer, Session
from gcelib.errors import Fault, Unavailable, Unsupported

RETRY = 30
"""Seconds after which it makes sense to ask again a cloud whose driver cannot be made."""
SECRET = re.compile("(?i)pass|secret|token|key|auth|cred")
"""What secrets are called among the options."""
ARGUMENTS = "arguments"
"""The option that holds further arguments of the driver's calls: [clouds.NAME.options.arguments.create_node]."""


def door(profile: Profile, config: CloudConfig, keys: Keys, observe: Observer) -> Door:
    """The way to a cloud's drivers; asks it nothing yet."""
    options = dict(config.options)
    told: Mapping[str, Mapping[str, Any]] = options.pop(ARGUMENTS, {})
    calls = {call: {**profile.arguments.get(call, {}), **told.get(call, {})} for call in {*profile.arguments, *told}}
    kind = Kind(replace(profile, arguments=calls))
    want = wanted(replace(config, options=options), kind, keys.key, keys.secret)
    at = At(config.name, profile.name, (keys.secret, keys.key, *hidden(options), *hidden(calls)))
    built = lambda: opened(at, kind, want, owned=keys.owned)  # noqa: E731
    pace = pace_of(config.name, config.per_second)
    if profile.one_driver:
        return Door(Session[Any](at, built, size=1, lasting=True, pace=pace, observe=observe), kind, owned=keys.owned)
    session = Session[Any](at, built, size=config.concurrent, pace=pace, observe=observe)
    changes = Session[Any](at, built, size=THREADS, pace=pace, observe=observe)
    return Door(session, kind, owned=keys.owned, changes=changes)


def opened(at: At, kind: Kind, want: Wanted, *, owned: bool) -> Any:
    """A driver. Raises Unavailable, whatever goes wrong: nothing has been asked of the cloud yet."""
    try:
        return make(kind, want)
    except InvalidCredsError:
        raise refused(at, owned=owned) from None
    except Fault as fault:
        raise Unavailable(f"{at}: {fault.message}", retry_after=fault.retry_after or RETRY) from None
    except (OSError, LibcloudError, BaseHTTPError) as exc:
        named = faults.name(exc, at, "the making of its driver", writes=False)
        raise Unavailable(named.message, retry_after=named.retry_after or RETRY) from None
    except (Exception, SystemExit) as exc:
        words = f"{type(exc).__name__}: {redact(str(exc), at.secrets)}"
        where = f"[clouds.{at.cloud}]"
        raise Unavailable(
            f"{at}: libcloud's driver cannot be made with {where} as it is ({words}).", retry_after=RETRY,
        ) from None


def hidden(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The options' values that are secrets by what they are called."""
    found: list[str] = []
    for name, value in options.items():
        if isinstance(value, Mapping):
            found += hidden(value)
        elif isinstance(value, str) and SECRET.search(name):
            found.append(value)
    return tuple(found)


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
