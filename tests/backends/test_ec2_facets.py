"""What the driver does on EC2 that GCE's API alone does not show: tags, groups, adoption by key, regions, pages."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from gcelib.drivers.ec2.client import named
from gcelib.drivers.ec2.cloud import Ec2
from gcelib.drivers.ec2.offers import OF_IMAGE
from gcelib.errors import InUse, NotFound, NotReady, Refused, Uncertain, Unsupported
from gcelib.models import Job, JobState, NodeState
from tests.backends.moto import DEBIAN, Moto
from tests.faults.between import Answer, Between

ZONE = "us-east-1b"


@pytest.fixture(scope="module")
def cloud(moto: Moto) -> Iterator[Ec2]:
    """The driver, nothing remembered."""
    made = moto.cloud()
    yield made
    made.close()


def key() -> str:
    """A change's."""
    return str(uuid.uuid4())


def facet(cloud: Ec2, name: str) -> Any:
    """One of its facets."""
    return getattr(cloud, name)


def carried(cloud: Ec2, owner: str, verb: str, key: str = "", /, **args: Any) -> Job:
    """A change, sent and waited for."""
    job = cloud.submit(owner, verb, args, key or str(uuid.uuid4()))
    deadline = time.monotonic() + 20
    while job.state is JobState.RUNNING:
        assert time.monotonic() < deadline, job
        job = cloud.poll(job)
    assert job.state is JobState.DONE, job
    return job


def machine(cloud: Ec2, name: str, **args: Any) -> str:
    """A machine of this name in the zone's default network; its id."""
    image = next(each for each in facet(cloud, "images").list() if each.name == "debian-12-amd64")
    network = next(each for each in facet(cloud, "networks").list() if each.zone_id == ZONE and each.default)
    wanted = {"zone_id": ZONE, "size_id": "t3.micro", "image_id": image.id, "network_ids": [network.id], **args}
    return carried(cloud, "nodes", "create", name=name, **wanted).target


def test_a_machine_has_its_name_and_its_disk_has_it_too(cloud: Ec2) -> None:
    id = machine(cloud, "named", root_gb=33, keep_root=True)
    node = next(each for each in facet(cloud, "nodes").find("NAMED"))
    assert (node.id, node.state, node.zone_id, node.size_id) == (id, NodeState.RUNNING, ZONE, "t3.micro")
    disk = next(each for each in facet(cloud, "volumes").list() if each.node_id == id)
    assert (disk.name, disk.size_gb, disk.boot, disk.dies) == ("named", 33, True, False)
    carried(cloud, "volumes", "outlive", id=disk.id, node_id=id, on=False)
    assert next(each for each in facet(cloud, "volumes").list() if each.id == disk.id).dies
    carried(cloud, "nodes", "destroy", id=id)
    assert not facet(cloud, "nodes").find("named")
    assert all(each.id != disk.id for each in facet(cloud, "volumes").list())


def test_what_was_made_is_found_again_by_the_key_of_its_change(cloud: Ec2) -> None:
    for name, verb, args, undo in (
        ("volumes", "create", {"name": "twin", "zone_id": ZONE, "size_gb": 8}, "destroy"),
        ("addresses", "acquire", {"zone_id": ZONE, "network_id": "any"}, "release"),
        ("firewalls", "create_group", {"name": "gcelib:default:tag:twin"}, "destroy_group"),
    ):
        first, second = key(), key()
        assert cloud.seek(name, verb, args, first) is None
        made = carried(cloud, name, verb, first, **args)
        again = cloud.seek(name, verb, args, first)
        assert again is not None
        assert again.target == made.target
        # A twin made by hand, or by another change, is not taken for it.
        assert cloud.seek(name, verb, args, second) is None
        carried(cloud, name, undo, id=made.target)


def test_a_group_that_is_there_is_as_good_as_a_new_one(cloud: Ec2) -> None:
    first = carried(cloud, "firewalls", "create_group", name="gcelib:default:tag:once").target
    assert carried(cloud, "firewalls", "create_group", name="gcelib:default:tag:once").target == first
    carried(cloud, "firewalls", "destroy_group", id=first)
    carried(cloud, "firewalls", "destroy_group", id=first)


