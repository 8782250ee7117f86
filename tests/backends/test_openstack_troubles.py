"""A real OpenStack that refuses, is busy, or is told the same thing twice: seen from the driver."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.errors import Invalid, NotFound, Refused, Unauthenticated, Unavailable
from gcelib.models import Job, JobState
from tests.backends.openstack import Lab

SECONDS = 120.0
Do = Callable[..., Job]


def key() -> str:
    """A change's own key."""
    return str(uuid.uuid4())


def ended(stack: OpenStack, job: Job) -> Job:
    """The job when it is over."""
    until = time.monotonic() + SECONDS
    while job.state is JobState.RUNNING:
        assert time.monotonic() < until, job
        time.sleep(0.2)
        job = stack.poll(job)
    return job


@pytest.fixture(scope="module")
def do(stack: OpenStack) -> Do:
    """Carries a change out and waits for it; it must come about."""

    def change(facet: str, verb: str, **args: Any) -> Job:
        job = ended(stack, stack.submit(facet, verb, args, key()))
        assert job.state is JobState.DONE, job.error
        return job

    return change


@pytest.fixture(scope="module")
def made(stack: OpenStack) -> dict[str, Any]:
    """What a small machine is made with."""
    assert stack.zones
    assert stack.images
    assert stack.sizes
    assert stack.networks
    size = min(stack.sizes.list(), key=lambda each: each.ram_mb)
    image = next(each for each in stack.images.list() if each.public)
    network = next(each for each in stack.networks.list() if each.default)
    zone = stack.zones.list()[0]
    return {"zone_id": zone.id, "size_id": size.id, "image_id": image.id, "network_ids": [network.id],
            "submitted": "2000-01-01T00:00:00+00:00"}


@pytest.fixture
def node(do: Do, made: dict[str, Any]) -> Iterator[str]:
    """A running machine, destroyed afterwards."""
    id = do("nodes", "create", name="trouble", **made).target
    yield id
    do("nodes", "destroy", id=id)


def test_wrong_keys_are_told_as_whose_they_are(lab: Lab) -> None:
    ours = lab.cloud(password="wrong")
    with pytest.raises(Unavailable, match=r"gcelib's own keys; check key and secret of \[clouds.lab\]"):
        ours.ping()
    theirs = lab.cloud(password="wrong", owned=False)
    with pytest.raises(Unauthenticated, match="does not take these keys"):
        theirs.holder()
    with pytest.raises(Unauthenticated):
        theirs.nodes.list()  # type: ignore[union-attr]


def test_a_callers_keys_tell_whose_they_are_and_open_each_of_the_users_projects(lab: Lab) -> None:
    cloud = lab.cloud(owned=False)
    holder = cloud.holder()
    assert holder.is_called(lab.user)
    id, name = next(pair for pair in holder.projects if pair[1] == lab.project)
    for wanted in (id, name):
        inside = lab.cloud(tenant=wanted, owned=False)
        assert inside.zones.list() == lab.cloud().zones.list()  # type: ignore[union-attr]
    with pytest.raises(NotFound, match=f"in no project 'elsewhere'; projects: .*'{name}'"):
        lab.cloud(tenant="elsewhere", owned=False).zones.list()  # type: ignore[union-attr]


def test_a_machine_whose_making_was_not_answered_is_found_by_its_key_and_no_other(
    stack: OpenStack, do: Do, made: dict[str, Any]
) -> None:
    mine, args = key(), {"name": "lost", **made}
    assert stack.seek("nodes", "create", args, mine) is None
    first = stack.submit("nodes", "create", args, mine)
    twin = stack.submit("nodes", "create", args, key())
    found = stack.seek("nodes", "create", args, mine)
    assert found is not None
    assert found.target == first.target != twin.target
    assert stack.seek("nodes", "create", args, key()) is None
    assert ended(stack, found).state is JobState.DONE
    for job in (first, ended(stack, twin)):
        do("nodes", "destroy", id=job.target)


def test_what_is_asked_of_a_machine_in_the_making_is_done_when_it_is_made(
    stack: OpenStack, do: Do, made: dict[str, Any]
) -> None:
    disk = do("volumes", "create", name="early", zone_id=made["zone_id"], size_gb=1).target
    born = stack.submit("nodes", "create", {"name": "early", **made}, key())
    jobs = [
        stack.submit("tags", "set", {"kind": "node", "ids": [born.target], "tags": {"gcelib-x": "für alle"}}, key()),
        stack.submit("volumes", "attach", {"id": disk, "node_id": born.target}, key()),
        stack.submit("nodes", "stop", {"id": born.target}, key()),
    ]
    assert [ended(stack, job).state for job in (born, *jobs)] == [JobState.DONE] * 4
    assert stack.nodes
    assert stack.volumes
    node = next(each for each in stack.nodes.list() if each.id == born.target)
    assert (node.state.value, node.tags["gcelib-x"]) == ("stopped", "für alle")
    assert next(each.node_id for each in stack.volumes.list() if each.id == disk) == born.target
    do("nodes", "destroy", id=born.target, volume_ids=[disk])
    assert disk not in [each.id for each in stack.volumes.list()]


def test_the_same_change_twice_is_done_once(do: Do, node: str) -> None:
    for verb in ("stop", "stop", "start", "start"):
        do("nodes", verb, id=node)
    for _ in range(2):
        do("nodes", "regroup", id=node, group_ids=[])
    assert do("volumes", "destroy", id=str(uuid.uuid4())).state is JobState.DONE
    assert do("nodes", "destroy", id=str(uuid.uuid4())).state is JobState.DONE


