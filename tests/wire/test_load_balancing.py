"""Load balancing over the wire: pools, the rules that lead to them, and what of both is on the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import Launch, launched, portal
from tests.wire.machines import machine

HERE = "zones/de-adv1/instances"
POOLS, RULES, CHECKS = "regions/de/targetPools", "regions/de/forwardingRules", "global/httpHealthChecks"
DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]


class Farm:
    """Two machines in an isolated network, and the cloud's own view of what stands before them."""

    def __init__(self, api: Api, cloud: Simulator) -> None:
        self.api, self.cloud, self.portal = api, cloud, portal(cloud)
        nics = [{"network": "global/networks/demo-network"}]
        for name in ("one", "two"):
            api.change("POST", HERE, machine(name, "de-adv1", disks=DISKS, networkInterfaces=nics))

    def pool(self, name: str, *machines: str, **fields: Any) -> Any:
        """A pool of these machines."""
        self.api.change("POST", POOLS, {"name": name, "instances": [f"{HERE}/{each}" for each in machines], **fields})
        return self.api.get(f"{POOLS}/{name}")

    def rule(self, name: str, **fields: Any) -> Any:
        """A forwarding rule."""
        self.api.change("POST", RULES, {"name": name, "portRange": "80", "IPProtocol": "TCP", **fields})
        return self.api.get(f"{RULES}/{name}")

    def rows(self, name: str) -> list[Any]:
        """The cloud's rules of this name, by port."""
        found = self.portal.listLoadBalancerRules(name=name).get("loadbalancerrule", [])
        return sorted(found, key=lambda row: int(row["publicport"]))

    def behind(self, row: Any) -> set[str]:
        """The names of the machines behind a rule."""
        found = self.portal.listLoadBalancerRuleInstances(id=row["id"]).get("loadbalancerruleinstance", [])
        return {each["name"] for each in found}

    def ips(self) -> set[str]:
        """Every public address of the account."""
        return {row["ipaddress"] for row in self.portal.listPublicIpAddresses().get("publicipaddress", [])}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """One for all tests here; each cleans up what it makes."""
    cloud = Simulator(job_delay=0.05)
    cloud.start()
    server = launched(tmp_path_factory.mktemp("farm"), cloud)
    yield Farm(server.api(), cloud)
    server.stop()
    cloud.stop()


def named(links: list[str]) -> list[str]:
    """The last words of links."""
    return [link.rpartition("/")[2] for link in links]


def test_a_health_check_reads_back_and_is_kept_while_a_pool_has_it(farm: Farm) -> None:
    api = farm.api
    api.change("POST", CHECKS, {"name": "web", "port": 8080, "host": "www.example", "description": "ö"})
    found = api.get(f"{CHECKS}/web")
    assert (found["port"], found["host"], found["description"], found["timeoutSec"]) == (8080, "www.example", "ö", 5)
    assert api.call("POST", CHECKS, {"name": "web"}).status == 409
    api.change("PATCH", f"{CHECKS}/web", {"port": "8081"})
    assert [api.get(f"{CHECKS}/web")[key] for key in ("port", "host")] == [8081, "www.example"]
    api.change("PUT", f"{CHECKS}/web", {"name": "web", "requestPath": "/up"})
    found = api.get(f"{CHECKS}/web")
    assert (found["port"], found["requestPath"], "host" in found) == (80, "/up", False)
    for body in ({"timeoutSec": 9}, {"port": 0}, {"requestPath": "up"}, {"healthyThreshold": 11}):
        refused = api.call("PATCH", f"{CHECKS}/web", body)
        assert (refused.status, f"resource.{next(iter(body))}" in refused.message) == (400, True)
    farm.pool("checked")
    done = api.change("POST", f"{POOLS}/checked/addHealthCheck", {"healthChecks": [{"healthCheck": f"{CHECKS}/web"}]})
    assert "getHealth tells which machines run" in done["warnings"][0]["message"]
    assert named(api.get(f"{POOLS}/checked")["healthChecks"]) == ["web"]
    busy = api.call("DELETE", f"{CHECKS}/web")
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    api.change("POST", f"{POOLS}/checked/removeHealthCheck", {"healthChecks": [{"healthCheck": f"{CHECKS}/web"}]})
    assert "healthChecks" not in api.get(f"{POOLS}/checked")
    api.change("DELETE", f"{CHECKS}/web")
    api.change("DELETE", f"{POOLS}/checked")
    assert "items" not in api.get(CHECKS)


