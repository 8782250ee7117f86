"""Machines: their life, their names, what they refuse."""

from __future__ import annotations

import base64

import pytest

from gcelib.simulator import Settings
from tests.simulator.client import Caller, Refusal


def refused(code, call, command, *post, **given):
    with pytest.raises(Refusal) as caught:
        call(command, *post, **given)
    assert caught.value.code == code
    return caught.value


def failed(code, call, command, **given):
    job = call.job(command, **given)
    assert (job["jobstatus"], job["jobresultcode"], job["jobresult"]["errorcode"]) == (2, code, code)
    return job["jobresult"]["errortext"]


def state(call, machine):
    return call.rows("listVirtualMachines", id=machine["id"])[0]["state"]


def test_a_deploy_shows_its_machine_at_once_and_runs_it_in_the_job(demo):
    answer = demo("deployVirtualMachine", **demo.deploying(name="web"))
    (row,) = demo.rows("listVirtualMachines", name="WEB")
    assert row["id"] == answer["id"]
    assert (row["state"], row["jobid"], row["jobstatus"]) == ("Starting", answer["jobid"], 0)
    job = demo("queryAsyncJobResult", jobid=answer["jobid"])
    machine = job["jobresult"]["virtualmachine"]
    assert (job["jobstatus"], job["jobresultcode"], machine["state"]) == (1, 0, "Running")
    assert "jobid" not in demo.rows("listVirtualMachines", id=answer["id"])[0]
    assert machine["nic"][0]["ipaddress"].startswith("185.19.28.")
    assert [group["name"] for group in machine["securitygroup"]] == ["default"]
    (root,) = demo.rows("listVolumes", virtualmachineid=answer["id"])
    assert (root["name"][:5], root["state"], root["type"], root["deviceid"]) == ("ROOT-", "Ready", "ROOT", 0)


def test_the_usual_delays_pass_through_every_state(simulate, session, clock):
    demo = Caller(simulate(job_delay=None, clock=clock), "demo", session)
    machine = demo("deployVirtualMachine", **demo.deploying(name="web"))
    assert state(demo, machine) == "Stopped"
    clock.advance(0.3)
    assert state(demo, machine) == "Starting"
    clock.advance(4)
    assert state(demo, machine) == "Running"
    demo("stopVirtualMachine", id=machine["id"])
    assert state(demo, machine) == "Stopping"
    clock.advance(2.1)
    assert state(demo, machine) == "Stopped"


@pytest.mark.parametrize("name", ["1web", "-web", "web-", "we_b", "w" * 64, "wéb", "a.b"])
def test_a_host_name_that_is_none_is_refused_before_there_is_a_machine(demo, name):
    refused(431, demo, "deployVirtualMachine", **demo.deploying(name=name))
    assert demo("listVirtualMachines") == {}


def test_without_a_name_the_cloud_makes_one(demo):
    assert demo.machine()["name"].startswith("VM-")


def test_a_destroyed_machine_is_out_of_sight_and_keeps_its_name(simulator, demo, other):
    machine = demo.machine(name="web")
    assert demo.job("destroyVirtualMachine", id=machine["id"])["jobresult"]["virtualmachine"]["state"] == "Destroyed"
    assert demo("listVirtualMachines") == {}
    refused(431, demo, "deployVirtualMachine", **demo.deploying(name="Web"))
    refused(431, other, "deployVirtualMachine", **other.deploying(name="web"))
    assert [row["state"] for row in simulator.world.machines()] == ["Destroyed"]
    assert demo.job("destroyVirtualMachine", id=machine["id"])["jobstatus"] == 1


def test_the_name_of_a_neighbour_on_the_shared_network_is_taken_elsewhere_free(demo, other):
    demo.machine(name="web")
    refused(431, other, "deployVirtualMachine", **other.deploying(name="web"))
    assert other.machine("FR-SG1", name="web")["name"] == "web"
    assert other.machine("DE-ADV1", name="web")["name"] == "web"


def test_renaming_frees_the_old_name_even_of_a_destroyed_machine(demo):
    machine = demo.machine(name="web")
    demo.job("destroyVirtualMachine", id=machine["id"])
    assert demo("updateVirtualMachine", id=machine["id"], name="gone-1")["virtualmachine"]["name"] == "gone-1"
    second = demo.machine(name="web")
    assert second["id"] != machine["id"]
    refused(431, demo, "updateVirtualMachine", id=second["id"], name="gone-1")


def test_the_expunger_frees_the_name_after_its_delay(simulate, session, clock):
    demo = Caller(simulate(clock=clock, settings=Settings(job_delay=0, expunge_delay=60)), "demo", session)
    demo.job("destroyVirtualMachine", id=demo.machine(name="web")["id"])
    clock.advance(59)
    refused(431, demo, "deployVirtualMachine", **demo.deploying(name="web"))
    clock.advance(2)
    assert demo.machine(name="web")["nic"][0]["ipaddress"] == "185.19.28.10"


def test_users_may_not_expunge_unless_the_cloud_allows_it(simulate, session, demo, admin):
    machine = demo.machine(name="web")
    assert demo("listCapabilities")["capability"]["allowuserexpungerecovervm"] is False
    failed(531, demo, "destroyVirtualMachine", id=machine["id"], expunge="true")
    failed(531, demo, "expungeVirtualMachine", id=machine["id"])
    assert state(demo, machine) == "Running"
    demo.job("destroyVirtualMachine", id=machine["id"])
    refused(531, demo, "recoverVirtualMachine", id=machine["id"])
    assert admin("recoverVirtualMachine", id=machine["id"])["virtualmachine"]["state"] == "Stopped"
    free = Caller(simulate(expunge=True), "demo", session)
    free.job("destroyVirtualMachine", id=free.machine(name="web")["id"], expunge="true")
    assert free.machine(name="web")["state"] == "Running"
    assert [row["name"] for row in free.rows("listVolumes")] == ["ROOT-2"]