def test_rules_are_made_once_and_shared_ones_stay_for_the_other(cloud: Ec2) -> None:
    group = carried(cloud, "firewalls", "create_group", name="gcelib:default:tag:rules").target
    wanted = {"group_id": group, "direction": "ingress", "protocol": "tcp", "first_port": 80, "last_port": 81}
    own = ["gcelib:default:tag:rules"]
    made = carried(cloud, "firewalls", "allow", **wanted, cidrs=["10.0.0.0/8"], group_names=own)
    assert made.result["made_ids"] == made.result["rule_ids"]
    more = carried(cloud, "firewalls", "allow", **wanted, cidrs=["10.0.0.0/8", "::/0"])
    assert more.result["rule_ids"][0] == made.result["rule_ids"][0]  # type: ignore[index]
    assert len(more.result["made_ids"]) == 1  # type: ignore[arg-type]
    shared = made.result["rule_ids"][0]  # type: ignore[index]
    for firewall in ("a", "b"):
        carried(cloud, "tags", "set", kind="rule", ids=[shared], tags={f"gcelib-fw-{firewall}": "1"})
    found = next(each for each in facet(cloud, "firewalls").list() if each.id == group)
    told = {(rule.protocol, rule.first_port, rule.last_port, rule.cidr or rule.group_name) for rule in found.rules
            if rule.direction == "ingress"}  # fmt: skip
    assert told == {("tcp", 80, 81, each) for each in ("10.0.0.0/8", "::/0", "gcelib:default:tag:rules")}
    for firewall, left in (("a", 1), ("b", 0)):
        carried(cloud, "firewalls", "revoke", direction="ingress", rule_ids=[shared], claim=f"gcelib-fw-{firewall}",
                claims="gcelib-fw-")
        found = next(each for each in facet(cloud, "firewalls").list() if each.id == group)
        assert [rule.id for rule in found.rules].count(shared) == left


def refusing(code: str) -> bytes:
    """EC2's refusal with this code."""
    return f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>".encode()


def test_groups_and_rules_are_done_when_they_can_be_seen(moto: Moto) -> None:
    between, late = Between(moto.url), ""

    def lie(asked: str, answer: Answer) -> Answer:
        if asked != late:
            return answer
        if asked == "DescribeSecurityGroups":
            return 400, {}, refusing("InvalidGroup.NotFound")
        told = f"<{asked}Response><securityGroupRuleSet/></{asked}Response>"
        return 200, {}, told.encode()

    between.lie = lie
    cloud = moto.cloud(endpoint=between.url)
    late = "DescribeSecurityGroups"
    name, wanted = "gcelib:default:tag:late", {"direction": "ingress", "protocol": "tcp", "cidrs": ["192.0.2.0/24"]}
    job = cloud.submit("firewalls", "create_group", {"name": name}, key())
    assert job.state is cloud.poll(job).state is JobState.RUNNING
    late = "DescribeSecurityGroupRules"
    assert cloud.poll(job).state is JobState.DONE
    wanted["group_id"] = job.target
    job = cloud.submit("firewalls", "allow", wanted, key())
    assert job.state is cloud.poll(job).state is JobState.RUNNING
    # Somebody else's, which cannot be seen yet either.
    again = cloud.submit("firewalls", "allow", wanted, key())
    assert again.state is JobState.RUNNING
    late = ""
    made, there = cloud.poll(job).result, cloud.poll(again).result
    assert (len(made["made_ids"]), there["made_ids"]) == (1, [])  # type: ignore[arg-type]
    assert made["rule_ids"] == there["rule_ids"] == made["made_ids"]
    carried(cloud, "firewalls", "destroy_group", id=str(wanted["group_id"]))
    cloud.close()
    between.close()


def test_what_ec2_does_not_know_yet_is_tagged_when_it_does(moto: Moto) -> None:
    between, known = Between(moto.url), False
    between.lie = lambda asked, answer: (
        (400, {}, refusing("InvalidSnapshot.NotFound")) if asked == "CreateTags" and not known else
        (200, {}, b"<DescribeTagsResponse><tagSet/></DescribeTagsResponse>") if asked == "DescribeTags" else answer)
    cloud = moto.cloud(endpoint=between.url)
    disk = carried(cloud, "volumes", "create", name="young", zone_id=ZONE, size_gb=1).target
    copy = carried(cloud, "snapshots", "create", name="young", volume_id=disk).target
    job = cloud.submit("tags", "set", {"kind": "snapshot", "ids": [copy], "tags": {"team": "blue"}}, key())
    assert job.state is cloud.poll(job).state is JobState.RUNNING
    with pytest.raises(NotFound):
        cloud.submit("tags", "set", {"kind": "rule", "ids": ["sgr-1"], "tags": {"team": "blue"}}, key())
    known = True
    assert cloud.poll(job).state is JobState.DONE
    assert next(each.tags["team"] for each in facet(cloud, "snapshots").list() if each.id == copy) == "blue"
    carried(cloud, "snapshots", "destroy", id=copy)
    carried(cloud, "volumes", "destroy", id=disk)
    cloud.close()
    between.close()


