"""What introspection cannot see about providers that have no package of their own, as data."""

from __future__ import annotations

from gcelib.drivers.profile import Profile

PROFILES = (
    Profile("dummy", "Dummy", carried=True, one_driver=True, keeps_names=False),
    Profile("libvirt", "Libvirt", carried=True, one_driver=True, off_is_terminated=True, endpoint_as="uri"),
)
