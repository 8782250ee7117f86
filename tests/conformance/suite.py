"""The suite: what a provider must do that says it can, seen through GCE's API alone.

A class that derives from `Conformance` and has a fixture `site` is tested by it. What a test needs is said by
`needs`; where the provider says that it cannot, the test is skipped with the provider's own reason. What is known
to fail is named in `known`, and must fail.
"""

from __future__ import annotations

import concurrent.futures
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import pytest

from tests.conformance.site import Site

Test = TypeVar("Test", bound=Callable[..., Any])


def needs(*abilities: str) -> Callable[[Test], Test]:
    """What a provider must say it can for this test to be asked of it."""

    def mark(test: Test) -> Test:
        test.needs = abilities  # type: ignore[attr-defined]
        return test

    return mark


class Conformance:
    """Each test leaves nothing behind."""

    known: ClassVar[Mapping[str, str]] = {}
    """Name of a test -> why it fails there."""

    @pytest.fixture(autouse=True)
    def _asked_of_it(self, request: pytest.FixtureRequest, site: Site) -> None:
        lacking = site.lacking(*getattr(request.function, "needs", ()))
        if lacking:
            pytest.skip(f"{site.provider} has no {lacking[0]}: {site.why_not(lacking[0])}")
        why = self.known.get(request.function.__name__)
        if why:
            request.applymarker(pytest.mark.xfail(strict=True, reason=why))

    @pytest.fixture
    def machine(self, site: Site) -> Iterator[str]:
        """A running machine, deleted afterwards."""
        name = site.name()
        site.api.change("POST", site.path("instances"), site.body(name))
        yield name
        if site.api.call("GET", site.path("instances", name)).status == 200:
            site.api.change("DELETE", site.path("instances", name))

    @pytest.fixture
    def disk(self, site: Site) -> Iterator[str]:
        """A blank disk, deleted afterwards."""
        name = site.name("disk")
        site.api.change("POST", site.path("disks"), {"name": name, "sizeGb": "10"})
        yield name
        if site.api.call("GET", site.path("disks", name)).status == 200:
            site.api.change("DELETE", site.path("disks", name))

    def test_every_zone_is_in_its_region(self, site: Site) -> None:
        zones = {row["name"]: row["region"] for row in site.api.get("zones")["items"]}
        assert site.zone in zones
        for zone, region in zones.items():
            assert region.endswith(f"/regions/{zone.rpartition('-')[0]}")
            shown = site.api.get(f"regions/{zone.rpartition('-')[0]}")
            assert any(link.endswith(f"/zones/{zone}") for link in shown["zones"])

    @needs("sizes.list")
    def test_machine_types_say_what_they_are(self, site: Site) -> None:
        types = {row["name"]: row for row in site.api.get(site.path("machineTypes"))["items"]}
        assert {site.size, site.larger or site.size} <= set(types)
        assert all(row["memoryMb"] >= 0 and row["guestCpus"] >= 0 for row in types.values())
        assert types[site.size]["memoryMb"] > 0

    @needs("images.list")
    def test_images_are_ready(self, site: Site) -> None:
        images = {row["name"]: row["status"] for row in site.api.get("global/images")["items"]}
        assert images[site.image.rpartition("/")[2]] == "READY"

    @needs("nodes.create", "nodes.destroy")
    def test_a_machine_is_made_shown_and_deleted(self, site: Site) -> None:
        name = site.name()
        done = site.api.change("POST", site.path("instances"), site.body(name, description="für Tests"))
        assert done["operationType"] == "insert"
        assert done["targetLink"].endswith(site.path("instances", name))
        shown = site.machine(name)
        assert (shown["name"], shown["status"], shown["id"]) == (name, "RUNNING", done["targetId"])
        assert shown["zone"].endswith(f"/zones/{site.zone}")
        assert shown["machineType"].endswith(f"/machineTypes/{site.size}")
        assert shown["description"] == "für Tests"
        assert [disk["boot"] for disk in shown["disks"]] == [True]
        assert shown["networkInterfaces"][0]["networkIP"]
        listed = [row["name"] for row in site.api.get(site.path("instances"))["items"]]
        assert listed.count(name) == 1
        site.api.change("DELETE", site.path("instances", name))
        gone = site.api.call("GET", site.path("instances", name))
        assert (gone.status, gone.reason) == (404, "notFound")
        assert site.api.call("DELETE", site.path("instances", name)).status == 404

    @needs("nodes.create", "nodes.destroy")
    def test_a_name_is_given_once_and_free_again_at_once(self, site: Site, machine: str) -> None:
        again = site.api.call("POST", site.path("instances"), site.body(machine))
        assert (again.status, again.reason) == (409, "alreadyExists")
        site.api.change("DELETE", site.path("instances", machine))
        site.api.change("POST", site.path("instances"), site.body(machine))
        assert site.machine(machine)["status"] == "RUNNING"

    @needs("nodes.create", "nodes.destroy")
    def test_of_two_inserts_of_a_name_one_wins(self, site: Site) -> None:
        name = site.name()
        post: Callable[[Any], Any] = lambda _: site.api.call("POST", site.path("instances"), site.body(name))  # noqa: E731
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(post, range(4)))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
        won = next(answer for answer in answers if answer.status == 200)
        assert "error" not in site.api.until_done(won.data)
        assert [row["name"] for row in site.api.get(site.path("instances"))["items"]].count(name) == 1
        site.api.change("DELETE", site.path("instances", name))

    @needs("nodes.create", "nodes.destroy", "nodes.stop", "nodes.start")
    def test_a_machine_stops_and_starts(self, site: Site, machine: str) -> None:
        site.api.change("POST", site.path("instances", machine, "stop"))
        assert site.machine(machine)["status"] == "TERMINATED"
        site.api.change("POST", site.path("instances", machine, "stop"))
        site.api.change("POST", site.path("instances", machine, "start"))
        assert site.machine(machine)["status"] == "RUNNING"

    @needs("nodes.create", "nodes.destroy", "nodes.reset")
    def test_a_machine_is_reset(self, site: Site, machine: str) -> None:
        site.api.change("POST", site.path("instances", machine, "reset"))
        assert site.machine(machine)["status"] == "RUNNING"

    @needs("nodes.create", "nodes.destroy", "nodes.stop", "nodes.start", "nodes.resize")
    def test_a_stopped_machine_gets_another_size(self, site: Site, machine: str) -> None:
        site.api.change("POST", site.path("instances", machine, "stop"))
        link = f"zones/{site.zone}/machineTypes/{site.larger}"
        site.api.change("POST", site.path("instances", machine, "setMachineType"), {"machineType": link})
        assert site.machine(machine)["machineType"].endswith(site.larger)
        site.api.change("POST", site.path("instances", machine, "start"))
        assert site.machine(machine)["status"] == "RUNNING"

    @needs("nodes.create", "nodes.destroy")
    def test_labels_and_metadata_read_back(self, site: Site, machine: str) -> None:
        shown = site.machine(machine)
        body = {"labels": {"team": "blue", "empty": ""}, "labelFingerprint": shown["labelFingerprint"]}
        site.api.change("POST", site.path("instances", machine, "setLabels"), body)
        assert site.machine(machine)["labels"] == body["labels"]
        items = [{"key": "note", "value": "x" * 300}]
        body = {"items": items, "fingerprint": shown["metadata"]["fingerprint"]}
        site.api.change("POST", site.path("instances", machine, "setMetadata"), body)
        assert site.machine(machine)["metadata"]["items"] == items
        stale = site.api.call("POST", site.path("instances", machine, "setMetadata"), body)
        assert (stale.status, stale.reason) == (412, "conditionNotMet")

    @needs("nodes.create", "nodes.destroy", "nodes.console")
    def test_what_a_machine_wrote_to_its_serial_port_is_read(self, site: Site, machine: str) -> None:
        said = site.api.get(site.path("instances", machine, "serialPort"))
        assert int(said["next"]) == len(said["contents"].encode())
        assert site.api.get(site.path("instances", machine, "serialPort"), start=said["next"])["contents"] == ""

    @needs("volumes.create", "volumes.destroy")
    def test_a_disk_is_made_and_deleted(self, site: Site) -> None:
        name = site.name("disk")
        site.api.change("POST", site.path("disks"), {"name": name, "sizeGb": 10, "description": "data"})
        shown = site.api.get(site.path("disks", name))
        assert (shown["sizeGb"], shown["status"], shown["description"]) == ("10", "READY", "data")
        site.api.change("DELETE", site.path("disks", name))
        assert site.api.call("GET", site.path("disks", name)).status == 404

    @needs("nodes.create", "nodes.destroy", "volumes.create", "volumes.attach", "volumes.detach", "volumes.destroy")
    def test_a_disk_is_attached_and_detached(self, site: Site, machine: str, disk: str) -> None:
        link = f"zones/{site.zone}/disks/{disk}"
        site.api.change("POST", site.path("instances", machine, "attachDisk"), {"source": link, "deviceName": "data"})
        attached = site.machine(machine)["disks"]
        assert [(each["boot"], each["deviceName"]) for each in attached[1:]] == [(False, "data")]
        assert site.api.get(site.path("disks", disk))["users"][0].endswith(f"/instances/{machine}")
        used = site.api.call("DELETE", site.path("disks", disk))
        assert (used.status, used.reason) == (400, "resourceInUseByAnotherResource")
        site.api.change("POST", site.path("instances", machine, "detachDisk"), deviceName="data")
        assert len(site.machine(machine)["disks"]) == 1

    @needs("nodes.create", "nodes.destroy", "volumes.create", "volumes.attach", "volumes.destroy")
    def test_a_disk_goes_with_its_machine_if_that_is_wished(self, site: Site, machine: str, disk: str) -> None:
        link = {"source": f"zones/{site.zone}/disks/{disk}", "deviceName": "data", "autoDelete": True}
        site.api.change("POST", site.path("instances", machine, "attachDisk"), link)
        assert [each["autoDelete"] for each in site.machine(machine)["disks"] if not each["boot"]] == [True]
        site.api.change("DELETE", site.path("instances", machine))
        assert site.api.call("GET", site.path("disks", disk)).status == 404

    @needs("volumes.create", "volumes.resize", "volumes.destroy")
    def test_a_disk_is_enlarged(self, site: Site, disk: str) -> None:
        site.api.change("POST", site.path("disks", disk, "resize"), {"sizeGb": "20"})
        assert site.api.get(site.path("disks", disk))["sizeGb"] == "20"

    @needs("nodes.create", "nodes.destroy", "volumes.create", "volumes.attach", "volumes.detach", "volumes.destroy",
           "snapshots.list", "snapshots.create", "snapshots.destroy")
    def test_a_disk_is_copied(self, site: Site, machine: str, disk: str) -> None:
        link = f"zones/{site.zone}/disks/{disk}"
        site.api.change("POST", site.path("instances", machine, "attachDisk"), {"source": link, "deviceName": "data"})
        name = site.name("copy")
        site.api.change("POST", site.path("disks", disk, "createSnapshot"), {"name": name, "labels": {"a": "b"}})
        shown = site.api.get(f"global/snapshots/{name}")
        assert (shown["status"], shown["diskSizeGb"], shown["labels"]) == ("READY", "10", {"a": "b"})
        site.api.change("DELETE", f"global/snapshots/{name}")
        assert site.api.call("GET", f"global/snapshots/{name}").status == 404
        site.api.change("POST", site.path("instances", machine, "detachDisk"), deviceName="data")

    @needs("firewalls.list", "firewalls.create_group", "firewalls.allow", "firewalls.revoke", "nodes.create",
           "nodes.destroy", "nodes.regroup")
    def test_a_firewall_is_for_machines_of_its_tag(self, site: Site, machine: str) -> None:
        name = site.name("wall")
        body = {"name": name, "network": site.network, "sourceRanges": ["203.0.113.0/24"], "targetTags": ["web"],
                "allowed": [{"IPProtocol": "tcp", "ports": ["80", "8000-8010"]}, {"IPProtocol": "icmp"}]}
        site.api.change("POST", "global/firewalls", body)
        shown = site.api.get(f"global/firewalls/{name}")
        assert (shown["sourceRanges"], shown["targetTags"]) == (body["sourceRanges"], ["web"])
        assert sorted(each["IPProtocol"] for each in shown["allowed"]) == ["icmp", "tcp"]
        tags = site.machine(machine)["tags"]
        site.api.change("POST", site.path("instances", machine, "setTags"),
                        {"items": ["web"], "fingerprint": tags["fingerprint"]})
        assert site.machine(machine)["tags"]["items"] == ["web"]
        effective = site.api.get(site.path("instances", machine, "getEffectiveFirewalls"), networkInterface="nic0")
        assert name in [each["name"] for each in effective["firewalls"]]
        site.api.change("DELETE", f"global/firewalls/{name}")
        assert site.api.call("GET", f"global/firewalls/{name}").status == 404

    @needs("addresses.list", "addresses.acquire", "addresses.release", "addresses.enable_nat", "addresses.disable_nat",
           "nodes.create", "nodes.destroy")
    def test_an_address_stands_for_a_machine(self, site: Site, machine: str) -> None:
        name = site.name("address")
        site.api.change("POST", f"regions/{site.region}/addresses", {"name": name, "description": "front"})
        shown = site.api.get(f"regions/{site.region}/addresses/{name}")
        assert (shown["status"], shown["description"]) == ("RESERVED", "front")
        config = {"name": "External NAT", "type": "ONE_TO_ONE_NAT", "natIP": shown["address"]}
        site.api.change("POST", site.path("instances", machine, "addAccessConfig"), config, networkInterface="nic0")
        nic = site.machine(machine)["networkInterfaces"][0]
        assert nic["accessConfigs"][0]["natIP"] == shown["address"]
        used = site.api.get(f"regions/{site.region}/addresses/{name}")
        assert used["status"] == "IN_USE"
        site.api.change("POST", site.path("instances", machine, "deleteAccessConfig"),
                        accessConfig="External NAT", networkInterface="nic0")
        site.api.change("DELETE", f"regions/{site.region}/addresses/{name}")
        assert site.api.call("GET", f"regions/{site.region}/addresses/{name}").status == 404

    def test_what_it_cannot_is_refused_by_name(self, site: Site) -> None:
        """Whatever is asked, nothing is left undone in silence and nothing is our mistake."""
        tried = {
            "volumes.create": ("POST", site.path("disks"), {"name": site.name("no"), "sizeGb": "10"}),
            "firewalls.create_group": ("POST", "global/firewalls", {
                "name": site.name("no"), "network": site.network, "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}],
                "sourceRanges": ["0.0.0.0/0"]}),
            "addresses.acquire": ("POST", f"regions/{site.region}/addresses", {"name": site.name("no")}),
            "networks.create": ("POST", "global/networks", {"name": site.name("no"), "autoCreateSubnetworks": True}),
            "images.create": ("POST", "global/images", {
                "name": site.name("no"), "sourceDisk": site.path("disks", "x")}),
        }
        for ability, (verb, path, body) in tried.items():
            if site.can(ability) or ability.partition(".")[0] in site.not_here:
                continue
            answer = site.api.call(verb, path, body)
            assert answer.status in (400, 404), (ability, answer.data)
            if answer.status == 400:
                assert answer.reason == "unsupportedOperation", (ability, answer.data)
                assert f"'{site.cloud}'" in answer.message
                assert "compute." in answer.message

    @needs("nodes.create", "nodes.destroy")
    def test_machines_begun_before_a_crash_are_there_once(self, site: Site) -> None:
        names = [site.name() for _ in range(3)]
        site.live.sign_in()
        for name in names:
            site.api.start("POST", site.path("instances"), site.body(name))
        site.live.stop(signal.SIGKILL)
        site.live.start()
        for row in site.api.get(site.path("operations"), filter="status != DONE").get("items", []):
            site.api.until_done(row)
        listed = [row["name"] for row in site.api.get(site.path("instances"))["items"]]
        assert [listed.count(name) for name in names] == [1, 1, 1]
        for name in names:
            site.api.change("DELETE", site.path("instances", name))
