"""Another size, other groups, other user data for a machine: done, found again after a lost answer, refused."""

from __future__ import annotations

import base64

import pytest
from simulated import done, key, machine, named

from gcelib.errors import Refused, Uncertain

BASIC = "CH-GV2"


@pytest.fixture
def resting(cloud):
    """A stopped machine."""
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    return id


def reshapings(cloud, id):
    """(verb, arguments, CloudStack's command)"""
    group = done(cloud, cloud.submit("firewalls", "create_group", {"name": "g1"}, key())).target
    size = named(cloud.sizes.list(), "Custom").id
    text = base64.b64encode(b"#!/bin/sh\n").decode()
    return [
        ("resize", {"id": id, "size_id": size, "cpus": 3, "ram_mb": 3000}, "changeServiceForVirtualMachine"),
        ("regroup", {"id": id, "group_ids": [group]}, "updateVirtualMachine"),
        ("set_user_data", {"id": id, "user_data": text}, "updateVirtualMachine"),
        ("set_user_data", {"id": id, "user_data": ""}, "updateVirtualMachine"),
    ]


def test_a_stopped_machine_takes_another_shape(cloud, resting):
    for verb, args, _ in reshapings(cloud, resting):
        assert cloud.seek("nodes", verb, args, key()) is None
        done(cloud, cloud.submit("nodes", verb, args, key()))
        assert cloud.seek("nodes", verb, args, key()) is not None
    node = named(cloud.nodes.list(), "web-1")
    assert (node.cpus, node.ram_mb) == (3, 3000)
    assert list(node.group_ids) == [named(cloud.firewalls.list(), "g1").id]


@pytest.mark.parametrize("kind", ["reset_after", "truncate"])
def test_a_change_of_shape_whose_answer_is_lost_is_found_again(sim, cloud, resting, kind):
    for verb, args, command in reshapings(cloud, resting):
        sim.faults.add(command, kind)
        mine = key()
        with pytest.raises(Uncertain):
            cloud.submit("nodes", verb, args, mine)
        found = cloud.seek("nodes", verb, args, mine)
        assert found is not None, verb
        assert done(cloud, found).target == resting


def test_a_running_machine_keeps_its_size_and_groups(cloud):
    id = machine(cloud, BASIC, "web-2")
    for verb, args, _ in reshapings(cloud, id)[:2]:
        with pytest.raises(Refused):
            cloud.submit("nodes", verb, args, key())
