"""Whose things are whose: accounts, projects, limits."""

from __future__ import annotations

import pytest

from tests.simulator.client import Caller, Refusal


def refused(code, call, command, **given):
    with pytest.raises(Refusal) as caught:
        call(command, **given)
    assert caught.value.code == code


@pytest.fixture
def project(demo):
    return demo.rows("listProjects")[0]["id"]


def test_ten_tenants_do_not_see_each_other(simulate, session):
    names = [f"tenant-{number}@example.com" for number in range(10)]
    simulator = simulate(tenants=names)
    callers = {name: Caller(simulator, name, session) for name in names}
    for number, caller in enumerate(callers.values()):
        caller.machine(name=f"m{number}")
        caller("createSecurityGroup", name=f"g{number}")
    for number, caller in enumerate(callers.values()):
        for listall in ({}, {"listall": "true"}):
            assert [row["name"] for row in caller.rows("listVirtualMachines", **listall)] == [f"m{number}"]
        assert [row["name"] for row in caller.rows("listSecurityGroups")] == ["default", f"g{number}"]
        assert [row["name"] for row in caller.rows("listAccounts")] == [names[number]]
        assert len(caller.rows("listVolumes")) == 1


def test_another_tenants_things_can_not_be_touched(demo, other):
    machine = demo.machine(name="web")["id"]
    volume, group = demo.rows("listVolumes")[0]["id"], demo.rows("listSecurityGroups")[0]["id"]
    assert other("listVirtualMachines", id=machine) == {}
    for command in ("stopVirtualMachine", "destroyVirtualMachine", "updateVirtualMachine"):
        refused(531, other, command, id=machine)
    refused(531, other, "createSnapshot", volumeid=volume)
    refused(531, other, "authorizeSecurityGroupIngress", securitygroupid=group, cidrlist="0.0.0.0/0")
    refused(531, other, "deployVirtualMachine", **other.deploying(securitygroupids=group))
    refused(531, other, "createTags", resourceids=machine, resourcetype="UserVm",
            **{"tags[0].key": "a", "tags[0].value": "b"})  # fmt: skip
    refused(531, other, "getVirtualMachineUserData", virtualmachineid=machine)
    assert demo.rows("listVirtualMachines")[0]["state"] == "Running"


def test_another_account_may_not_be_named_and_names_need_a_domain(demo, admin):
    domain = demo.rows("listAccounts")[0]["domainid"]
    refused(531, demo, "listVirtualMachines", account="other", domainid=domain)
    refused(431, demo, "listVirtualMachines", account="demo")
    assert demo("listVirtualMachines", account="demo", domainid=domain) == {}
    demo.machine(name="web")
    assert admin("listVirtualMachines", account="demo", domainid=domain)["count"] == 1
    assert len(admin.rows("listAccounts", listall="true")) == 3


def test_a_projects_things_show_only_with_its_id(demo, other, project):
    machine = demo.machine(name="web", projectid=project)
    assert machine["projectid"] == project
    assert "account" not in machine
    assert demo("listVirtualMachines") == {}
    assert demo("listVirtualMachines", projectid=project)["count"] == 1
    demo.machine(name="mine")
    assert demo("listVirtualMachines", projectid="-1")["count"] == 2
    refused(531, other, "listVirtualMachines", projectid=project)
    refused(531, other, "stopVirtualMachine", id=machine["id"])
    assert other("listProjects") == {}
    assert demo.result("stopVirtualMachine", id=machine["id"])["state"] == "Stopped"


def test_a_project_has_groups_and_keys_of_its_own(demo, project):
    demo("createSecurityGroup", name="web")
    demo("createSSHKeyPair", name="mine")
    for given in ({"securitygroupnames": "web"}, {"keypair": "mine"}):
        refused(431, demo, "deployVirtualMachine", **demo.deploying(projectid=project, **given))
    assert [row["name"] for row in demo.rows("listSecurityGroups", projectid=project)] == ["default"]


def test_a_full_project_is_a_535_and_its_figures_say_so(demo, project):
    for name in ("a", "b"):
        demo.machine(name=name, projectid=project)
    refused(535, demo, "deployVirtualMachine", **demo.deploying(projectid=project))
    row = demo.rows("listProjects")[0]
    assert (row["vmlimit"], row["vmtotal"], row["vmavailable"]) == ("2", 2, "0")
    machine = demo.rows("listVirtualMachines", projectid=project)[0]["id"]
    demo.job("destroyVirtualMachine", id=machine)
    assert demo.rows("listProjects")[0]["vmtotal"] == 1
    assert demo.machine(name="c", projectid=project)


@pytest.mark.parametrize("kind", ["user_vm", "cpu", "memory", "volume", "primary_storage"])
def test_every_limit_on_machines_bites(simulator, demo, kind):
    simulator.world.set_limit("demo", kind, 0)
    refused(535, demo, "deployVirtualMachine", **demo.deploying())
    assert demo("listVirtualMachines") == {}


def test_limits_are_text_or_unlimited_and_totals_are_numbers(simulator, demo):
    simulator.world.set_limit("demo", "volume", 5)
    demo.machine(name="web")
    account = demo.rows("listAccounts")[0]
    assert (account["vmlimit"], account["vmtotal"], account["vmavailable"]) == ("Unlimited", 1, "Unlimited")
    assert (account["volumelimit"], account["volumetotal"], account["volumeavailable"]) == ("5", 1, "4")
    rows = {row["resourcetypename"]: (row["resourcetype"], row["max"]) for row in demo.rows("listResourceLimits")}
    assert rows["user_vm"] == ("0", -1)
    assert rows["volume"] == ("2", 5)
