"""Jobs: results, failures, ids of the caller's own choice, other people's."""

from __future__ import annotations

import uuid

import pytest

from tests.simulator.client import Caller, Refusal


def refused(code, call, command, **given):
    with pytest.raises(Refusal) as caught:
        call(command, **given)
    assert caught.value.code == code


def test_a_failed_job_is_a_good_answer_with_an_error_in_it(demo):
    machine = demo.machine()
    answer = demo.raw("queryAsyncJobResult", jobid=demo("startVirtualMachine", id=machine["id"])["jobid"])
    job = answer.json()["queryasyncjobresultresponse"]
    assert answer.status_code == 200
    assert (job["jobstatus"], job["jobresultcode"], job["jobresulttype"]) == (2, 431, "object")
    assert job["cmd"] == "org.apache.cloudstack.api.command.user.vm.StartVMCmd"


def test_a_running_job_has_no_result(simulate, session, clock):
    demo = Caller(simulate(job_delay=10, clock=clock), "demo", session)
    started = demo("deployVirtualMachine", **demo.deploying())
    job = demo("queryAsyncJobResult", jobid=started["jobid"])
    assert (job["jobstatus"], job["jobinstanceid"]) == (0, started["id"])
    assert not {"jobresult", "jobresulttype", "completed"} & set(job)
    clock.advance(11)
    assert demo("queryAsyncJobResult", jobid=started["jobid"])["jobstatus"] == 1


def test_an_unpolled_job_ends_by_itself_even_without_delay(simulate, session, clock):
    demo = Caller(simulate(clock=clock), "demo", session)
    demo("deployVirtualMachine", **demo.deploying())
    clock.advance(2)
    assert demo.rows("listVirtualMachines")[0]["state"] == "Running"


def test_an_unknown_job_is_a_431_and_anothers_a_531(demo, other):
    refused(431, demo, "queryAsyncJobResult", jobid=str(uuid.uuid4()))
    job = demo("deployVirtualMachine", **demo.deploying())["jobid"]
    refused(531, other, "queryAsyncJobResult", jobid=job)


def test_a_job_is_forgotten_after_a_day(simulate, session, clock):
    demo = Caller(simulate(clock=clock), "demo", session)
    job = demo("deployVirtualMachine", **demo.deploying())["jobid"]
    assert demo("queryAsyncJobResult", jobid=job)["jobstatus"] == 1
    clock.advance(86500)
    refused(431, demo, "queryAsyncJobResult", jobid=job)


def test_the_caller_may_choose_the_jobs_id_once(demo):
    chosen = str(uuid.uuid4())
    refused(431, demo, "queryAsyncJobResult", jobid=chosen)
    assert demo("deployVirtualMachine", **demo.deploying(), customjobid=chosen)["jobid"] == chosen
    assert demo("queryAsyncJobResult", jobid=chosen)["jobstatus"] == 1
    machine = demo.rows("listVirtualMachines")[0]["id"]
    refused(431, demo, "stopVirtualMachine", id=machine, customjobid=chosen)
    refused(431, demo, "stopVirtualMachine", id=machine, customjobid="mine")
    assert demo.rows("listVirtualMachines")[0]["state"] == "Running"


def test_a_create_command_with_a_used_id_leaves_an_orphan(demo):
    chosen = str(uuid.uuid4())
    demo("deployVirtualMachine", **demo.deploying(name="web"), customjobid=chosen)
    refused(431, demo, "deployVirtualMachine", **demo.deploying(name="orphan"), customjobid=chosen)
    assert demo.rows("listVirtualMachines", name="orphan")[0]["state"] == "Stopped"


def test_jobs_and_history_are_listed_for_their_account_only(demo, other):
    demo.machine()
    assert demo.rows("listAsyncJobs")[0]["jobstatus"] == 1
    assert demo.rows("listAsyncJobs", keyword="StopVM") == []
    assert [event["type"] for event in demo.rows("listEvents")] == ["VM.CREATE"]
    assert other("listAsyncJobs") == {}
    assert other("listEvents") == {}


def test_tags_are_set_beside_a_running_deploy(simulate, session, clock):
    demo = Caller(simulate(job_delay=None, clock=clock), "demo", session)
    machine = demo("deployVirtualMachine", **demo.deploying())
    tagging = {"resourceids": machine["id"], "resourcetype": "UserVm", "tags[0].key": "a", "tags[0].value": "b"}
    job = demo("createTags", **tagging)["jobid"]
    clock.advance(0.3)
    assert demo("queryAsyncJobResult", jobid=job)["jobresult"] == {"success": True}
    (row,) = demo.rows("listVirtualMachines")
    assert (row["state"], row["jobid"], row["tags"][0]["value"]) == ("Starting", machine["jobid"], "b")


def test_a_key_that_is_there_already_fails_the_tagging(demo):
    machine = demo.machine()
    tags = {"resourceids": machine["id"], "resourcetype": "uservm", "tags[0].key": "k", "tags[0].value": "v"}
    assert demo.job("createTags", **tags)["jobstatus"] == 1
    assert demo.job("createTags", **tags)["jobresultcode"] == 530
    assert demo.rows("listVirtualMachines", **{"tags[0].key": "k", "tags[0].value": "w"}) == []
    either = {"tags[0].key": "k", "tags[0].value": "v", "tags[1].key": "z", "tags[1].value": "z"}
    assert len(demo.rows("listVirtualMachines", **either)) == 1
    assert [row["key"] for row in demo.rows("listTags", resourceid=machine["id"])] == ["k"]
    assert demo.job("deleteTags", **(tags | {"tags[0].value": "w"}))["jobstatus"] == 1
    assert len(demo.rows("listTags")) == 1
    demo.job("deleteTags", resourceids=machine["id"], resourcetype="UserVm")
    assert demo("listTags") == {}
