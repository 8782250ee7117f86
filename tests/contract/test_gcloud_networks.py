"""gcloud's commands for networks, subnetworks, routes, and firewalls in isolated networks."""

from __future__ import annotations

import pytest

from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live

REGION = "--region=de"


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, plain: Live) -> Gcloud:
    """Signed in with a key file."""
    made = gcloud_for(plain)
    made.activate()
    return made


def modes(gcloud: Gcloud) -> dict[str, str]:
    """Network -> what gcloud calls its mode."""
    said = gcloud.compute("networks", "list", "--format=csv[no-heading](name,x_gcloud_subnet_mode)").out
    return dict(line.split(",") for line in said.split())


def test_networks_read_back_in_the_mode_they_were_made_in(gcloud: Gcloud) -> None:
    gcloud.compute("networks", "create", "by-itself")
    gcloud.compute("networks", "create", "by-hand", "--subnet-mode=custom", "--description=Mine")
    assert {name: mode for name, mode in modes(gcloud).items() if name.startswith("by-")} == {
        "by-itself": "AUTO", "by-hand": "CUSTOM"}
    described = gcloud.compute("networks", "describe", "by-hand", "--format=value(description)")
    assert described.out.strip() == "Mine"
    gcloud.compute("networks", "update", "by-hand", "--bgp-routing-mode=regional")
    assert "resource.routingConfig" in gcloud.refused("networks", "update", "by-hand", "--bgp-routing-mode=global")
    gcloud.compute("networks", "get-effective-firewalls", "by-hand")
    for name in ("by-itself", "by-hand"):
        gcloud.compute("networks", "delete", name)
    assert not {"by-itself", "by-hand"} & set(modes(gcloud))


def test_subnetworks_and_routes_of_a_private_cloud(gcloud: Gcloud) -> None:
    gcloud.compute("networks", "create", "private", "--subnet-mode=custom")
    gcloud.compute("networks", "subnets", "create", "front", "--network=private", "--range=10.5.1.0/24", REGION)
    listed = gcloud.compute("networks", "subnets", "list", "--network=private",
                            "--format=csv[no-heading](name,region.basename(),ipCidrRange)")
    assert listed.out.split() == ["front,de,10.5.1.0/24"]
    gcloud.compute("networks", "subnets", "describe", "front", REGION)
    usable = gcloud.compute("networks", "subnets", "list-usable", "--format=value(ipCidrRange)")
    assert "10.5.1.0/24" in usable.out
    said = gcloud.refused("networks", "subnets", "expand-ip-range", "front", REGION, "--prefix-length=20")
    assert "expandIpCidrRange" in said
    said = gcloud.refused("networks", "subnets", "update", "front", REGION, "--enable-private-ip-google-access")
    assert "privateIpGoogleAccess" in said
    gcloud.compute("networks", "subnets", "update", "front", REGION, "--no-enable-private-ip-google-access")
    route = ["--network=private", "--destination-range=192.168.0.0/24", "--next-hop-address=10.5.1.9"]
    gcloud.compute("routes", "create", "far", *route)
    listed = gcloud.compute("routes", "list", "--filter=name=far",
                            "--format=csv[no-heading](name,network.basename(),destRange,nextHopIp,priority)")
    assert listed.out.split() == ["far,private,192.168.0.0/24,10.5.1.9,1000"]
    gcloud.compute("routes", "describe", "far")
    gcloud.compute("routes", "delete", "far")
    assert "being used by" in gcloud.refused("networks", "delete", "private")
    gcloud.compute("networks", "subnets", "delete", "front", REGION)
    gcloud.compute("networks", "delete", "private")


def test_firewall_rules_of_an_isolated_network(gcloud: Gcloud) -> None:
    gcloud.compute("firewall-rules", "create", "web", "--network=demo-network", "--allow=tcp:80,icmp",
                   "--source-ranges=10.0.0.0/8", "--target-tags=web", "--disabled")
    gcloud.compute("firewall-rules", "update", "web", "--allow=tcp:443", "--no-disabled")
    gcloud.compute("firewall-rules", "create", "out", "--network=demo-network", "--direction=EGRESS", "--action=allow",
                   "--rules=udp:53", "--destination-ranges=9.9.9.9/32")
    listed = gcloud.compute("firewall-rules", "list", "--filter=network:demo-network", "--sort-by=name",
                            "--format=csv[no-heading](name,direction,disabled,allowed[0].IPProtocol,allowed[0].ports)")
    assert listed.out.split() == ["out,EGRESS,False,udp,53", "web,INGRESS,False,tcp,443"]
    said = gcloud.refused("firewall-rules", "create", "no", "--network=demo-network", "--action=deny", "--rules=tcp")
    assert "resource.denied" in said
    gcloud.compute("firewall-rules", "delete", "web", "out")
