"""The rules for a machine's host name and user data."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from gcelib.simulator.call import Call
from gcelib.simulator.errors import invalid
from gcelib.simulator.hardware import Machine
from gcelib.simulator.places import Network

HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
LONGEST_BY_GET = 4096


def check_host_name(name: str) -> None:
    """Letters, digits and hyphens, at most 63, a letter first, no hyphen last. Raises ApiError 431."""
    if not HOST_NAME.fullmatch(name):
        raise invalid(
            f"Invalid name {name}: it can contain ASCII letters, digits and hyphens, must be 1 to 63 characters "
            "long, and can't start with a digit or a hyphen, or end with a hyphen"
        )


def check_free(name: str, networks: Iterable[Network], but: str = "") -> None:
    """Make sure that no other machine, destroyed ones and other tenants' included, has the name there.

    Raises ApiError 431.
    """
    for network in networks:
        holder = network.names.get(name.lower())
        if holder is not None and holder != but:
            raise invalid(f"The vm with hostName {name} already exists in the network domain: {network.domain}")


def take_name(machine: Machine) -> None:
    """Enter the machine's name in each of its networks."""
    for nic in machine.nics:
        nic.network.names[machine.name.lower()] = machine.id


def free_name(machine: Machine) -> None:
    """Strike the machine's name out of its networks."""
    for nic in machine.nics:
        if nic.network.names.get(machine.name.lower()) == machine.id:
            del nic.network.names[machine.name.lower()]


def rename(machine: Machine, name: str) -> None:
    """Give a machine another host name; the old one is free at once. Raises ApiError 431."""
    check_host_name(name)
    check_free(name, (nic.network for nic in machine.nics), but=machine.id)
    free_name(machine)
    machine.name = name
    take_name(machine)


def userdata(call: Call) -> str:
    """The call's user data, checked. Raises ApiError 431 when it is too long or not base64."""
    text = call.text("userdata")
    if not text:
        return ""
    limit = call.world.settings.userdata_limit
    if len(text) > (limit if call.post else min(limit, LONGEST_BY_GET)):
        raise invalid(f"User data is too long for a {'POST' if call.post else 'GET'} request: {len(text)} characters")
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise invalid("User data is not base64 encoded") from None
    return text