def test_a_pool_waits_until_a_rule_leads_to_it(farm: Farm) -> None:
    found = farm.pool("waiting", "one", description="Web", sessionAffinity="CLIENT_IP")
    assert (found["description"], found["sessionAffinity"], named(found["instances"])) == ("Web", "CLIENT_IP", ["one"])
    assert farm.portal.listLoadBalancerRules() in ({}, {"count": 0})
    before = farm.ips()
    rule = farm.rule("front", target=f"{POOLS}/waiting", description="Public", labels={"a": "b"})
    shown = {key: rule[key] for key in ("portRange", "IPProtocol", "description", "labels", "loadBalancingScheme")}
    assert shown == {"portRange": "80-80", "IPProtocol": "TCP", "description": "Public", "labels": {"a": "b"},
                     "loadBalancingScheme": "EXTERNAL"}
    assert rule["target"] == found["selfLink"]
    row = farm.rows("front")[0]
    assert (row["publicip"], row["algorithm"], row["privateport"]) == (rule["IPAddress"], "source", "80")
    assert farm.behind(row) == {"one"}
    farm.api.change("POST", f"{POOLS}/waiting/addInstance", {"instances": [{"instance": f"{HERE}/two"}]})
    assert farm.behind(row) == {"one", "two"}
    farm.api.change("POST", f"{POOLS}/waiting/removeInstance", {"instances": [{"instance": f"{HERE}/one"}]})
    assert farm.behind(row) == {"two"}
    assert named(farm.api.get(f"{POOLS}/waiting")["instances"]) == ["two"]
    busy = farm.api.call("DELETE", f"{POOLS}/waiting")
    assert (busy.reason, "forwardingRules/front" in busy.message) == ("resourceInUseByAnotherResource", True)
    assert "front" in [each["name"] for each in farm.api.get("aggregated/forwardingRules")["items"]["regions/de"][
        "forwardingRules"]]
    farm.api.change("DELETE", f"{RULES}/front")
    assert farm.rows("front") == []
    assert farm.ips() == before
    assert named(farm.api.get(f"{POOLS}/waiting")["instances"]) == ["two"]
    farm.api.change("DELETE", f"{POOLS}/waiting")


def test_what_is_changed_of_a_pool_or_a_check_at_once_is_all_changed_or_refused(farm: Farm) -> None:
    def at_once(*calls: tuple[str, str, Any]) -> list[int]:
        with ThreadPoolExecutor(len(calls)) as pool:
            answers = [*pool.map(lambda call: farm.api.call(*call), calls)]
        for answer in answers:
            assert answer.status == 200 or answer.reason in ("resourceNotReady", "notFound"), answer.data
            assert answer.status != 200 or "error" not in farm.api.until_done(answer.data)
        return [answer.status for answer in answers]

    one, two = ({"instances": [{"instance": f"{HERE}/{name}"}]} for name in ("one", "two"))
    farm.pool("busy")
    path = f"{POOLS}/busy"
    assert at_once(("POST", f"{path}/addInstance", one), ("POST", f"{path}/addInstance", two)) == [200, 200]
    assert sorted(named(farm.api.get(path)["instances"])) == ["one", "two"]
    assert at_once(("POST", f"{path}/removeInstance", one), ("POST", f"{path}/removeInstance", two)) == [200, 200]
    assert "instances" not in farm.api.get(path)
    add = ("POST", f"{path}/addInstance", one)
    assert at_once(("DELETE", path, None), add, add, add)[0] == 200
    assert farm.api.call("GET", path).status == 404
    assert "instances" not in farm.pool("busy")
    farm.api.change("DELETE", path)

    farm.api.change("POST", CHECKS, {"name": "busy"})
    changes: list[dict[str, Any]] = [{"port": 81}, {"checkIntervalSec": 9}, {"requestPath": "/up"}]
    statuses = at_once(*(("PATCH", f"{CHECKS}/busy", change) for change in changes))
    found = farm.api.get(f"{CHECKS}/busy")
    for status, change in zip(statuses, changes, strict=True):
        assert (change.items() <= found.items()) == (status == 200)
    farm.api.change("DELETE", f"{CHECKS}/busy")


def test_a_pool_remembers_who_left_and_who_came_back(farm: Farm) -> None:
    one, two = ({"instances": [{"instance": f"{HERE}/{name}"}]} for name in ("one", "two"))
    farm.pool("moving", "one")
    for verb, body, there in (("add", two, ["one", "two"]), ("add", one, ["one", "two"]), ("remove", one, ["two"]),
                              ("add", one, ["two", "one"]), ("remove", two, ["one"]), ("remove", two, ["one"])):
        farm.api.change("POST", f"{POOLS}/moving/{verb}Instance", body)
        assert sorted(named(farm.api.get(f"{POOLS}/moving").get("instances", []))) == sorted(there)
    farm.api.change("DELETE", f"{POOLS}/moving")