def test_a_rule_is_the_one_that_was_made_whatever_ec2_calls_its_protocol(moto: Moto) -> None:
    between = Between(moto.url)
    # Moto keeps the number; EC2 has a name for it, and tells ports of its own where it minds none.
    between.lie = lambda asked, answer: (*answer[:2], answer[2].replace(b">58<", b">icmpv6<").replace(
        b"<ipProtocol>50</ipProtocol><fromPort>-1<", b"<ipProtocol>50</ipProtocol><fromPort>0<"))
    cloud = moto.cloud(endpoint=between.url)
    group = carried(cloud, "firewalls", "create_group", name="gcelib:default:tag:six").target
    for protocol in ("58", "50"):
        args = {"group_id": group, "direction": "ingress", "protocol": protocol, "cidrs": ["2001:db8::/32"]}
        first = carried(cloud, "firewalls", "allow", **args).result
        again = carried(cloud, "firewalls", "allow", **args).result
        assert (first["made_ids"], again["made_ids"]) == (first["rule_ids"], [])
        assert again["rule_ids"] == first["rule_ids"] != [""]
    found = next(each for each in facet(cloud, "firewalls").list() if each.id == group)
    assert {rule.protocol for rule in found.rules if rule.direction == "ingress"} == {"58", "50"}
    carried(cloud, "firewalls", "destroy_group", id=group)
    cloud.close()
    between.close()


def test_every_kind_of_rule_reads_back_as_it_was_made(cloud: Ec2) -> None:
    group = carried(cloud, "firewalls", "create_group", name="gcelib:default:tag:kinds").target
    for protocol in ("icmp", "all", "50", "udp"):
        args = {"group_id": group, "direction": "ingress", "protocol": protocol, "cidrs": ["192.0.2.0/24"]}
        first = carried(cloud, "firewalls", "allow", **args).result["rule_ids"]
        again = carried(cloud, "firewalls", "allow", **args).result
        assert (again["rule_ids"], again["made_ids"]) == (first, [])
    found = next(each for each in facet(cloud, "firewalls").list() if each.id == group)
    assert {rule.protocol for rule in found.rules if rule.direction == "ingress"} == {"icmp", "all", "50", "udp"}


def test_a_running_machine_changes_its_groups(cloud: Ec2) -> None:
    groups = [carried(cloud, "firewalls", "create_group", name=f"gcelib:default:tag:g{n}").target for n in range(3)]
    id = machine(cloud, "grouped", group_ids=groups[:2])
    carried(cloud, "nodes", "regroup", id=id, group_ids=groups[1:])
    assert set(facet(cloud, "nodes").find("grouped")[0].group_ids) == set(groups[1:])
    carried(cloud, "nodes", "destroy", id=id)


def test_an_image_of_a_disk_is_registered_once_and_takes_its_copy_along(cloud: Ec2) -> None:
    id = machine(cloud, "imaged")
    carried(cloud, "nodes", "stop", id=id)
    disk = next(each for each in facet(cloud, "volumes").list() if each.node_id == id)
    before = {each.id for each in facet(cloud, "snapshots").list()}
    made = carried(cloud, "images", "create", name="my-image", description="of a disk", volume_id=disk.id)
    found = [each for each in facet(cloud, "images").list() if each.name == "my-image"]
    assert [(each.id, each.own, each.description) for each in found] == [(made.target, True, "of a disk")]
    # Moto keeps a snapshot of its own for every image; the one made for this image is not shown beside it.
    assert all(not each.tags for each in facet(cloud, "snapshots").list() if each.id not in before)
    carried(cloud, "images", "destroy", id=made.target)
    carried(cloud, "images", "destroy", id=made.target)
    assert all(each.name != "my-image" for each in facet(cloud, "images").list())
    carried(cloud, "nodes", "destroy", id=id)


def test_disks_take_the_device_names_that_are_free(cloud: Ec2) -> None:
    id = machine(cloud, "full")
    disks = [carried(cloud, "volumes", "create", name=f"d{n}", zone_id=ZONE, size_gb=1).target for n in range(3)]
    for disk in disks:
        carried(cloud, "volumes", "attach", id=disk, node_id=id)
    devices = {each.device for each in facet(cloud, "volumes").list() if each.node_id == id}
    assert len(devices) == 4
    with pytest.raises(InUse):
        carried(cloud, "volumes", "destroy", id=disks[0])
    carried(cloud, "volumes", "detach", id=disks[0])
    carried(cloud, "volumes", "detach", id=disks[0])
    carried(cloud, "nodes", "destroy", id=id, volume_ids=disks[1:2])
    left = {each.id for each in facet(cloud, "volumes").list()}
    assert (disks[0] in left, disks[2] in left) == (True, True)


