"""A VPC beside the default one, through GCE's API: its machines, their tags, and the firewalls that are for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.drivers.ec2.client import named
from gcelib.drivers.ec2.cloud import Ec2
from tests.api import Api
from tests.backends.moto import Moto
from tests.live import Live

ZONE = "us-east-1d"
MACHINE = f"zones/{ZONE}/instances/in-shop"


@pytest.fixture(scope="module")
def cloud(moto: Moto) -> Iterator[Ec2]:
    """The driver, nothing remembered."""
    made = moto.cloud()
    yield made
    made.close()


@pytest.fixture(scope="module")
def vpc(cloud: Ec2) -> str:
    """A VPC called `shop` with a subnet `web`; the VPC's id."""
    tags = [named("vpc", "shop", "of a test")]
    made: str = cloud.client.change("CreateVpc", CidrBlock="10.9.0.0/16", TagSpecification=tags)["vpc"]["vpcId"]
    cloud.client.change("CreateSubnet", VpcId=made, CidrBlock="10.9.1.0/24", AvailabilityZone=ZONE,
                        TagSpecification=[named("subnet", "web", "of a test")])  # fmt: skip
    return made


@pytest.fixture
def api(ec2_live: Live, vpc: str) -> Api:
    """A checked client, an admin of project demo."""
    return ec2_live.api()


def groups(cloud: Ec2) -> dict[str, str]:
    """The VPC of every security group, by its name."""
    return {row["groupName"]: row["vpcId"] for row in cloud.client.list("DescribeSecurityGroups", "securityGroupInfo")}


def test_a_machine_of_a_vpc_is_guarded_by_groups_of_that_vpc(api: Api, cloud: Ec2, vpc: str) -> None:
    shown = api.get("regions/us-east/subnetworks/web")
    assert (shown["ipCidrRange"], shown["network"].rpartition("/")[2]) == ("10.9.1.0/24", "shop")
    api.change("POST", f"zones/{ZONE}/instances", {
        "name": "in-shop", "machineType": f"zones/{ZONE}/machineTypes/t3-micro", "tags": {"items": ["front"]},
        "networkInterfaces": [{"subnetwork": "regions/us-east/subnetworks/web", "networkIP": "10.9.1.55"}],
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {
            "sourceImage": "global/images/debian-12-amd64"}}],
    })  # fmt: skip
    nic = api.get(MACHINE)["networkInterfaces"][0]
    assert (nic["network"].rpartition("/")[2], nic["subnetwork"].rpartition("/")[2]) == ("shop", "web")
    assert nic["networkIP"] == "10.9.1.55"
    wall = {"name": "shop-web", "network": "global/networks/shop", "targetTags": ["front"], "sourceTags": ["back"],
            "allowed": [{"IPProtocol": "tcp", "ports": ["80"]}]}
    api.change("POST", "global/firewalls", wall)
    assert api.get("global/firewalls/shop-web")["network"].endswith("/networks/shop")
    tags = api.get(MACHINE)["tags"]
    api.change("POST", f"{MACHINE}/setTags", {"items": ["back", "front"], "fingerprint": tags["fingerprint"]})
    effective = api.get(f"{MACHINE}/getEffectiveFirewalls", networkInterface="nic0")
    assert "shop-web" in [each["name"] for each in effective["firewalls"]]
    found = groups(cloud)
    assert {name: found[name] for name in found if name.startswith("gcelib:shop")} == dict.fromkeys(
        ("gcelib:shop", "gcelib:shop:tag:front", "gcelib:shop:tag:back"), vpc)
    api.change("DELETE", "global/firewalls/shop-web")
    api.change("DELETE", MACHINE)


