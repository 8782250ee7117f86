"""OpenStack among libcloud's compute providers, as data."""

from __future__ import annotations

from gcelib.drivers.profile import Profile

NO_BALANCERS = "libcloud has no driver of OpenStack's load balancing (Octavia)"

PROFILES = (
    Profile(
        "openstack", "OpenStack", carried=True, family="openstack", endpoint_as="ex_force_auth_url",
        options={"api_version": "2.2", "ex_force_auth_version": "3.x_password", "ex_domain_name": "Default"},
        lacks={
            "balancers": NO_BALANCERS,
            "vpcs": "OpenStack joins networks by routers and has no private clouds with tiers",
            "routes": "OpenStack's static routes belong to routers, which GCE does not show",
            "guards": "OpenStack guards machines by security groups, not by rules on addresses",
            "acls": "OpenStack guards machines by security groups, not by access lists",
            "images.register": "OpenStack does not fetch image files for its users everywhere; upload it with "
            "OpenStack's own client",
            "volumes.outlive": "OpenStack is told when a machine is made whether a disk goes with it, and never again",
            "nodes.set_user_data": "OpenStack gives a machine its user data when it is made, and never again",
        },
    ),
)
