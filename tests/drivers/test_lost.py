"""Answers that are lost, jobs that vanish or fail: found again, never done twice, always ended."""

from __future__ import annotations

import datetime

import msgspec
import pytest
from simulated import cloud_at, done, ended, key, machine, named, recipe

from gcelib.errors import Fault, NoCapacity, Unavailable, Uncertain, fault_from_data
from gcelib.models import Job, JobState, NodeState
from gcelib.simulator import SettableClock, Settings, Simulator

BASIC, ISOLATED = "CH-GV2", "DE-ADV1"
ANY = "0.0.0.0/0"


def now():
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def changes(cloud):
    """One of every change, on things made for it: (facet, verb, arguments, CloudStack's command)."""
    zone = named(cloud.zones.list(), ISOLATED).id
    node = machine(cloud, ISOLATED, "web-1")
    made = cloud.submit("volumes", "create", {"name": "data", "zone_id": zone, "size_gb": 5}, key())
    disk = done(cloud, made).target
    group = done(cloud, cloud.submit("firewalls", "create_group", {"name": "g1"}, key())).target
    rule = {"group_id": group, "direction": "ingress", "protocol": "tcp", "first_port": 22, "cidrs": [ANY]}
    tag = {"kind": "node", "ids": [node], "tags": {"a": "1"}}
    return {
        "nodes.create": (recipe(cloud, ISOLATED, "web-2", submitted=now()), "deployVirtualMachine"),
        "nodes.stop": ({"id": node}, "stopVirtualMachine"),
        "nodes.start": ({"id": node}, "startVirtualMachine"),
        "nodes.reset": ({"id": node}, "rebootVirtualMachine"),
        "nodes.rename": ({"id": node, "name": "web-9"}, "updateVirtualMachine"),
        "nodes.protect": ({"id": node, "on": False}, "updateVirtualMachine"),
        "volumes.create": ({"name": "more", "zone_id": zone, "size_gb": 5}, "createVolume"),
        "volumes.attach": ({"id": disk, "node_id": node}, "attachVolume"),
        "volumes.detach": ({"id": disk}, "detachVolume"),
        "volumes.destroy": ({"id": disk}, "deleteVolume"),
        "networks.create": ({"name": "inner", "zone_id": zone}, "createNetwork"),
        "firewalls.create_group": ({"name": "g2"}, "createSecurityGroup"),
        "firewalls.allow": (rule, "authorizeSecurityGroupIngress"),
        "firewalls.destroy_group": ({"id": group}, "deleteSecurityGroup"),
        "tags.set": (tag, "createTags"),
        "tags.remove": ({"kind": "node", "ids": [node], "keys": ["a"]}, "deleteTags"),
        "nodes.destroy": ({"id": node}, "destroyVirtualMachine"),
    }


UNLIKE_TRUTH = {"nodes.protect", "nodes.start", "volumes.detach"}
"""Already so before the change: looking finds them done, and doing them again would change nothing."""


@pytest.fixture
def ready(cloud):
    """Every change in turn is possible after those before it."""
    return cloud, changes(cloud)


ORDER = [
    "nodes.create", "nodes.stop", "nodes.start", "nodes.reset", "nodes.rename", "nodes.protect", "volumes.create",
    "volumes.attach", "volumes.detach", "volumes.destroy", "networks.create", "firewalls.create_group",
    "firewalls.allow", "firewalls.destroy_group", "tags.set", "tags.remove", "nodes.destroy",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["reset_after", "truncate"])
def test_every_change_whose_answer_is_lost_is_found_again_and_done_once(sim, ready, kind):
    cloud, todo = ready
    for what in ORDER:
        facet, verb = what.split(".")
        args, command = todo[what]
        plan = sim.faults.add(command, kind)
        mine = key()
        with pytest.raises(Uncertain, match="Cloud 'sim'"):
            cloud.submit(facet, verb, args, mine)
        assert plan.hits == 1, what
        found = cloud.seek(facet, verb, args, mine)
        assert found is not None, what
        end = done(cloud, found)
        assert end.target or facet == "firewalls", what
    assert sorted(node.name for node in cloud.nodes.list()) == ["web-2"]
    assert [disk.name for disk in cloud.volumes.list() if not disk.boot] == ["more"]
    assert sorted(group.name for group in cloud.firewalls.list()) == ["default", "g2"]