def test_a_group_made_elsewhere_is_a_firewall_of_its_own_network(api: Api, cloud: Ec2, vpc: str) -> None:
    made = cloud.client.change("CreateSecurityGroup", GroupName="by-hand", GroupDescription="x", VpcId=vpc)["groupId"]
    allow = [{"IpProtocol": "tcp", "FromPort": 25, "ToPort": 25, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]
    cloud.client.change("AuthorizeSecurityGroupIngress", GroupId=made, IpPermissions=allow)
    # A list is remembered for seconds; nobody told this one.
    api.change("POST", "regions/us-east/addresses", {"name": "any"})
    name = f"by-hand-of-{vpc}"
    shown = api.get(f"global/firewalls/{name}")
    assert (shown["network"].rpartition("/")[2], shown["sourceRanges"]) == ("shop", ["192.0.2.0/24"])
    assert "made outside gcelib" in shown["description"]
    assert api.call("DELETE", f"global/firewalls/{name}").status == 400
    api.change("DELETE", "regions/us-east/addresses/any")
    cloud.client.change("DeleteSecurityGroup", GroupId=made)


def test_an_address_that_a_gateway_has_is_in_use_and_stays_its_own(api: Api, cloud: Ec2, vpc: str) -> None:
    api.change("POST", "regions/us-east/addresses", {"name": "of-a-gateway"})
    ip = api.get("regions/us-east/addresses/of-a-gateway")["address"]
    subnet = next(row["subnetId"] for row in cloud.client.list("DescribeSubnets", "subnetSet") if row["vpcId"] == vpc)
    # A gateway has its address by an interface of its own, as balancers have.
    door = cloud.client.change("CreateNetworkInterface", SubnetId=subnet)["networkInterface"]["networkInterfaceId"]
    address = next(row for row in cloud.client.list("DescribeAddresses", "addressesSet") if row["publicIp"] == ip)
    held = cloud.client.change("AssociateAddress", AllocationId=address["allocationId"], NetworkInterfaceId=door)
    # A list is remembered for seconds; nobody told this one.
    api.change("POST", "regions/us-east/addresses", {"name": "another"})
    assert api.get("regions/us-east/addresses/of-a-gateway")["status"] == "IN_USE"
    refused = api.call("DELETE", "regions/us-east/addresses/of-a-gateway")
    assert (refused.status, refused.reason) == (400, "resourceInUseByAnotherResource")
    assert door in refused.message
    cloud.client.change("DisassociateAddress", AssociationId=held["associationId"])
    api.change("DELETE", "regions/us-east/addresses/another")
    api.change("DELETE", "regions/us-east/addresses/of-a-gateway")


def test_a_subnet_is_in_one_zone_and_its_machines_are_too(api: Api) -> None:
    answer = api.call("POST", "zones/us-east-1a/instances", {
        "name": "elsewhere", "machineType": "zones/us-east-1a/machineTypes/t3-micro",
        "networkInterfaces": [{"subnetwork": "regions/us-east/subnetworks/web"}],
        "disks": [{"boot": True, "initializeParams": {"sourceImage": "global/images/debian-12-amd64"}}],
    })  # fmt: skip
    assert (answer.status, answer.reason) == (404, "notFound")
    assert "not in zone 'us-east-1a'" in answer.message


def test_vpcs_and_subnets_are_used_and_neither_made_nor_deleted(api: Api) -> None:
    body = {"name": "more", "network": "global/networks/shop", "ipCidrRange": "10.9.2.0/24"}
    for answer in (
        api.call("POST", "global/networks", {"name": "mine", "autoCreateSubnetworks": False}),
        api.call("POST", "regions/us-east/subnetworks", body),
    ):
        assert (answer.status, answer.reason) == (400, "unsupportedOperation")
        assert "gcelib makes no subnets" in answer.message
    for path in ("regions/us-east/subnetworks/web", "global/networks/default"):
        refused = api.call("DELETE", path)
        assert (refused.status, refused.reason) == (400, "badRequest")


def test_a_public_address_may_be_of_ec2s_own_choice(
    moto: Moto, cloud: Ec2, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("automatic")
    before = cloud.client.list("DescribeAddresses", "addressesSet")
    clouds = moto.clouds(options='public_addresses = "automatic"')
    server = Live(home, moto.url, "", "", clouds=clouds).start()
    api = server.api()
    for name, configs in (("with", [{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}]), ("without", [])):
        api.change("POST", f"zones/{ZONE}/instances", {
            "name": name, "machineType": f"zones/{ZONE}/machineTypes/t3-micro",
            "networkInterfaces": [{"network": "global/networks/default", "accessConfigs": configs}],
            "disks": [{"boot": True, "autoDelete": True, "initializeParams": {
                "sourceImage": "global/images/debian-12-amd64"}}],
        })  # fmt: skip
    shown = {row["name"]: row["networkInterfaces"][0] for row in api.get(f"zones/{ZONE}/instances")["items"]}
    assert shown["with"]["accessConfigs"][0]["natIP"]
    assert "accessConfigs" not in shown["without"]
    # No elastic IP was taken for it.
    assert cloud.client.list("DescribeAddresses", "addressesSet") == before
    refused = api.call("POST", f"zones/{ZONE}/instances/with/deleteAccessConfig", accessConfig="External NAT",
                       networkInterface="nic0")
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    for name in ("with", "without"):
        api.change("DELETE", f"zones/{ZONE}/instances/{name}")
    assert server.stop() == 0
