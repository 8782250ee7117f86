"""What a libcloud driver can do, found out by looking at its class, and how its calls are made."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from libcloud.compute.base import NodeDriver
from libcloud.compute.providers import DRIVERS, get_driver

from gcelib.drivers.profile import Profile
from gcelib.errors import Unsupported

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "start_node": ("ex_start_node", "ex_start", "ex_power_on_node"),
    "stop_node": ("ex_stop_node", "ex_stop", "ex_shutdown_node", "ex_power_off_node"),
    "resize_node": ("ex_resize_node", "ex_change_node_size", "ex_resize"),
    "rename_node": ("ex_rename_node", "ex_set_server_name", "ex_rename"),
    "suspend_node": ("ex_suspend_node", "ex_suspend"),
    "resume_node": ("ex_resume_node", "ex_resume"),
    "console": ("ex_get_console_output",),
    "get_node": ("ex_get_node_details", "ex_get_node", "ex_get_node_by_uuid"),
    "get_volume": ("ex_get_volume", "ex_volume_info", "ex_get_volume_by_id"),
    "resize_volume": ("ex_resize_volume", "ex_modify_volume"),
    "list_all_snapshots": ("list_snapshots", "ex_list_snapshots"),
    "destroy_volume_snapshot": ("delete_volume_snapshot",),
    "import_key_pair_from_string": ("ex_import_key_pair_from_string", "create_key_pair"),
}
"""What a call is also called where the base class's own name is not used; tried in this order after that."""

ONLY_WITH: Mapping[str, str] = {"create_key_pair": "public_key"}
"""A synonym that means something else unless it takes this argument."""

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "location": ("ex_availability_zone", "ex_location", "ex_zone", "region"),
    "user_data": ("ex_userdata", "ex_user_data", "ex_customdata", "ex_cloud_config"),
    "key_material": ("public_key",),
    "root_gb": ("ex_disk_size", "ex_boot_disk_size", "ex_disk_gb"),
}
"""What an argument is also called."""

OPEN = frozenset({inspect.Parameter.VAR_KEYWORD})


class Kind:
    """The class that a provider's driver objects really have. Importing it imports this one provider only."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.type = concrete(factory(profile), profile)

    def method(self, call: str) -> str:
        """The name under which the driver has this call; "" when it has it under none."""
        return next((name for name in (call, *SYNONYMS.get(call, ())) if self._has(name)), "")

    def has(self, *calls: str) -> bool:
        """Whether the driver has all of these calls."""
        return all(self.method(call) for call in calls)

    def argument(self, call: str, wanted: str) -> str:
        """The name of an argument of a call; "" when the call has none such."""
        known = self.parameters(call)
        own = next((name for name in (wanted, *ARGUMENTS.get(wanted, ())) if name in known), "")
        return own or (wanted if wanted in self._taken(call) else "")

    def parameters(self, call: str) -> Mapping[str, inspect.Parameter]:
        """The parameters of a call by name, without self; empty when the driver lacks it."""
        name = self.method(call)
        if not name:
            return {}
        found = inspect.signature(getattr(self.type, name)).parameters
        return {key: each for key, each in found.items() if key != "self" and each.kind not in OPEN}

    def _taken(self, call: str) -> Mapping[str, inspect.Parameter]:
        """What a call that takes anything by name takes under the names that the base class has for it."""
        base = getattr(NodeDriver, call, None)
        name = self.method(call)
        if base is None or not name:
            return {}
        open_ = any(each.kind in OPEN for each in inspect.signature(getattr(self.type, name)).parameters.values())
        return inspect.signature(base).parameters if open_ else {}

    def needed(self, call: str, given: Mapping[str, Any]) -> list[str]:
        """What a call insists on and is not among what is given: what its driver says, and what its profile says."""
        own = [
            name for name, each in self.parameters(call).items()
            if each.default is inspect.Parameter.empty and each.kind is not inspect.Parameter.VAR_POSITIONAL
        ]
        return [name for name in (*own, *self.profile.insists.get(call, ())) if name not in given]

    def call(self, driver: Any, call: str, *positional: Any, **wanted: Any) -> Any:
        """Make a call with those of the wanted arguments that it knows, under the names it knows them by.

        `positional` are the things it is about, which every driver takes first. Raises NotImplementedError for a
        call the driver has not, Unsupported for one that insists on more.
        """
        name = self.method(call)
        if not name:
            raise NotImplementedError(call)
        given = {found: value for key, value in wanted.items() if (found := self.argument(call, key))}
        extra = self.profile.arguments.get(call, {})
        given |= {key: value for key, value in extra.items() if key not in given}
        # Secrets that nobody is told: people log in with their keys.
        given |= {key: secrets.token_urlsafe(24) for key in self.profile.random.get(call, ()) if key not in given}
        lacking = self.needed(call, given)[len(positional):]
        if lacking:
            raise Unsupported(
                f"libcloud's driver insists on {', '.join(lacking)} for {name}, which GCE does not have; give it in "
                f"the configuration, under [clouds.NAME.options.arguments.{call}]."
            )
        return getattr(driver, name)(*positional, **given)

    def _has(self, name: str) -> bool:
        found = getattr(self.type, name, None)
        if found is None or name in self.profile.broken:
            return False
        if name in ONLY_WITH and ONLY_WITH[name] not in inspect.signature(found).parameters:
            return False
        base = getattr(NodeDriver, name, None)
        return found is not base and not is_empty(found)


def is_empty(function: Callable[..., Any]) -> bool:
    """Whether a method does nothing but say that it is not implemented."""
    if not isinstance(function, FunctionType):
        return False
    code = function.__code__
    return bool(code.co_names) and set(code.co_names) <= {"NotImplementedError"}


def factory(profile: Profile) -> Any:
    """What makes a provider's driver objects. Raises Unsupported when libcloud has dropped the provider."""
    try:
        return get_driver(profile.name)
    except Exception as exc:
        # libcloud says so with bare exceptions; what they say is for people.
        raise Unsupported(f"libcloud does not drive '{profile.name}': {exc}") from None


def concrete(found: Any, profile: Profile) -> type[NodeDriver]:
    """The class of a provider's driver objects: several providers' classes are factories of others."""
    if found.__new__ is object.__new__:
        own: type[NodeDriver] = found
        return own
    made = found.__new__(found, "", **{key: value for key, value in profile.options.items() if key == "api_version"})
    return type(made)


def registered() -> Iterator[str]:
    """The providers that were added to libcloud's own, by `libcloud.compute.providers.set_driver`."""
    return iter(DRIVERS)