def test_health_is_whether_the_machine_runs(farm: Farm) -> None:
    farm.pool("health", "one", "two")
    ask = f"{POOLS}/health/getHealth"
    assert farm.api.call("POST", ask, {"instance": f"{HERE}/one"}).data["healthStatus"][0]["healthState"] == "HEALTHY"
    rule = farm.rule("alive", target=f"{POOLS}/health")
    farm.api.change("POST", f"{HERE}/two/stop")
    status = farm.api.call("POST", ask, {"instance": f"{HERE}/two"}).data["healthStatus"]
    assert [(each["ipAddress"], each["healthState"]) for each in status] == [(rule["IPAddress"], "UNHEALTHY")]
    farm.api.change("POST", f"{HERE}/two/start")
    assert farm.api.call("POST", ask, {"instance": f"{HERE}/nobody"}).status == 400
    farm.api.change("DELETE", f"{RULES}/alive")
    farm.api.change("DELETE", f"{POOLS}/health")


def test_a_range_is_one_rule_a_port_on_a_reserved_address_that_stays(farm: Farm) -> None:
    farm.pool("ranged", "one")
    farm.api.change("POST", "regions/de/addresses", {"name": "vip"})
    ip = farm.api.get("regions/de/addresses/vip")["address"]
    rule = farm.rule("range", target=f"{POOLS}/ranged", portRange="8000-8002", IPAddress=ip)
    assert (rule["IPAddress"], rule["portRange"]) == (ip, "8000-8002")
    assert [row["publicport"] for row in farm.rows("range")] == ["8000", "8001", "8002"]
    assert all(farm.behind(row) == {"one"} for row in farm.rows("range"))
    shown = farm.api.get("regions/de/addresses/vip")
    assert (shown["status"], named(shown["users"])) == ("IN_USE", ["range"])
    assert farm.api.call("DELETE", "regions/de/addresses/vip").status == 400
    link = "projects/demo/regions/de/addresses/vip"
    farm.rule("other", target=f"{POOLS}/ranged", portRange="9000", IPAddress=link)
    udp = farm.api.call("POST", RULES, {
        "name": "udp", "target": f"{POOLS}/ranged", "portRange": "8001", "IPAddress": link, "IPProtocol": "UDP"})
    assert (udp.status, udp.reason, "TCP connections and nothing else" in udp.message) == (
        400, "unsupportedOperation", True)
    taken = farm.api.call("POST", RULES, {
        "name": "again", "target": f"{POOLS}/ranged", "portRange": "8002-8005", "IPAddress": ip})
    assert (taken.status, "forwardingRules/range" in taken.message) == (400, True)
    for name in ("range", "other"):
        farm.api.change("DELETE", f"{RULES}/{name}")
    assert farm.api.get("regions/de/addresses/vip")["status"] == "RESERVED"
    farm.api.change("DELETE", "regions/de/addresses/vip")
    farm.api.change("DELETE", f"{POOLS}/ranged")


def test_a_rule_is_led_to_another_target_and_relabelled(farm: Farm) -> None:
    farm.pool("blue", "one")
    farm.api.change("POST", "zones/de-adv1/targetInstances", {"name": "green", "instance": f"{HERE}/two"})
    single = farm.api.get("zones/de-adv1/targetInstances/green")
    assert (named([single["instance"]]), single["natPolicy"]) == (["two"], "NO_NAT")
    rule = farm.rule("switch", target=f"{POOLS}/blue")
    farm.api.change("POST", f"{RULES}/switch/setTarget", {"target": "zones/de-adv1/targetInstances/green"})
    assert farm.behind(farm.rows("switch")[0]) == {"two"}
    assert farm.api.get(f"{RULES}/switch")["target"] == single["selfLink"]
    busy = farm.api.call("DELETE", "zones/de-adv1/targetInstances/green")
    assert busy.reason == "resourceInUseByAnotherResource"
    farm.api.change("POST", f"{RULES}/switch/setTarget", {"target": f"{POOLS}/blue"})
    assert farm.behind(farm.rows("switch")[0]) == {"one"}
    labels = {"labels": {"x": "y"}, "labelFingerprint": rule["labelFingerprint"]}
    farm.api.change("POST", f"{RULES}/switch/setLabels", labels)
    assert farm.api.call("POST", f"{RULES}/switch/setLabels", labels).status == 412
    now = farm.api.get(f"{RULES}/switch")
    farm.api.change("PATCH", f"{RULES}/switch", {
        "labels": {"x": "z"}, "labelFingerprint": now["labelFingerprint"], "fingerprint": now["fingerprint"]})
    assert farm.api.get(f"{RULES}/switch")["labels"] == {"x": "z"}
    refused = farm.api.call("PATCH", f"{RULES}/switch", {"allowGlobalAccess": True})
    assert (refused.reason, "allowGlobalAccess" in refused.message) == ("unsupportedOperation", True)
    farm.api.change("DELETE", f"{RULES}/switch")
    farm.api.change("DELETE", f"{POOLS}/blue")
    farm.api.change("DELETE", "zones/de-adv1/targetInstances/green")


