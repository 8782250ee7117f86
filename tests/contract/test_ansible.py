"""Ansible's google.cloud collection: what is there already is left as it is, and what is gone stays gone."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract import installed
from tests.live import Live

ZONE, REGION = "de-adv1", "de"
GOOGLE = "https://www.googleapis.com/compute/v1"
BOOT = {"boot": True, "auto_delete": True,
        "initialize_params": {"source_image": "projects/demo/global/images/debian-12", "disk_size_gb": 4}}
TASK = re.compile(r"^TASK \[([^]]+)\] \*+\n(?:\[WARNING\].*\n)*(\w+): \[localhost\]", re.MULTILINE)


def made(name: str) -> str:
    """What the task for this name was told, as the modules want their references."""
    return "{{ " + name.replace("-", "_") + " }}"


def at(path: str) -> dict[str, str]:
    """A reference to what no task made."""
    return {"selfLink": f"{GOOGLE}/projects/demo/{path}"}


NETWORK = at("global/networks/demo-network")
NIC = {"network": NETWORK, "access_configs": [{"name": "External NAT", "type": "ONE_TO_ONE_NAT"}]}
WISHES: list[tuple[str, dict[str, Any]]] = [
    ("network", {"name": "ans-auto", "auto_create_subnetworks": True, "description": "For Ansible"}),
    ("network", {"name": "ans-net", "auto_create_subnetworks": False, "routing_config": {"routing_mode": "REGIONAL"}}),
    ("subnetwork", {"name": "ans-tier", "region": REGION, "network": made("ans-net"), "ip_cidr_range": "10.7.1.0/24",
                    "description": "A tier"}),
    ("route", {"name": "ans-route", "network": made("ans-net"), "dest_range": "192.168.9.0/24",
               "next_hop_ip": "10.7.1.9"}),
    ("firewall", {"name": "ans-wall", "network": at("global/networks/default"), "source_ranges": ["10.0.0.0/8"],
                  "allowed": [{"ip_protocol": "tcp", "ports": [22, "80-90"]}, {"ip_protocol": "icmp"}],
                  "target_tags": ["web"], "direction": "INGRESS", "priority": 1000, "description": "Doors"}),
    ("address", {"name": "ans-address", "region": REGION, "network": NETWORK, "description": "In front"}),
    ("disk", {"name": "ans-disk", "zone": ZONE, "size_gb": 5, "type": "pd-standard", "labels": {"a": "b"},
              "description": "Data"}),
    ("instance", {
        "name": "ans-vm", "zone": ZONE, "machine_type": "micro", "labels": {"env": "prod"}, "tags": {"items": ["web"]},
        "metadata": {"role": "front"}, "deletion_protection": False, "can_ip_forward": False,
        "scheduling": {"automatic_restart": True, "on_host_maintenance": "MIGRATE", "preemptible": False},
        "disks": [BOOT, {"source": made("ans-disk"), "auto_delete": False, "device_name": "data"}],
        "network_interfaces": [{"network": NETWORK, "access_configs": [
            {"name": "External NAT", "type": "ONE_TO_ONE_NAT", "nat_ip": made("ans-address")}]}],
    }),
    ("snapshot", {"name": "ans-copy", "zone": ZONE, "source_disk": made("ans-disk"), "labels": {"a": "b"},
                  "description": "Copy"}),
    ("image", {"name": "ans-image", "source_snapshot": at("global/snapshots/ans-copy"), "family": "ans",
               "labels": {"a": "b"}, "description": "Image"}),
    ("http_health_check", {"name": "ans-check", "port": 8080, "request_path": "/up", "host": "www.example"}),
    ("target_pool", {"name": "ans-pool", "region": REGION, "instances": [made("ans-vm")],
                     "health_check": made("ans-check"), "session_affinity": "NONE", "description": "Front ends"}),
    ("forwarding_rule", {"name": "ans-rule", "region": REGION, "target": "{{ ans_pool.selfLink }}",
                         "ip_protocol": "TCP", "port_range": "80-80", "load_balancing_scheme": "EXTERNAL",
                         "description": "The way in"}),
    ("target_instance", {"name": "ans-target", "zone": ZONE, "instance": made("ans-vm"), "nat_policy": "NO_NAT"}),
    ("instance_template", {"name": "ans-template", "description": "Front", "properties": {
        "machine_type": "micro", "labels": {"a": "b"}, "metadata": {"role": "front"}, "tags": {"items": ["web"]},
        "scheduling": {"automatic_restart": True}, "disks": [BOOT], "network_interfaces": [NIC]}}),
    ("instance_group", {"name": "ans-group", "zone": ZONE, "network": NETWORK, "instances": [made("ans-vm")],
                        "named_ports": [{"name": "http", "port": 80}], "description": "Front ends"}),
]
"""In the order in which they need one another."""


class Ansible:
    """Ansible set up by `gcelib client ansible`."""

    def __init__(self, live: Live, home: Path) -> None:
        live.sign_in()
        self.home = home
        gcelib = f'exec {shlex.quote(sys.executable)} -m gcelib "$@"'
        path = installed.programs(home / "programs", {"gcelib": gcelib, **installed.ansible_lines()})
        installed.skip_without(installed.has_ansible(path), "Ansible with the google.cloud collection")
        self.environment = {
            **installed.environment(), "PATH": path, "HOME": str(home), "GCELIB_CONFIG": str(live.config),
            "LC_ALL": "C.UTF-8", "ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1",
        }
        live.run("client", "ansible", "--project", "demo", "--key-file", str(live.key_file), "--write", f"{home}/gce")

    def run(self, command: str, fails: bool = False) -> str:
        """What a shell with the set-up says to a command."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"source gce/env.sh; {command}"], cwd=self.home,
                              env=self.environment, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode != 0) == fails, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def play(self, *plays: list[dict[str, Any]], fails: bool = False) -> str:
        """What a playbook prints whose plays have these tasks."""
        auth = {"project": "demo", "auth_kind": "accesstoken", "access_token": "{{ lookup('env', 'GCELIB_TOKEN') }}",
                "scopes": ["https://www.googleapis.com/auth/compute"]}
        (self.home / "play.json").write_text(json.dumps([
            {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks,
             "module_defaults": {"group/google.cloud.gcp": auth}} for tasks in plays
        ]))
        return self.run("ansible-playbook play.json", fails)

    def twice(self, tasks: list[dict[str, Any]]) -> list[dict[str, str]]:
        """How each task went, by its name, when they are played and when they are played again: ok or changed.

        Both are in one playbook: Ansible packs each module once for it, which is a third of what it computes.
        """
        _, *said = self.play(tasks, tasks).split("\nPLAY [localhost]")
        return [dict(TASK.findall(play)) for play in said]


