"""Many machines and many clients at once, within bounds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.simulator.client import Caller


def test_five_hundred_rows_come_quickly(simulate, session):
    demo = Caller(simulate(preload=1000), "demo", session)
    sent = demo.parameters("listVirtualMachines", page=2, pagesize=500)
    times = []
    for _ in range(7):
        begun = time.perf_counter()
        answer = session.get(demo.url, params=sent)
        times.append(time.perf_counter() - begun)
    assert len(answer.content) > 500 * 1500
    assert min(times) < 0.1


def test_two_hundred_clients_are_served_at_once(simulate):
    simulator = simulate(tenants=[f"t{number}" for number in range(20)])

    def work(number: int) -> str:
        with requests.Session() as session:
            caller = Caller(simulator, f"t{number % 20}", session)
            caller("listZones")
            made = caller("createSecurityGroup", name=f"g{number}")["securitygroup"]["name"]
            caller("listSecurityGroups")
            return made

    with ThreadPoolExecutor(100) as pool:
        made = list(pool.map(work, range(200)))
    assert sorted(made) == sorted(f"g{number}" for number in range(200))


def test_racing_deploys_of_one_name_make_one_machine(simulate):
    simulator = simulate()

    def deploy(_number: int) -> int:
        with requests.Session() as session:
            demo = Caller(simulator, "demo", session)
            return demo.raw("deployVirtualMachine", **demo.deploying(name="web")).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(deploy, range(8)))
    assert codes == [200] + [431] * 7
    assert len(simulator.world.machines()) == 1