def test_a_change_that_never_reached_the_cloud_is_not_found(sim, ready):
    cloud, todo = ready
    for what in ORDER:
        facet, verb = what.split(".")
        args, command = todo[what]
        sim.faults.add(command, "reset")
        mine = key()
        if what == "tags.remove":
            done(cloud, cloud.submit("tags", "set", todo["tags.set"][0], key()))
            sim.faults.clear()
            sim.faults.add(command, "reset")
        try:
            cloud.submit(facet, verb, args, mine)
        except Uncertain:
            if what not in UNLIKE_TRUTH:
                assert cloud.seek(facet, verb, args, mine) is None, what
        sim.faults.clear()
        done(cloud, cloud.submit(facet, verb, args, mine))


def test_a_change_sent_twice_under_one_key_is_carried_out_once(sim, cloud):
    id = machine(cloud, BASIC, "web-1")
    mine = key()
    first = cloud.submit("nodes", "stop", {"id": id}, mine)
    second = cloud.submit("nodes", "stop", {"id": id}, mine)
    assert msgspec.json.decode(first.token)["job"] == msgspec.json.decode(second.token)["job"]
    done(cloud, second)


def test_an_older_machine_of_the_name_is_not_taken_for_ours(cloud):
    machine(cloud, BASIC, "web-1")
    later = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()
    assert cloud.seek("nodes", "create", recipe(cloud, BASIC, "web-1", submitted=later), key()) is None
    assert cloud.seek("nodes", "create", recipe(cloud, BASIC, "web-1", submitted=now()), key()) is not None
    other = recipe(cloud, BASIC, "web-1", size="Tiny", submitted=now())
    assert cloud.seek("nodes", "create", other, key()) is None


def test_a_machine_adopted_while_it_is_made_is_followed_to_its_end():
    clock = SettableClock()
    with Simulator(job_delay=30, clock=clock) as sim:
        cloud = cloud_at(sim)
        args = recipe(cloud, BASIC, "web-1", submitted=now())
        sim.faults.add("deployVirtualMachine", "reset_after")
        with pytest.raises(Uncertain):
            cloud.submit("nodes", "create", args, key())
        found = cloud.seek("nodes", "create", args, key())
        assert (found.state, found.target) == (JobState.RUNNING, cloud.nodes.list()[0].id)
        assert cloud.poll(found).state is JobState.RUNNING
        for _ in range(4):
            clock.advance(30)
            found = cloud.poll(found)
        assert (found.state, found.result["id"]) == (JobState.DONE, found.target)
        cloud.close()


def test_a_job_survives_the_process_as_its_token(sim, cloud):
    job = cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())
    another = cloud_at(sim)
    again = Job(JobState(str(job.state)), token=str(job.token), target=str(job.target))
    assert done(another, again).result == {"id": job.target}
    another.close()


def test_a_token_never_holds_user_data(cloud):
    job = cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1", user_data="c2VjcmV0LXdvcmQ="), key())
    assert "c2VjcmV0" not in job.token


@pytest.mark.parametrize(("code", "kind", "status"), [
    (530, "Refused", 400), (533, "NoCapacity", 503), (535, "Exceeded", 403), (531, "Forbidden", 403),
    (431, "Refused", 400), (536, "InUse", 400),
])  # fmt: skip
def test_a_failed_job_keeps_its_code_and_words(sim, cloud, code, kind, status):
    sim.faults.add("deployVirtualMachine", "job_fail", errorcode=code, text="the cloud's own words")
    job = cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())
    end = ended(cloud, job)
    assert end.state is JobState.FAILED
    assert (end.error["kind"], end.target) == (kind, job.target)
    fault = fault_from_data(dict(end.error))
    assert fault.status == status
    assert "the cloud's own words" in fault.message
    assert "Cloud 'sim'" in fault.message


def test_a_machine_that_fails_to_start_leaves_its_name_free(sim, cloud):
    sim.faults.add("deployVirtualMachine", "job_fail", errorcode=533)
    job = ended(cloud, cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key()))
    assert isinstance(fault_from_data(dict(job.error)), NoCapacity)
    machine(cloud, BASIC, "web-1")


def test_a_job_cut_off_by_a_restart_fails_with_an_honest_message(sim, cloud):
    id = machine(cloud, BASIC, "web-1")
    sim.faults.add("rebootVirtualMachine", "job_restart")
    end = ended(cloud, cloud.submit("nodes", "reset", {"id": id}, key()))
    assert end.state is JobState.FAILED
    assert "restarted" in end.error["message"]


def test_a_job_the_cloud_forgot_is_judged_by_its_effect(sim, cloud):
    sim.faults.add("deployVirtualMachine", "job_lost")
    id = done(cloud, cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())).target
    sim.faults.add("stopVirtualMachine", "job_lost")
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    assert cloud.nodes.list()[0].state is NodeState.STOPPED