def test_a_target_with_another_session_affinity_changes_how_the_balancers_choose(farm: Farm) -> None:
    farm.pool("any", "one")
    farm.pool("same", "one", "two", sessionAffinity="CLIENT_IP")
    farm.rule("choosy", target=f"{POOLS}/any", portRange="81-82")
    assert [row["algorithm"] for row in farm.rows("choosy")] == ["roundrobin"] * 2
    farm.api.change("POST", f"{RULES}/choosy/setTarget", {"target": f"{POOLS}/same"})
    assert [(row["algorithm"], farm.behind(row)) for row in farm.rows("choosy")] == [("source", {"one", "two"})] * 2
    farm.api.change("POST", f"{RULES}/choosy/setTarget", {"target": f"{POOLS}/any"})
    assert [(row["algorithm"], farm.behind(row)) for row in farm.rows("choosy")] == [("roundrobin", {"one"})] * 2
    farm.api.change("DELETE", f"{RULES}/choosy")
    for pool in ("any", "same"):
        farm.api.change("DELETE", f"{POOLS}/{pool}")


def test_firewalls_open_the_address_of_a_rule_and_shut_it(farm: Farm) -> None:
    farm.pool("guarded", "one")

    def ports() -> list[int]:
        found = farm.portal.listFirewallRules(ipaddressid=farm.rows("shop")[0]["publicipid"]).get("firewallrule", [])
        return sorted(row["startport"] for row in found)

    firewall = {"name": "web", "network": "global/networks/demo-network", "sourceRanges": ["0.0.0.0/0"]}
    farm.api.change("POST", "global/firewalls", {**firewall, "allowed": [{"IPProtocol": "tcp", "ports": ["80"]}]})
    farm.rule("shop", target=f"{POOLS}/guarded")
    assert ports() == [80]
    farm.api.change("PATCH", "global/firewalls/web", {"allowed": [{"IPProtocol": "tcp", "ports": ["80", "443"]}]})
    assert ports() == [80, 443]
    farm.api.change("DELETE", "global/firewalls/web")
    assert ports() == []
    farm.api.change("DELETE", f"{RULES}/shop")
    farm.api.change("DELETE", f"{POOLS}/guarded")


def test_what_cannot_be_balanced_is_refused_by_name(farm: Farm) -> None:
    api = farm.api
    farm.pool("plain", "one")
    base = {"name": "no", "target": f"{POOLS}/plain", "portRange": "80"}
    for field, value in (
        ("IPProtocol", "ESP"), ("loadBalancingScheme", "INTERNAL"), ("backendService", "regions/de/backendServices/b"),
        ("ipVersion", "IPV6"), ("allPorts", True),
    ):
        refused = api.call("POST", RULES, {**base, field: value})
        assert refused.reason == "unsupportedOperation", field
        assert f"resource.{field}" in refused.message
        assert "not offered on cloud 'sim'" in refused.message
    for ports in ("", "1-65535", "90-80", "http"):
        refused = api.call("POST", RULES, {**base, "portRange": ports})
        assert (refused.status, "portRange" in refused.message) == (400, True), ports
    proxy = api.call("POST", RULES, {**base, "target": "global/targetHttpProxies/p"})
    assert (proxy.reason, "targetHttpProxies" in proxy.message) == ("unsupportedOperation", True)
    absent = api.call("POST", RULES, {**base, "target": f"{POOLS}/nobody"})
    assert (absent.status, "resource.target" in absent.message) == (400, True)
    unreserved = api.call("POST", RULES, {**base, "IPAddress": "192.0.2.1"})
    assert (unreserved.status, "resource.IPAddress" in unreserved.message) == (400, True)
    backup = api.call("POST", f"{POOLS}/plain/setBackup", {"target": f"{POOLS}/plain"}, failoverRatio=0.5)
    assert (backup.reason, "not offered on cloud 'sim'" in backup.message) == ("unsupportedOperation", True)
    api.change("POST", f"{POOLS}/plain/setBackup", {})
    affinity = api.call("POST", POOLS, {"name": "no", "sessionAffinity": "HTTP_COOKIE"})
    assert (affinity.reason, "sessionAffinity" in affinity.message) == ("unsupportedOperation", True)
    api.change("DELETE", f"{POOLS}/plain")