def test_a_resize_that_was_begun_and_left_is_gone_on_with(stack: OpenStack, do: Do, node: str) -> None:
    assert stack.sizes
    assert stack.nodes
    do("nodes", "stop", id=node)
    before = next(each.size_id for each in stack.nodes.list() if each.id == node)
    after = sorted(stack.sizes.list(), key=lambda each: each.ram_mb)[1].id
    args = {"id": node, "size_id": after}
    stack.submit("nodes", "resize", args, key())
    until = time.monotonic() + SECONDS
    while not next(each for each in stack.nodes.list() if each.id == node).state_text:
        assert time.monotonic() < until
        time.sleep(0.2)
    # What a new process does that finds the step submitted, and its job lost.
    assert before != after
    assert stack.seek("nodes", "resize", args, key()) is None
    assert ended(stack, stack.submit("nodes", "resize", args, key())).state is JobState.DONE
    there = next(each for each in stack.nodes.list() if each.id == node)
    assert (there.size_id, there.state.value, there.busy) == (after, "stopped", False)


def test_a_network_that_was_half_made_is_finished_and_one_half_gone_is_razed(stack: OpenStack, do: Do) -> None:
    assert stack.networks
    api, name = stack._api, f"half-{key()[:8]}"
    api.change("POST", "network", "/v2.0/networks", {"network": {"name": name}})
    args = {"name": name, "zone_id": "", "cidr": "10.66.0.0/24"}
    assert stack.seek("networks", "create", args, key()) is None
    id = do("networks", "create", **args).target
    made = [each for each in stack.networks.list() if each.name == name]
    assert {(each.id, each.cidr, each.nat) for each in made} == {(id, "10.66.0.0/24", True)}
    assert stack.seek("networks", "create", args, key()) is not None
    router = next(row["id"] for row in api.get("network", "/v2.0/routers")["routers"] if id in row["description"])
    port = next(row["id"] for row in api.get("network", "/v2.0/ports", device_id=router, network_id=id)["ports"])
    api.change("PUT", "network", f"/v2.0/routers/{router}/remove_router_interface", {"port_id": port})
    do("networks", "destroy", id=id)
    do("networks", "destroy", id=id)
    assert name not in [each.name for each in stack.networks.list()]
    assert router not in [row["id"] for row in api.get("network", "/v2.0/routers")["routers"]]


def test_a_rule_that_two_firewalls_want_stays_for_the_second(stack: OpenStack, do: Do) -> None:
    assert stack.firewalls
    group = do("firewalls", "create_group", name=f"gcelib:test:{key()[:8]}").target
    name = next(each.name for each in stack.firewalls.list() if each.id == group)
    assert do("firewalls", "create_group", name=name).target == group
    args = {"group_id": group, "direction": "ingress", "protocol": "tcp", "first_port": 22, "last_port": 22,
            "cidrs": ["0.0.0.0/0", "2001:db8::/32"]}
    first = do("firewalls", "allow", **args).result
    again = do("firewalls", "allow", **args).result
    assert (len(first["made_ids"]), again["made_ids"]) == (2, [])  # type: ignore[arg-type]
    assert sorted(again["rule_ids"]) == sorted(first["rule_ids"])  # type: ignore[call-overload]
    rule = first["rule_ids"][0]  # type: ignore[index]
    for firewall in ("gcelib-fw-a", "gcelib-fw-with-a-name-as-long-as-gce-allows-a-name-to-be-63-characters"):
        do("tags", "set", kind="rule", ids=[rule], tags={firewall: "1"})
    withdrawal = {"direction": "ingress", "rule_ids": [rule], "claims": "gcelib-fw-"}
    do("firewalls", "revoke", **withdrawal, claim="gcelib-fw-a")
    left = next(each for each in stack.firewalls.list() if each.id == group).rules
    assert [set(each.tags) for each in left if each.id == rule] == [
        {"gcelib-fw-with-a-name-as-long-as-gce-allows-a-name-to-be-63-characters"}]
    do("firewalls", "revoke", **withdrawal,
       claim="gcelib-fw-with-a-name-as-long-as-gce-allows-a-name-to-be-63-characters")
    assert rule not in [each.id for each in next(g for g in stack.firewalls.list() if g.id == group).rules]
    with pytest.raises(NotFound):
        stack.submit("tags", "set", {"kind": "rule", "ids": [rule], "tags": {"gcelib-fw-c": "1"}}, key())
    do("firewalls", "destroy_group", id=group)


def test_refusals_keep_the_clouds_words(stack: OpenStack, made: dict[str, Any]) -> None:
    wishes: list[tuple[type[Invalid], str, dict[str, Any]]] = [
        (Refused, "availability zone is not available", {"zone_id": "nowhere"}),
        (Refused, "make one with compute.networks.insert", {"network_ids": []}),
    ]
    for kind, words, wish in wishes:
        with pytest.raises(kind, match=words):
            stack.submit("nodes", "create", {"name": "no", **made, **wish}, key())
    with pytest.raises(NotFound):
        stack.submit("nodes", "create", {"name": "no", **made, "size_id": "none"}, key())


def test_a_protected_machine_is_marked_while_it_is_made(stack: OpenStack, do: Do, made: dict[str, Any]) -> None:
    assert stack.nodes
    born = stack.submit("nodes", "create", {"name": "guarded", **made}, key())
    marked = stack.submit("nodes", "protect", {"id": born.target, "on": True}, key())
    assert ended(stack, marked).state is ended(stack, born).state is JobState.DONE
    assert next(each.delete_protected for each in stack.nodes.list() if each.id == born.target)
    do("nodes", "protect", id=born.target, on=False)
    assert not next(each.delete_protected for each in stack.nodes.list() if each.id == born.target)
    do("nodes", "destroy", id=born.target)