def test_a_forgotten_job_without_visible_effect_fails_and_says_so():
    clock = SettableClock()
    with Simulator(job_delay=0, clock=clock) as sim:
        cloud = cloud_at(sim)
        id = machine(cloud, BASIC, "web-1")
        sim.faults.add("rebootVirtualMachine", "job_lost")
        job = cloud.submit("nodes", "reset", {"id": id}, key())
        clock.advance(60)
        assert cloud.nodes.list()
        end = cloud.poll(job)
        assert end.state is JobState.FAILED
        assert "no longer knows its job" in end.error["message"]
        cloud.close()


def test_a_failed_job_whose_effect_is_there_is_done(sim, cloud):
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    sim.faults.add("stopVirtualMachine", "job_fail")
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))


@pytest.mark.parametrize("kind", ["reset", "truncate", "html", "garbage"])
def test_a_poll_the_cloud_does_not_answer_is_unavailable_and_the_job_goes_on(sim, cloud, kind):
    job = cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())
    sim.faults.add("queryAsyncJobResult", kind, times=2)
    with pytest.raises(Unavailable) as caught:
        cloud.poll(job)
    assert not isinstance(caught.value, Uncertain)
    sim.faults.clear()
    done(cloud, job)


def test_replacing_a_tag_goes_on_after_its_second_part_was_lost(sim, cloud):
    id = machine(cloud, BASIC, "web-1")
    args = {"kind": "node", "ids": [id], "tags": {"a": "1"}}
    done(cloud, cloud.submit("tags", "set", args, key()))
    job = cloud.submit("tags", "set", args | {"tags": {"a": "2"}}, key())
    sim.faults.add("createTags", "reset_after")
    with pytest.raises(Uncertain):
        ended(cloud, job)
    done(cloud, job)
    assert cloud.nodes.list()[0].tags == {"a": "2"}


def test_replacing_a_tag_goes_on_when_the_cloud_forgot_the_removal():
    clock = SettableClock()
    with Simulator(job_delay=0, clock=clock) as sim:
        cloud = cloud_at(sim)
        args = {"kind": "node", "ids": [machine(cloud, BASIC, "web-1")], "tags": {"a": "1"}}
        done(cloud, cloud.submit("tags", "set", args, key()))
        sim.faults.add("deleteTags", "job_lost")
        job = cloud.submit("tags", "set", args | {"tags": {"a": "2"}}, key())
        clock.advance(60)
        assert cloud.nodes.list()[0].tags == {}
        done(cloud, job)
        assert cloud.nodes.list()[0].tags == {"a": "2"}
        cloud.close()


def test_replacing_a_tag_is_found_again_between_its_two_parts(sim, cloud):
    id = machine(cloud, BASIC, "web-1")
    args = {"kind": "node", "ids": [id], "tags": {"a": "1"}}
    done(cloud, cloud.submit("tags", "set", args, key()))
    sim.faults.add("deleteTags", "reset_after")
    mine = key()
    with pytest.raises(Uncertain):
        cloud.submit("tags", "set", args | {"tags": {"a": "2"}}, mine)
    found = cloud.seek("tags", "set", args | {"tags": {"a": "2"}}, mine)
    done(cloud, found)
    assert cloud.nodes.list()[0].tags == {"a": "2"}


@pytest.mark.parametrize(("kind", "rest"), [
    ("reset", {}), ("garbage", {}), ("html", {}), ("truncate", {}), ("delay", {"seconds": 30}),
    ("status", {"status": 429}), ("status", {"status": 534}),
])  # fmt: skip
def test_every_list_of_a_cloud_in_trouble_raises_a_fault_that_names_it(sim, kind, rest):
    cloud = cloud_at(sim, timeout=0.3)
    sim.faults.add("*", kind, times=0, **rest)
    for facet in ("zones", "sizes", "images", "nodes", "volumes", "snapshots", "networks", "firewalls",
                  "addresses", "keypairs", "quotas"):  # fmt: skip
        with pytest.raises(Fault, match="Cloud 'sim'") as caught:
            getattr(cloud, facet).list()
        assert caught.value.status in (429, 503)
        assert caught.value.retry_after > 0
        if kind == "delay":
            break
    sim.faults.clear()
    assert cloud.zones.list()
    cloud.close()


def test_a_cloud_that_enforces_posts_and_expiry_works_too():
    with Simulator(job_delay=0, settings=Settings(enforce_post=True, job_delay=0)) as strict:
        cloud = cloud_at(strict)
        id = machine(cloud, BASIC, "web-1")
        done(cloud, cloud.submit("tags", "set", {"kind": "node", "ids": [id], "tags": {"a": "ü ~[1]"}}, key()))
        assert cloud.nodes.list()[0].tags == {"a": "ü ~[1]"}
        cloud.close()
