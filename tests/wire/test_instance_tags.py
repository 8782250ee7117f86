"""Network tags of machines that run and of machines that do not, as the cloud's security groups have them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine
from tests.wire.test_firewalls import firewall, rules

HERE = "zones/ch-gv2/instances"
WALLS = "global/firewalls"


def joined(cloudstack: CloudStack, name: str) -> set[str]:
    """The groups a machine is in, its own one as "own"."""
    row = cloudstack.listVirtualMachines(name=name)["virtualmachine"][0]
    return {"own" if ":vm:" in group["name"] else group["name"] for group in row["securitygroup"]}


def own(cloudstack: CloudStack, name: str) -> str:
    """The name of a machine's own group."""
    row = cloudstack.listVirtualMachines(name=name)["virtualmachine"][0]
    (found,) = [group["name"] for group in row["securitygroup"] if ":vm:" in group["name"]]
    return str(found)


def set_tags(api: Api, name: str, *tags: str) -> Any:
    """setTags with the fingerprint that a client would have just read."""
    now = api.get(f"{HERE}/{name}")["tags"]
    body = {"fingerprint": now["fingerprint"], **({"items": [*tags]} if tags else {})}
    return api.change("POST", f"{HERE}/{name}/setTags", body)


@pytest.fixture(scope="module")
def late(api: Api) -> Iterator[str]:
    """A machine made without tags, with firewalls there for `web` and from `front` to `web`."""
    api.change("POST", WALLS, firewall("to-web", targetTags=["web"], sourceRanges=["10.0.0.0/8", "172.16.0.0/12"],
                                       allowed=[{"IPProtocol": "tcp", "ports": ["80", "443"]}]))
    api.change("POST", WALLS, firewall("front-to-web", targetTags=["web"], sourceTags=["front"]))
    api.change("POST", HERE, machine("late"))
    yield "late"
    api.change("DELETE", f"{HERE}/late")
    for name in ("to-web", "front-to-web"):
        api.change("DELETE", f"{WALLS}/{name}")


TO_WEB = {("tcp", port, port, source) for port in (80, 443) for source in ("10.0.0.0/8", "172.16.0.0/12")}
FROM_FRONT = ("tcp", 22, 22, "gcelib:default:tag:front")


def test_a_tag_added_while_it_runs_opens_what_the_tag_opens(api: Api, cloudstack: CloudStack, late: str) -> None:
    done = set_tags(api, late, "web", "other")
    assert done["operationType"] == "setTags"
    assert api.get(f"{HERE}/{late}")["tags"]["items"] == ["web", "other"]
    assert joined(cloudstack, late) == {"default", "own"}
    assert rules(cloudstack, own(cloudstack, late)) == {*TO_WEB, FROM_FRONT}
    shown = api.get(f"{WALLS}/to-web")
    assert (shown["targetTags"], shown["sourceRanges"]) == (["web"], ["10.0.0.0/8", "172.16.0.0/12"])
    assert "sourceTags" not in shown


def test_later_changes_of_its_firewalls_reach_it(api: Api, cloudstack: CloudStack, late: str) -> None:
    set_tags(api, late, "web")
    api.change("POST", WALLS, firewall("more-web", targetTags=["web"], sourceRanges=["192.0.2.0/24"]))
    mine = own(cloudstack, late)
    assert ("tcp", 22, 22, "192.0.2.0/24") in rules(cloudstack, mine)
    api.change("PATCH", f"{WALLS}/more-web", {"sourceRanges": ["198.51.100.0/24"]})
    assert {rule[3] for rule in rules(cloudstack, mine)} >= {"198.51.100.0/24"}
    assert ("tcp", 22, 22, "192.0.2.0/24") not in rules(cloudstack, mine)
    api.change("DELETE", f"{WALLS}/more-web")
    assert rules(cloudstack, mine) == {*TO_WEB, FROM_FRONT}


def test_a_source_tag_added_while_it_runs_lets_it_in(api: Api, cloudstack: CloudStack, late: str) -> None:
    set_tags(api, late, "front")
    mine = own(cloudstack, late)
    web = rules(cloudstack, "gcelib:default:tag:web")
    assert web == {*TO_WEB, FROM_FRONT, ("tcp", 22, 22, mine)}
    assert api.get(f"{WALLS}/front-to-web")["sourceTags"] == ["front"]
    set_tags(api, late)
    assert rules(cloudstack, "gcelib:default:tag:web") == {*TO_WEB, FROM_FRONT}


def test_a_tag_taken_from_it_while_it_runs_closes_it_again(api: Api, cloudstack: CloudStack, late: str) -> None:
    set_tags(api, late, "web")
    set_tags(api, late)
    assert "items" not in api.get(f"{HERE}/{late}")["tags"]
    assert rules(cloudstack, own(cloudstack, late)) == set()
    assert joined(cloudstack, late) == {"default", "own"}


