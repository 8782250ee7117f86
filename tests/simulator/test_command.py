"""`gcelib simulator` as a process, and steering it over HTTP."""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys

import pytest
import requests
from cs import CloudStack

from gcelib.cli import simulator as command

LAUNCH = """
import argparse, sys
from gcelib.cli import simulator
parser = argparse.ArgumentParser()
simulator.add(parser.add_subparsers())
args = parser.parse_args(sys.argv[1:])
sys.exit(args.func(args))
"""


@pytest.fixture
def launch():
    """Starts the command and gives the process and the lines it printed up to `ready`."""
    running = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, "simulator", "--listen", "127.0.0.1:0", *words],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        lines = list(iter(lambda: process.stdout.readline().strip() or "ready", "ready"))
        return process, lines

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def client(lines, name="demo"):
    url = lines[0].removeprefix("url ")
    keys = dict(re.match(r"account (\S+) key (.*)", line).groups() for line in lines[1:])
    key, secret = keys[name].split(" secret ")
    return CloudStack(endpoint=url, key=key, secret=secret, poll_interval=0.05), url


def parse(*words):
    parser = argparse.ArgumentParser(exit_on_error=False)
    command.add(parser.add_subparsers())
    return parser.parse_args(["simulator", *words])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_url_and_keys_serves_and_ends_well(launch, number):
    process, lines = launch("--machines", "3", "--job-delay", "0")
    cloud, _ = client(lines)
    assert len(cloud.listVirtualMachines(fetch_list=True)) == 3
    process.send_signal(number)
    assert process.wait(10) == 0


def test_a_running_simulator_is_steered_over_http(launch):
    _, lines = launch("--job-delay", "0", "--zones", "CH-GV2")
    cloud, url = client(lines)
    base = url.removesuffix("/client/api") + "/simulator"
    planned = requests.post(f"{base}/faults", json={"kind": "html", "command": "listZones"}).json()
    assert planned["faults"][0]["kind"] == "html"
    with pytest.raises(Exception, match="503"):
        cloud.listZones()
    assert requests.get(f"{base}/faults").json() == {"faults": []}
    zone = cloud.listZones(fetch_list=True)[0]["id"]
    template = cloud.listTemplates(templatefilter="featured", fetch_list=True)[0]["id"]
    size = cloud.listServiceOfferings(fetch_list=True)[0]["id"]
    made = cloud.deployVirtualMachine(zoneid=zone, templateid=template, serviceofferingid=size, name="web",
                                      fetch_result=True)["virtualmachine"]  # fmt: skip
    cloud.destroyVirtualMachine(id=made["id"], fetch_result=True)
    (row,) = requests.get(f"{base}/machines").json()["machines"]
    assert (row["name"], row["state"], row["account"], row["zone"]) == ("web", "Destroyed", "demo", "CH-GV2")
    assert requests.post(f"{base}/expunge").json() == {"expunged": [made["id"]]}
    assert requests.get(f"{base}/machines").json() == {"machines": []}


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("POST", "faults", "not json", 400), ("POST", "faults", '{"kind": "boom"}', 400), ("POST", "faults", "[1]", 400),
    ("GET", "nothing", "", 404), ("DELETE", "machines", "", 404), ("DELETE", "faults", "", 200),
])  # fmt: skip
def test_steering_that_makes_no_sense_is_refused_in_words(simulator, method, path, body, status):
    answer = requests.request(method, f"{simulator.base_url}/simulator/{path}", data=body)
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status != 200)


def test_faults_come_from_words_and_from_files(tmp_path):
    plan = tmp_path / "faults.json"
    plan.write_text(json.dumps([{"kind": "reset", "times": 3}]))
    made = command._simulator(parse("--faults", str(plan), "kind=job_fail,command=deployVirtualMachine"))
    assert [(row["kind"], row["times"]) for row in made.faults.rows()] == [("reset", 3), ("job_fail", 1)]


@pytest.mark.parametrize("words", [
    ("--faults", "kind=boom"), ("--listen", "nowhere"), ("--listen", "127.0.0.1:99999"),
    ("--faults", "missing.json"), ("--machines", "100000"), ("--zones", "DE-ADV1", "--machines", "1"),
])  # fmt: skip
def test_what_makes_no_sense_ends_with_1_and_a_reason(capsys, words):
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert command.run(parse(*words)) == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err.startswith("gcelib simulator: ")


def test_the_help_teaches():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    command.add(commands)
    text = commands.choices["simulator"].format_help()
    for word in ("CH-GV2", "shared-project", "kind=job_fail", "/simulator/faults"):
        assert word in text
