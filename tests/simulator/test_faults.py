"""What goes wrong on demand, and what is true afterwards."""

from __future__ import annotations

import time

import pytest
import requests

from gcelib.simulator import Fault, FaultPlan
from tests.simulator.client import Refusal


def names(simulator):
    return [row["name"] for row in simulator.world.machines()]


def test_a_refusal_has_the_status_and_code_asked_for(simulator, demo):
    simulator.faults.add("listZones", "status", status=503, errorcode=503, text="in maintenance")
    with pytest.raises(Refusal, match="in maintenance") as refused:
        demo("listZones")
    assert (refused.value.status, refused.value.code) == (503, 503)
    assert demo("listZones")


def test_a_proxys_page_and_garbage_are_no_json(simulator, demo):
    simulator.faults.add("*", "html")
    page = demo.raw("listZones")
    assert (page.status_code, page.headers["Content-Type"]) == (503, "text/html")
    simulator.faults.add("*", "garbage")
    garbage = demo.raw("listZones")
    assert garbage.status_code == 200
    with pytest.raises(ValueError):
        garbage.json()


def test_a_reset_before_does_nothing_and_a_reset_after_has_done_it(simulator, demo):
    deploy = demo.deploying(name="lost")
    simulator.faults.add("deployVirtualMachine", "reset")
    with pytest.raises(requests.ConnectionError):
        demo("deployVirtualMachine", **deploy)
    assert names(simulator) == []
    simulator.faults.add("deployVirtualMachine", "reset_after")
    with pytest.raises(requests.ConnectionError):
        demo("deployVirtualMachine", **deploy)
    assert names(simulator) == ["lost"]
    assert demo("listZones")


def test_a_truncated_answer_ends_in_the_middle(simulator, demo):
    simulator.faults.add("listZones", "truncate")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        demo.raw("listZones")
    assert demo("listZones")


def test_a_slow_answer_holds_nobody_else_up(simulator, demo, other):
    simulator.faults.add("listZones", "delay", seconds=30, account="demo")
    sent = demo.parameters("listZones")
    with requests.Session() as impatient, pytest.raises(requests.ReadTimeout):
        impatient.get(simulator.url, params=sent, timeout=0.2)
    begun = time.monotonic()
    assert other("listZones")["count"] == 3
    assert time.monotonic() - begun < 5


def test_a_failed_first_start_leaves_a_machine_in_error_that_holds_its_name(simulator, demo):
    simulator.faults.add("deployVirtualMachine", "job_fail", errorcode=533, text="no host has room")
    job = demo.job("deployVirtualMachine", **demo.deploying(name="web"))
    assert (job["jobstatus"], job["jobresult"]) == (2, {"errorcode": 533, "errortext": "no host has room"})
    (machine,) = demo.rows("listVirtualMachines")
    assert machine["state"] == "Error"
    with pytest.raises(Refusal):
        demo("deployVirtualMachine", **demo.deploying(name="web"))
    assert demo.job("destroyVirtualMachine", id=machine["id"])["jobstatus"] == 1
    assert names(simulator) == []
    assert demo.machine(name="web")["state"] == "Running"


def test_a_failed_stop_leaves_the_machine_running(simulator, demo):
    machine = demo.machine(name="web")["id"]
    simulator.faults.add("stopVirtualMachine", "job_fail")
    assert demo.job("stopVirtualMachine", id=machine)["jobresultcode"] == 530
    assert demo.rows("listVirtualMachines")[0]["state"] == "Running"


def test_a_stuck_job_never_ends(simulate, session, clock):
    from tests.simulator.client import Caller

    simulator = simulate(clock=clock)
    demo = Caller(simulator, "demo", session)
    simulator.faults.add("deployVirtualMachine", "job_stuck")
    started = demo("deployVirtualMachine", **demo.deploying())
    clock.advance(100000)
    assert demo("queryAsyncJobResult", jobid=started["jobid"])["jobstatus"] == 0
    assert demo.rows("listVirtualMachines")[0]["state"] == "Starting"


def test_a_lost_job_has_done_its_work(simulator, demo):
    simulator.faults.add("deployVirtualMachine", "job_lost")
    started = demo("deployVirtualMachine", **demo.deploying())
    demo("queryAsyncJobResult", jobid=started["jobid"])
    with pytest.raises(Refusal) as refused:
        demo("queryAsyncJobResult", jobid=started["jobid"])
    assert refused.value.code == 431
    assert demo.rows("listVirtualMachines")[0]["state"] == "Running"


def test_a_restart_of_the_server_fails_the_job_without_a_result(simulator, demo):
    simulator.faults.add("deployVirtualMachine", "job_restart")
    job = demo.job("deployVirtualMachine", **demo.deploying())
    assert (job["jobstatus"], job["jobresultcode"]) == (2, 530)
    assert "jobresult" not in job
    assert demo.rows("listVirtualMachines")[0]["state"] == "Starting"


def test_things_happen_behind_the_clients_back(simulator, demo):
    demo.machine(name="web")
    simulator.world.set_state("web", "Stopped")
    assert demo.rows("listVirtualMachines")[0]["state"] == "Stopped"
    simulator.vanish("web")
    assert demo("listVirtualMachines") == {}
    assert demo.machine(name="web")


def test_a_plan_counts_skips_and_clears():
    plan = FaultPlan()
    plan.add("a", "html", times=2, skip=1, account="demo")
    assert not plan.take("b", "demo", ("html",))
    assert not plan.take("a", "other", ("html",))
    assert [len(plan.take("a", "demo", ("html",))) for _ in range(4)] == [0, 1, 1, 0]
    plan.add_text("kind=delay,command=a,seconds=2.5,times=0")
    assert [fault.seconds for _ in range(3) for fault in plan.take("a", "", ("delay",))] == [2.5] * 3
    assert plan.rows()[0]["hits"] == 3
    plan.clear()
    assert plan.rows() == []


@pytest.mark.parametrize("text", ["kind=boom", "kind=delay,seconds=-1", "reset", "kind=reset,colour=red",
                                  "kind=status,status=200", "kind=reset,times=often"])  # fmt: skip
def test_a_fault_that_makes_no_sense_is_refused(text):
    plan = FaultPlan()
    with pytest.raises(ValueError):
        plan.add_text(text)
    assert plan.rows() == []


def test_a_fault_says_what_it_is():
    assert Fault(kind="reset").command == "*"
