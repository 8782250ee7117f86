"""examples/kubernetes, as its pages say it: made by each of three clients, found on the cloud, and gone again."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.conftest import launched, portal
from tests.contract import installed
from tests.documents import blocks
from tests.documents.loaded import Gcloud
from tests.live import Live

FOLDER = Path(__file__).parent.parent.parent / "examples" / "kubernetes"
MACHINES = ["etcd-1", "etcd-2", "etcd-3", "worker-1", "worker-2"]
ZONE = re.compile(r"\bZONE=(\S+)")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Simulator]:
    """Whose jobs take a twentieth of a second."""
    with Simulator(job_delay=0.05) as made:
        yield made


@pytest.fixture(scope="module")
def server(cloud: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """gcelib before it."""
    live = launched(tmp_path_factory.mktemp("server"), cloud)
    live.sign_in()
    yield live
    assert live.stop() == 0
    assert "Traceback" not in live.said(), live.said()


class Shell:
    """What a reader types in a copy of one client's folder."""

    def __init__(self, server: Live, client: str, home: Path, gcloud: Gcloud) -> None:
        self.page = (FOLDER / client / "README.md").read_text()
        self.folder = home / "kubernetes" / client
        shutil.copytree(FOLDER, home / "kubernetes")
        path = installed.programs(home / "programs", {
            "gcloud": gcloud.line, "gcelib": f'exec {shlex.quote(sys.executable)} -m gcelib "$@"',
            "python3": f'exec {shlex.quote(sys.executable)} "$@"', **installed.ansible_lines(),
        })
        self.environment: Mapping[str, str] = {
            **{name: os.environ[name] for name in ("CLOUDSDK_PYTHON",) if name in os.environ},
            **installed.environment(), "PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "ANSIBLE_PIPELINING": "1",
            "GCELIB_CONFIG": str(server.config), "PROJECT": "demo", "KEY_FILE": str(server.key_file),
        }

    def run(self, text: str) -> str:
        """What the shell says."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=self.folder, env=self.environment,
                              text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=200, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def gcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud]:
    """gcloud, loaded once."""
    made = Gcloud(tmp_path_factory.mktemp("gcloud"))
    yield made
    made.close()


@pytest.fixture
def shell(client: str, server: Live, gcloud: Gcloud, tmp_path: Path) -> Shell:
    """In the client's folder, where that client is installed."""
    made = Shell(server, client, tmp_path, gcloud)
    if client == "gcloud" and not shutil.which("gcloud"):
        pytest.skip("gcloud is not installed")
    if client == "ansible":
        there = installed.has_ansible(made.environment["PATH"])
        installed.skip_without(there, "Ansible with the google.cloud collection")
    return made


@pytest.mark.parametrize("client", ["gcloud", "ansible", "python"])
def test_the_cluster_is_made_and_taken_away(client: str, shell: Shell, server: Live, cloud: Simulator) -> None:
    zone = ZONE.findall(shell.page)[0]
    making, removing = shell.page.split("## Take it away")
    said = shell.run("\n".join([*(block.text for block in blocks(making)), "declare -px > kept"]))
    seen(portal(cloud), server, zone, said)
    shell.run("\n".join(["source kept", *(block.text for block in blocks(removing))]))
    nothing_left(portal(cloud), server, zone)


@pytest.mark.parametrize("client", ["gcloud"])
def test_by_gcloud_it_is_made_where_there_are_security_groups_too(
    client: str, shell: Shell, server: Live, cloud: Simulator
) -> None:
    setting = 'export ZONE=fr-sg1 TOKEN=secret; eval "$(gcelib client gcloud --project demo --key-file $KEY_FILE)"'
    said = shell.run(f"{setting}; ./up.sh")
    seen(portal(cloud), server, "fr-sg1", said)
    shell.run(f"{setting}; ./down.sh")
    nothing_left(portal(cloud), server, "fr-sg1")


UP = {"gcloud": "./up.sh", "ansible": "source gce/env.sh; ansible-playbook up.yml", "python": "python3 cluster.py up"}


