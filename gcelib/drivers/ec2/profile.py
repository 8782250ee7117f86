"""EC2 and the clouds that speak its API, as data."""

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
OLDER: Mapping[str, str] = {
    **LACKS, "firewalls": "the rules of its security groups have no ids and no tags",
}
"""What clouds lack that speak EC2's API as it was before 2021."""

PROFILES = (
    Profile("ec2", "Amazon EC2", carried=True, family="ec2", options={"signature_version": "4"}, lacks=LACKS),
    Profile("eucalyptus", "Eucalyptus", carried=True, family="ec2", lacks=OLDER,
            options={"signature_version": "2", "path": "/services/compute", "region": "eucalyptus"}),
    Profile("nimbus", "Nimbus", carried=True, family="ec2", options={"signature_version": "2", "region": "nimbus"},
            lacks={**OLDER, "addresses": "it has none", "tags": "it keeps none"}),
    Profile("outscale_sas", "Outscale SAS", carried=True, family="ec2", lacks=OLDER,
            options={"signature_version": "4", "region": "eu-west-2"}, endpoint="https://fcu.eu-west-2.outscale.com"),
    Profile("outscale_inc", "Outscale INC", carried=True, family="ec2", lacks=OLDER,
            options={"signature_version": "4", "region": "us-west-1"}, endpoint="https://fcu.us-west-1.outscale.com"),
)