def test_a_protected_machine_is_not_terminated(cloud: Ec2) -> None:
    id = machine(cloud, "guarded")
    carried(cloud, "nodes", "protect", id=id, on=True)
    assert facet(cloud, "nodes").find("guarded")[0].delete_protected
    with pytest.raises(Refused, match="OperationNotPermitted"):
        cloud.submit("nodes", "destroy", {"id": id}, key())
    carried(cloud, "nodes", "protect", id=id, on=False)
    carried(cloud, "nodes", "destroy", id=id)


def test_user_data_changes_only_while_a_machine_is_stopped(cloud: Ec2) -> None:
    id = machine(cloud, "booted", user_data="IyEvYmluL3NoCg==")
    with pytest.raises(NotReady, match="while it is stopped"):
        cloud.submit("nodes", "set_user_data", {"id": id, "user_data": "aGVsbG8="}, key())
    carried(cloud, "nodes", "stop", id=id)
    carried(cloud, "nodes", "set_user_data", id=id, user_data="aGVsbG8=")
    carried(cloud, "nodes", "destroy", id=id)


def copies(cloud: Ec2, image: str) -> list[Any]:
    """The snapshots that were made for an image of this name."""
    wanted = [{"Name": f"tag:{OF_IMAGE}", "Value": [image]}]
    return [*cloud.client.list("DescribeSnapshots", "snapshotSet", Owner=["self"], Filter=wanted)]


def test_an_image_whose_deletion_was_not_answered_leaves_no_copy(moto: Moto, cloud: Ec2) -> None:
    disk = carried(cloud, "volumes", "create", name="shot", zone_id=ZONE, size_gb=1).target
    id = carried(cloud, "images", "create", name="unanswered", volume_id=disk).target
    assert len(copies(cloud, "unanswered")) == 1
    between, mine = Between(moto.url), key()
    between.lie = lambda asked, answer: (200, {}, b"") if asked == "DeregisterImage" else answer
    lied = moto.cloud(endpoint=between.url)
    with pytest.raises(Uncertain):
        lied.submit("images", "destroy", {"id": id}, mine)
    assert lied.seek("images", "destroy", {"id": id}, mine) is None
    carried(lied, "images", "destroy", mine, id=id)
    assert copies(cloud, "unanswered") == []
    assert cloud.seek("images", "destroy", {"id": id}, mine) is not None
    lied.close()
    between.close()
    carried(cloud, "volumes", "destroy", id=disk)


def test_an_image_that_is_refused_leaves_no_copy(moto: Moto, cloud: Ec2) -> None:
    disk = carried(cloud, "volumes", "create", name="short", zone_id=ZONE, size_gb=1).target
    between = Between(moto.url)
    told = refusing("InvalidAMIName.Malformed")
    between.lie = lambda asked, answer: (400, {}, told) if asked == "RegisterImage" else answer
    lied = moto.cloud(endpoint=between.url)
    job = lied.submit("images", "create", {"name": "ab", "volume_id": disk}, key())
    assert len(copies(cloud, "ab")) == 1
    job = lied.poll(job)
    assert job.state is JobState.FAILED
    assert "InvalidAMIName.Malformed" in str(job.error)
    assert copies(cloud, "ab") == []
    lied.close()
    between.close()
    # Moto had taken it.
    carried(cloud, "images", "destroy", id=next(each.id for each in facet(cloud, "images").list() if each.name == "ab"))
    carried(cloud, "volumes", "destroy", id=disk)


def test_what_is_not_there_is_told_by_name(cloud: Ec2) -> None:
    with pytest.raises(NotFound, match="i-00000000"):
        cloud.submit("nodes", "stop", {"id": "i-00000000"}, key())
    with pytest.raises(NotFound, match="vol-00000000"):
        cloud.submit("volumes", "detach", {"id": "vol-00000000"}, key())
    carried(cloud, "volumes", "destroy", id="vol-00000000")
    carried(cloud, "addresses", "release", id="eipalloc-00000000")