@pytest.mark.parametrize("client", UP)
def test_without_a_secret_nothing_is_begun(client: str, shell: Shell, cloud: Simulator) -> None:
    shell.run(f"gcelib client {client} --project demo --key-file $KEY_FILE --write gce")
    said = shell.run(f"export PYTHONPATH=$PWD/gce ZONE=fr-sg1 PROJECT; if ( {UP[client]} ) 2>&1; then exit 1; fi")
    assert "openssl rand -hex 16" in said
    assert portal(cloud).listVirtualMachines(fetch_list=True) == []


def seen(portal: CloudStack, server: Live, zone: str, said: str) -> None:
    """The cluster is on the cloud, as the cloud's own portal shows it, and in gcelib's groups."""
    machines = {each["name"]: each for each in portal.listVirtualMachines(fetch_list=True)}
    assert sorted(machines) == MACHINES
    assert {each["state"] for each in machines.values()} == {"Running"}
    for name, machine in machines.items():
        told = portal.getVirtualMachineUserData(virtualmachineid=machine["id"])["virtualmachineuserdata"]["userdata"]
        user_data = base64.b64decode(told).decode()
        assert user_data.startswith("#cloud-config\n")
        assert ("ETCD_INITIAL_CLUSTER=etcd-1=" in user_data, "get.k3s.io" in user_data) == (name < "f", name > "f")
        assert "@TOKEN@" not in user_data.replace("of @TOKEN@", "")
    api = server.api()
    for group, ports in (("etcd", {"client": 2379, "peer": 2380}), ("worker", {"api": 6443, "kubelet": 10250})):
        shown = api.get(f"zones/{zone}/instanceGroups/{group}")
        assert {each["name"]: each["port"] for each in shown["namedPorts"]} == ports
        assert shown["size"] == len([name for name in MACHINES if name.startswith(group)])
    (outside if zone == "de-adv1" else between)(portal, machines, said)


def outside(portal: CloudStack, machines: Mapping[str, Mapping[str, Any]], said: str) -> None:
    """In a network of one's own: an address before the workers' API, and the workers' ports open to the world."""
    (rule,) = portal.listLoadBalancerRules(fetch_list=True)
    assert (rule["name"], rule["publicport"], rule["privateport"]) == ("kubernetes", "6443", "6443")
    behind = portal.listLoadBalancerRuleInstances(id=rule["id"], fetch_list=True)
    assert sorted(each["name"] for each in behind) == ["worker-1", "worker-2"]
    assert f"https://{rule['publicip']}:6443" in said
    opened = {(each["startport"], each["endport"]) for each in portal.listFirewallRules(fetch_list=True)
              if each["ipaddress"] == machines["worker-1"]["publicip"]}
    assert {(22, 22), (6443, 6443), (30000, 32767)} <= opened
    assert "publicip" not in machines["etcd-1"]


def between(portal: CloudStack, machines: Mapping[str, Mapping[str, Any]], said: str) -> None:
    """With security groups: etcd lets in etcd and workers and nobody else, workers let in the world."""
    groups = {each["name"]: each.get("ingressrule", []) for each in portal.listSecurityGroups(fetch_list=True)}
    joined = {name: {group["name"] for group in machine["securitygroup"]} for name, machine in machines.items()}
    to_etcd = [rule for name in joined["etcd-1"] for rule in groups[name]]
    assert {(rule["startport"], rule["endport"]) for rule in to_etcd} == {(2379, 2380)}
    assert not any("cidr" in rule for rule in to_etcd)
    assert {rule["securitygroupname"] for rule in to_etcd} <= joined["etcd-1"] | joined["worker-1"]
    to_worker = [rule for name in joined["worker-1"] for rule in groups[name]]
    world = {(rule["startport"], rule["endport"]) for rule in to_worker if "cidr" in rule}
    assert world == {(22, 22), (6443, 6443), (30000, 32767)}


def nothing_left(portal: CloudStack, server: Live, zone: str) -> None:
    """No machine, rule or address of the cluster's is on the cloud, and no group in gcelib."""
    assert portal.listVirtualMachines(fetch_list=True) == []
    assert portal.listLoadBalancerRules(fetch_list=True) == []
    assert [each for each in portal.listPublicIpAddresses(fetch_list=True) if not each["issourcenat"]] == []
    assert [each for each in portal.listSecurityGroups(fetch_list=True) if each.get("ingressrule")] == []
    assert server.api().get(f"zones/{zone}/instanceGroups").get("items", []) == []
    assert server.api().get("global/firewalls").get("items", []) == []