@pytest.fixture(scope="module")
def ansible(plain: Live, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Set up for the server; skips where it is not installed."""
    return Ansible(plain, tmp_path_factory.mktemp("ansible"))


def task(kind: str, wish: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task that remembers what it was told under the wish's name."""
    return {"name": wish["name"], f"google.cloud.gcp_compute_{kind}": {**wish, **more},
            "register": wish["name"].replace("-", "_")}


def gone(kind: str, wish: dict[str, Any]) -> dict[str, Any]:
    """A task that removes it; what it refers to need not be there."""
    flat = json.loads(re.sub(r'"\{\{ [\w.]+ \}\}"', '{"selfLink": "x", "name": "ans-disk"}', json.dumps(wish)))
    return task(kind, {**flat, "target": "x"} if "target" in flat else flat, state="absent")


def test_a_second_run_changes_nothing_neither_making_nor_removing(ansible: Ansible, plain: Live) -> None:
    names = [wish["name"] for _, wish in WISHES]
    making = [task(kind, wish) for kind, wish in WISHES]
    assert ansible.twice(making) == [dict.fromkeys(names, "changed"), dict.fromkeys(names, "ok")]
    machine = plain.api().get(f"zones/{ZONE}/instances/ans-vm")
    address = plain.api().get(f"regions/{REGION}/addresses/ans-address")
    assert machine["networkInterfaces"][0]["accessConfigs"][0]["natIP"] == address["address"]
    assert [disk["deviceName"] for disk in machine["disks"]] == ["persistent-disk-0", "data"]
    seen(ansible)
    removing = [gone(kind, wish) for kind, wish in reversed(WISHES)]
    assert ansible.twice(removing) == [dict.fromkeys(names, "changed"), dict.fromkeys(names, "ok")]


ASKED: dict[str, tuple[dict[str, str], list[str]]] = {
    "disk": ({"zone": ZONE}, ["ans-disk", "ans-vm"]), "instance": ({"zone": ZONE}, ["ans-vm"]),
    "network": ({}, ["ans-auto", "ans-net"]), "snapshot": ({}, ["ans-copy"]),
    "subnetwork": ({"region": REGION}, ["ans-auto", "ans-tier"]), "target_pool": ({"region": REGION}, ["ans-pool"]),
}
"""What the modules that ask are told, and the names they should answer."""


def seen(ansible: Ansible) -> None:
    """What is there is in the answers of the modules that ask, and in the inventory."""
    tasks: list[dict[str, Any]] = []
    for kind, (where, _) in ASKED.items():
        asking = {**where, "filters": ["name = ans-*"]}
        found = f"{kind} {{{{ found.resources | map(attribute='name') | sort | join(' ') }}}}."
        tasks += [{"name": kind, f"google.cloud.gcp_compute_{kind}_info": asking, "register": "found"},
                  {"name": f"show {kind}", "ansible.builtin.debug": {"msg": found}}]
    said = ansible.play(tasks)
    assert [kind for kind, (_, names) in ASKED.items() if f'"{kind} {" ".join(names)}."' not in said] == []
    (ansible.home / "demo.gcp_compute.yml").write_text(json.dumps({
        "plugin": "google.cloud.gcp_compute", "projects": ["demo"], "auth_kind": "accesstoken", "hostnames": ["name"],
        "filters": ["status = RUNNING", "labels.env = prod"], "keyed_groups": [{"key": "labels.env", "prefix": "env"}],
    }))
    shown = json.loads(ansible.run(
        'export GCP_ACCESS_TOKEN="$GCELIB_TOKEN"; ansible-inventory -i demo.gcp_compute.yml --list'))
    assert shown["env_prod"]["hosts"] == ["ans-vm"]


def test_what_differs_is_changed_and_a_machine_is_stopped_and_started(ansible: Ansible, plain: Live) -> None:
    machine = {"name": "ans-power", "zone": ZONE, "machine_type": "micro", "disks": [BOOT], "network_interfaces": [NIC]}
    wall = {"name": "ans-moved", "network": at("global/networks/default"), "allowed": [{"ip_protocol": "icmp"}]}
    steps = [
        ("made", "instance", {**machine, "labels": {"env": "prod"}}),
        ("wall", "firewall", {**wall, "source_ranges": ["10.0.0.0/8"]}),
        ("labelled", "instance", {**machine, "labels": {"env": "test"}}),
        ("stopped", "instance", {**machine, "labels": {"env": "test"}, "status": "TERMINATED"}),
        ("moved", "firewall", {**wall, "source_ranges": ["10.1.0.0/16"]}),
        ("started", "instance", {**machine, "labels": {"env": "test"}, "status": "RUNNING"}),
    ]
    ansible.play([{**task(kind, wish), "name": name} for name, kind, wish in steps])
    api = plain.api()
    found = api.get(f"zones/{ZONE}/instances/ans-power")
    assert (found["status"], found["labels"]) == ("RUNNING", {"env": "test"})
    assert api.get("global/firewalls/ans-moved")["sourceRanges"] == ["10.1.0.0/16"]
    ansible.play([gone("instance", machine), gone("firewall", wall)])


def test_a_refusal_is_shown_in_the_servers_words(ansible: Ansible) -> None:
    wish = {"name": "Not_a_name", "zone": ZONE, "size_gb": 5}
    said = ansible.play([task("disk", wish)], fails=True)
    assert "Invalid value for field 'resource.name': 'Not_a_name'" in said