def test_a_stop_and_a_start_make_the_groups_clean(api: Api, cloudstack: CloudStack, late: str) -> None:
    set_tags(api, late, "web", "front")
    api.change("POST", f"{HERE}/{late}/stop")
    api.change("POST", f"{HERE}/{late}/start")
    assert joined(cloudstack, late) == {"default", "own", "gcelib:default:tag:web", "gcelib:default:tag:front"}
    assert rules(cloudstack, own(cloudstack, late)) == set()
    assert rules(cloudstack, "gcelib:default:tag:web") == {*TO_WEB, FROM_FRONT}
    refused = api.call("POST", f"{HERE}/{late}/setTags", {"items": ["web"]})
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    for words in ("compute.instances.setTags", "'sim'", "'front'", "not offered on cloud", "Stop 'late'"):
        assert words in refused.message
    assert api.get(f"{HERE}/{late}")["tags"]["items"] == ["web", "front"]
    api.change("POST", f"{HERE}/{late}/stop")
    set_tags(api, late)
    assert joined(cloudstack, late) == {"default", "own"}
    api.change("POST", f"{HERE}/{late}/start")


def test_a_machine_from_elsewhere_is_tagged_once_it_is_stopped(api: Api, cloudstack: CloudStack) -> None:
    zone = cloudstack.listZones(name="CH-GV2")["zone"][0]["id"]
    image = cloudstack.listTemplates(templatefilter="executable", zoneid=zone)["template"][0]["id"]
    size = cloudstack.listServiceOfferings()["serviceoffering"][0]["id"]
    cloudstack.createSecurityGroup(name="portal-group")
    cloudstack.deployVirtualMachine(name="stranger", zoneid=zone, templateid=image, serviceofferingid=size,
                                    securitygroupnames="portal-group", fetch_result=True)
    api.until(lambda: api.call("GET", f"{HERE}/stranger"), 200)
    refused = api.call("POST", f"{HERE}/stranger/setTags", {"items": ["web"]})
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "was not made by gcelib" in refused.message
    api.change("POST", f"{HERE}/stranger/stop")
    set_tags(api, "stranger", "web")
    assert joined(cloudstack, "stranger") == {"portal-group", "own", "gcelib:default:tag:web"}
    api.change("DELETE", f"{HERE}/stranger")


def test_deleting_a_tagged_machine_leaves_no_rule_for_it(api: Api, cloudstack: CloudStack, late: str) -> None:
    api.change("POST", HERE, machine("brief"))
    set_tags(api, "brief", "front", "web")
    mine = own(cloudstack, "brief")
    assert ("tcp", 22, 22, mine) in rules(cloudstack, "gcelib:default:tag:web")
    api.change("DELETE", f"{HERE}/brief")
    assert rules(cloudstack, "gcelib:default:tag:web") == {*TO_WEB, FROM_FRONT}


def test_what_gce_would_not_take_is_refused(api: Api, late: str) -> None:
    for body, status, reason, words in (
        ({"items": ["Bad Tag"]}, 400, "invalid", "resource.items[0]"),
        ({"items": [f"t{n}" for n in range(65)]}, 400, "invalid", "At most 64"),
        ({"items": ["web"], "fingerprint": "AAAAAAAAAAA="}, 412, "conditionNotMet", "does not match"),
    ):
        answer = api.call("POST", f"{HERE}/{late}/setTags", body)
        assert (answer.status, answer.reason) == (status, reason), answer.data
        assert words in answer.message


def test_tags_that_fail_half_way_leave_all_as_it_was(launch: Launch) -> None:
    live, cloud = launch()
    api, cloudstack = live.api(), portal(cloud)
    api.change("POST", WALLS, firewall("to-web", targetTags=["web"], sourceRanges=["10.0.0.0/8"],
                                       allowed=[{"IPProtocol": "tcp", "ports": ["80", "443"]}]))
    api.change("POST", HERE, machine("halfway"))
    cloud.faults.add("authorizeSecurityGroupIngress", "job_fail", skip=1)
    done = api.until_done(api.start("POST", f"{HERE}/halfway/setTags", {"items": ["web"]}))
    assert done["error"]["errors"]
    assert rules(cloudstack, own(cloudstack, "halfway")) == set()
    assert "items" not in api.get(f"{HERE}/halfway")["tags"]
    api.change("POST", f"{HERE}/halfway/stop")
    cloud.faults.add("createTags", "job_fail")
    done = api.until_done(api.start("POST", f"{HERE}/halfway/setTags", {"items": ["web"]}))
    assert done["error"]["errors"]
    assert joined(cloudstack, "halfway") == {"default", "own"}
    assert "items" not in api.get(f"{HERE}/halfway")["tags"]
    api.change("POST", f"{HERE}/halfway/setTags", {"items": ["web"]})
    assert joined(cloudstack, "halfway") == {"default", "own", "gcelib:default:tag:web"}


def test_machines_that_bring_a_new_tag_at_once_share_its_group(api: Api, cloudstack: CloudStack) -> None:
    names = ["tagged-1", "tagged-2", "tagged-3"]
    bodies = [machine(name, tags={"items": ["at-once", "all-of-us"]}) for name in names]
    with ThreadPoolExecutor(len(names)) as pool:
        begun = [*pool.map(lambda body: api.call("POST", HERE, body), bodies)]
    assert [answer.status for answer in begun] == [200, 200, 200], [answer.data for answer in begun]
    shared = {"default", "own", "gcelib:default:tag:at-once", "gcelib:default:tag:all-of-us"}
    for name, answer in zip(names, begun, strict=True):
        assert "error" not in api.until_done(answer.data)
        assert joined(cloudstack, name) == shared
        api.change("DELETE", f"{HERE}/{name}")
