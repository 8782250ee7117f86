"""EC2 as data: what its API, or gcelib on it, lacks."""

from __future__ import annotations

from collections.abc import Mapping

from gcelib.drivers.profile import Profile

LACKS: Mapping[str, str] = {
    "balancers": "EC2's API has none: load balancers are a service of their own",
    "guards": "security groups guard its machines",
    "acls": "security groups guard its machines",
    "routes": "gcelib does not write the route tables of VPCs",
    "vpcs.types": "gcelib makes no VPCs; those that are there are used",
    "vpcs.create": "gcelib makes no VPCs; those that are there are used",
    "vpcs.destroy": "gcelib deletes no VPCs",
    "networks.create": "gcelib makes no subnets; those that are there are used",
    "networks.destroy": "gcelib deletes no subnets",
    "nodes.add_nic": "gcelib makes machines with one interface there",
    "nodes.remove_nic": "gcelib makes machines with one interface there",
    "images.register": "EC2's API fetches no files: import a snapshot there, and make the image of it",
}

PROFILES = (
    Profile("ec2", "Amazon EC2", carried=True, family="ec2", options={"signature_version": "4"}, lacks=LACKS),
)
