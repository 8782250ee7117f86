"""What cannot be seen by looking at libcloud's CloudStack drivers, as data."""

from __future__ import annotations

from gcelib.drivers.profile import Profile

PROFILES: tuple[Profile, ...] = (
    Profile("cloudstack", "CloudStack", carried=True, family="cloudstack"),
    Profile("exoscale", "Exoscale", carried=True, family="cloudstack", endpoint="https://api.exoscale.com/compute"),
    Profile("ikoula", "Ikoula", carried=True, family="cloudstack", endpoint="https://cloudstack.ikoula.com/client/api"),
    Profile("aurora_compute", "Aurora Compute", carried=True, family="cloudstack",
            endpoint="https://api.auroracompute.eu/ams"),
    Profile(
        "ktucloud",
        "KT ucloud",
        why_not="its machines are sold as products of its own, which CloudStack's commands do not know",
    ),
)