def test_stop_and_destroy_repeat_in_peace_start_and_reboot_do_not(demo):
    machine = demo.machine(name="web")
    failed(431, demo, "startVirtualMachine", id=machine["id"])
    assert demo.result("stopVirtualMachine", id=machine["id"])["state"] == "Stopped"
    assert demo.result("stopVirtualMachine", id=machine["id"])["state"] == "Stopped"
    failed(431, demo, "rebootVirtualMachine", id=machine["id"])
    assert demo.result("startVirtualMachine", id=machine["id"])["state"] == "Running"
    assert demo.result("rebootVirtualMachine", id=machine["id"], forced="true")["state"] == "Running"


def test_jobs_on_one_machine_run_one_after_another(demo):
    deploy = demo("deployVirtualMachine", **demo.deploying(name="web"))
    stop = demo("stopVirtualMachine", id=deploy["id"])
    assert demo.rows("listVirtualMachines")[0]["state"] == "Starting"
    assert demo("queryAsyncJobResult", jobid=stop["jobid"])["jobresult"]["virtualmachine"]["state"] == "Stopped"
    assert demo("queryAsyncJobResult", jobid=deploy["jobid"])["jobstatus"] == 1


def test_a_protected_machine_is_not_destroyed(demo):
    machine = demo.machine(name="web")
    demo("updateVirtualMachine", id=machine["id"], deleteprotection="true")
    failed(431, demo, "destroyVirtualMachine", id=machine["id"])
    assert state(demo, machine) == "Running"


def test_a_size_changes_while_stopped(demo):
    machine, small = demo.machine(name="web"), demo.offering("Small")
    refused(431, demo, "changeServiceForVirtualMachine", id=machine["id"], serviceofferingid=small)
    failed(531, demo, "scaleVirtualMachine", id=machine["id"], serviceofferingid=small)
    demo.job("stopVirtualMachine", id=machine["id"])
    changed = demo("changeServiceForVirtualMachine", id=machine["id"], serviceofferingid=small)["virtualmachine"]
    assert (changed["memory"], changed["cpunumber"]) == (2048, 2)


def test_a_custom_size_is_given_in_details_within_its_bounds(demo):
    custom = {"serviceofferingid": demo.offering("Custom"), "details[0].cpuSpeed": 2000}
    machine = demo.machine(**custom, **{"details[0].cpuNumber": 3, "details[0].memory": 3072})
    assert (machine["cpunumber"], machine["memory"], machine["cpuspeed"]) == (3, 3072, 2000)
    for given in ({}, {"details[0].cpuNumber": 17, "details[0].memory": 3072}):
        refused(431, demo, "deployVirtualMachine", **demo.deploying(**custom, **given))
    refused(431, demo, "deployVirtualMachine", **demo.deploying(**{"details[0].memory": 3072}))


def test_user_data_is_limited_by_get_and_by_the_cloud(demo):
    def text(size):
        return base64.b64encode(b"u" * (size * 3 // 4)).decode()

    machine = demo.machine(userdata=text(4000))
    got = demo("getVirtualMachineUserData", virtualmachineid=machine["id"])["virtualmachineuserdata"]
    assert got["userdata"] == text(4000)
    assert demo.rows("listVirtualMachines", userdata="true")[0]["userdata"] == text(4000)
    refused(431, demo, "deployVirtualMachine", **demo.deploying(userdata=text(5000)))
    assert demo.job("deployVirtualMachine", True, **demo.deploying(userdata=text(32000)))["jobstatus"] == 1
    refused(431, demo, "deployVirtualMachine", True, **demo.deploying(userdata=text(40000)))
    refused(431, demo, "deployVirtualMachine", **demo.deploying(userdata="not base 64!"))


def test_the_root_disk_is_at_least_the_templates(demo):
    refused(431, demo, "deployVirtualMachine", **demo.deploying(rootdisksize=3))
    demo.machine(rootdisksize=30)
    assert demo.rows("listVolumes")[0]["size"] == 30 << 30


def test_a_password_is_told_once(demo):
    zone = demo.zone("DE-ADV1")
    template = demo.template(zone, "Debian 12 with password")
    machine = demo.machine("DE-ADV1", templateid=template)
    assert machine["password"]
    assert "password" not in demo.rows("listVirtualMachines")[0]


def test_a_template_that_is_not_ready_or_elsewhere_is_refused(demo):
    unready = demo.rows("listTemplates", templatefilter="self")[0]["id"]
    elsewhere = demo.template(demo.zone())
    for template in (unready, elsewhere):
        refused(431, demo, "deployVirtualMachine", **demo.deploying("DE-ADV1", templateid=template))


def test_blocks_of_a_row_come_as_asked(demo):
    demo.machine(name="web")
    (core,) = demo.rows("listVirtualMachines", details="min")
    (some,) = demo.rows("listVirtualMachines", details="min,nics,secgrp")
    assert not {"nic", "templateid", "memory", "securitygroup"} & set(core)
    assert {"nic", "securitygroup"} <= set(some)
    refused(431, demo, "listVirtualMachines", details="nix")


def test_only_administrators_see_hosts(demo, admin):
    demo.machine(name="web")
    assert "hostname" not in demo.rows("listVirtualMachines")[0]
    assert admin("listVirtualMachines") == {}
    assert admin.rows("listVirtualMachines", listall="true")[0]["hostname"].startswith("kvm")