def test_images_are_those_of_the_owners_that_are_named(moto: Moto) -> None:
    def names(**options: Any) -> set[str]:
        made = moto.cloud(**options)
        found = {each.name for each in facet(made, "images").list()}
        made.close()
        return found

    assert names(image_owners=["self"]) == set()
    assert names(image_owners=["self", DEBIAN]) == {"debian-12-amd64"}
    assert names(image_owners=["amazon"], image_names=["Windows*"]) == {"Windows_Server-2022"}
    assert names(image_owners=["self"], image_ids=["ami-windows"]) == {"Windows_Server-2022"}
    # One that was deregistered since leaves the others as they are.
    assert names(image_owners=["self", DEBIAN], image_ids=["ami-0a0b0c0d0e0f01234"]) == {"debian-12-amd64"}


def test_a_region_that_libcloud_does_not_know(moto: Moto) -> None:
    made = moto.cloud("mx-central-1")
    assert [each.name for each in facet(made, "zones").list()] == [f"mx-central-1{letter}" for letter in "abc"]
    assert len([each for each in facet(made, "networks").list() if each.default]) == 3
    assert facet(made, "nodes").list() == []
    made.close()


def test_long_lists_come_page_by_page(moto: Moto) -> None:
    made = moto.cloud("eu-west-3")
    image = next(each for each in facet(made, "images").list() if each.name == "debian-12-amd64")
    for _ in range(3):
        made.client.change("RunInstances", ImageId=image.id, InstanceType="t3.micro", MinCount=40, MaxCount=40)
    assert len(facet(made, "nodes").list()) == 120
    made.close()


def test_quotas_are_those_the_account_is_told(cloud: Ec2) -> None:
    assert {each.metric for each in facet(cloud, "quotas").list()} == {"INSTANCES", "STATIC_ADDRESSES"}


def test_whose_keys_they_are(cloud: Ec2) -> None:
    assert cloud.holder().id == "123456789012"


def test_keys_of_nobody_are_nobodys(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    made = moto.cloud()
    monkeypatch.setattr(made.client, "list", lambda *told, **more: [{"ownerId": "1"}, {"ownerId": "2"}])
    with pytest.raises(Unsupported, match="whose keys"):
        made.holder()
    made.close()


def test_a_vpc_beside_the_default_one_is_a_network_with_subnetworks(moto: Moto) -> None:
    made = moto.cloud("eu-north-1")
    tags = [named("vpc", "shop", key())]
    vpc = made.client.change("CreateVpc", CidrBlock="10.9.0.0/16", TagSpecification=tags)["vpc"]
    subnet = made.client.change("CreateSubnet", VpcId=vpc["vpcId"], CidrBlock="10.9.1.0/24",
                                AvailabilityZone="eu-north-1b")["subnet"]  # fmt: skip
    assert [(each.id, each.name, each.cidr) for each in facet(made, "vpcs").list()] == [
        (vpc["vpcId"], "shop", "10.9.0.0/16")]
    found = next(each for each in facet(made, "networks").list() if each.id == subnet["subnetId"])
    assert (found.zone_id, found.cidr, found.vpc_id, found.vpc_name, found.default) == (
        "eu-north-1b", "10.9.1.0/24", vpc["vpcId"], "shop", False)
    group = carried(made, "firewalls", "create_group", name="gcelib:shop", network_id=found.id).target
    assert made.client.ask("DescribeSecurityGroups", GroupId=[group])["securityGroupInfo"][0]["vpcId"] == vpc["vpcId"]
    # Each VPC has a group called "default": names tell them apart.
    names = [each.name for each in facet(made, "firewalls").list()]
    assert sorted(names) == ["default", f"default of {vpc['vpcId']}", "gcelib:shop"]
    made.close()
    # A VPC may be the one whose subnets are the zones' networks.
    other = moto.cloud("eu-north-1", vpc=vpc["vpcId"])
    assert [each.id for each in facet(other, "networks").list() if each.default] == [found.id]
    other.close()


def test_a_cloud_that_takes_no_tags_with_a_request_is_told_them_after_it(
    moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = moto.cloud()
    change = made.client.change

    def older(action: str, **params: Any) -> Any:
        params.pop("TagSpecification", None)
        return change(action, **params)

    monkeypatch.setattr(made.client, "change", older)
    id = carried(made, "volumes", "create", name="older", zone_id=ZONE, size_gb=1).target
    assert next(each.name for each in facet(made, "volumes").list() if each.id == id) == "older"
    node = machine(made, "older-machine")
    assert [each.id for each in facet(made, "nodes").find("older-machine")] == [node]
    carried(made, "nodes", "destroy", id=node)
    carried(made, "volumes", "destroy", id=id)
    made.close()