def test_machines_whose_own_address_is_public_are_pooled_but_not_balanced(api: Api, cloudstack: CloudStack) -> None:
    del cloudstack
    api.change("POST", "zones/ch-gv2/instances", machine("unbalanced"))
    pool = {"name": "basic", "instances": ["zones/ch-gv2/instances/unbalanced"]}
    api.change("POST", "regions/ch/targetPools", pool)
    rule = {"name": "no", "target": "regions/ch/targetPools/basic", "portRange": "80"}
    refused = api.call("POST", "regions/ch/forwardingRules", rule)
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "compute.forwardingRules.insert is not offered on cloud 'sim'" in refused.message
    api.change("DELETE", "regions/ch/targetPools/basic")
    api.change("DELETE", "zones/ch-gv2/instances/unbalanced")


def test_a_load_balancer_made_elsewhere_is_shown_and_left_alone(launch: Launch) -> None:
    live, cloud = launch()
    farm = Farm(live.api(), cloud)
    network = farm.portal.listNetworks(name="demo-network")["network"][0]["id"]
    ip = farm.portal.associateIpAddress(networkid=network, fetch_result=True)["ipaddress"]
    made = farm.portal.createLoadBalancerRule(
        name="Old Portal", publicipid=ip["id"], publicport=25, privateport=25, algorithm="roundrobin",
        fetch_result=True)["loadbalancer"]
    member = farm.portal.listVirtualMachines(name="one")["virtualmachine"][0]["id"]
    farm.portal.assignToLoadBalancerRule(id=made["id"], virtualmachineids=member, fetch_result=True)
    rule = farm.api.until(lambda: farm.api.call("GET", f"{RULES}/old-portal"), 200).data
    assert (rule["IPAddress"], rule["portRange"]) == (ip["ipaddress"], "25-25")
    pool = farm.api.until(lambda: farm.api.call("GET", f"{POOLS}/old-portal"), 200).data
    assert named(pool["instances"]) == ["one"]
    for verb, path in (("DELETE", f"{RULES}/old-portal"), ("DELETE", f"{POOLS}/old-portal")):
        refused = farm.api.call(verb, path)
        assert refused.status == 400
    assert farm.rows("Old Portal")


def test_a_rule_that_fails_half_way_leaves_nothing(launch: Launch) -> None:
    live, cloud = launch()
    farm = Farm(live.api(), cloud)
    farm.pool("half", "one")
    before = farm.ips()
    cloud.faults.add("assignToLoadBalancerRule", "job_fail", skip=1)
    done = farm.api.until_done(farm.api.start("POST", RULES, {
        "name": "broken", "target": f"{POOLS}/half", "portRange": "80-81"}))
    assert done["error"]["errors"]
    assert farm.rows("broken") == []
    assert farm.ips() == before
    assert farm.api.call("GET", f"{RULES}/broken").status == 404


def test_nothing_is_done_twice_when_answers_are_lost(launch: Launch) -> None:
    live, cloud = launch()
    farm = Farm(live.api(), cloud)
    farm.pool("lossy", "one")
    before = farm.ips()
    for command in ("associateIpAddress", "createLoadBalancerRule", "assignToLoadBalancerRule"):
        cloud.faults.add(command, "reset_after")
    rule = farm.rule("lost", target=f"{POOLS}/lossy")
    assert len(farm.rows("lost")) == 1
    assert farm.behind(farm.rows("lost")[0]) == {"one"}
    assert farm.ips() == before | {rule["IPAddress"]}
    for command in ("deleteLoadBalancerRule", "disassociateIpAddress"):
        cloud.faults.add(command, "reset_after")
    farm.api.change("DELETE", f"{RULES}/lost")
    assert farm.ips() == before
    for command in ("associateIpAddress", "enableStaticNat", "disableStaticNat"):
        cloud.faults.add(command, "reset_after")
    nat = {"name": "External NAT", "type": "ONE_TO_ONE_NAT"}
    farm.api.change("POST", f"{HERE}/one/addAccessConfig", nat, networkInterface="nic0")
    assert len(farm.ips()) == len(before) + 1
    farm.api.change("POST", f"{HERE}/one/deleteAccessConfig", networkInterface="nic0", accessConfig="External NAT")
    assert farm.ips() == before
