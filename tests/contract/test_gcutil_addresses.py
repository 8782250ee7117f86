"""gcutil's commands for addresses, access configs and load balancing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api import Api
from tests.contract.conftest import GcutilFor
from tests.contract.gcutil import Gcutil
from tests.live import Live
from tests.wire.machines import machine

ZONE, REGION = "--zone=de-adv1", "--region=de"
HERE = "zones/de-adv1/instances"
DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]


@pytest.fixture(scope="module")
def gcutil(gcutil_for: GcutilFor, plain: Live) -> Gcutil:
    """Signed in."""
    made = gcutil_for(plain)
    made.log_in()
    return made


@pytest.fixture(scope="module")
def api(plain: Live) -> Api:
    """A look at the same server from beside gcutil."""
    return plain.api()


@pytest.fixture(scope="module")
def name(api: Api) -> Iterator[str]:
    """A machine in an isolated network."""
    api.change("POST", HERE, machine("stand-for-me", "de-adv1", disks=DISKS,
                                     networkInterfaces=[{"network": "global/networks/demo-network"}]))
    yield "stand-for-me"
    api.change("DELETE", f"{HERE}/stand-for-me")


def test_addresses_and_access_configs(gcutil: Gcutil, api: Api, name: str) -> None:
    gcutil.run("reserveaddress", "front", REGION, "--description=For the front")
    ip = api.get("regions/de/addresses/front")["address"]
    assert gcutil.run("getaddress", "front", REGION).details["ip"] == [ip]
    assert "front" in gcutil.run("listaddresses").out
    gcutil.run("addaccessconfig", name, ZONE, f"--access_config_nat_ip={ip}")
    config = api.get(f"{HERE}/{name}")["networkInterfaces"][0]["accessConfigs"][0]
    assert (config["natIP"], config["name"]) == (ip, "External NAT")
    used = gcutil.run("releaseaddress", "front", REGION, "--force", code=1)
    assert "already being used" in used.out + used.err
    gcutil.run("deleteaccessconfig", name, ZONE)
    assert "accessConfigs" not in api.get(f"{HERE}/{name}")["networkInterfaces"][0]
    gcutil.run("addaccessconfig", name, ZONE)
    gcutil.run("deleteaccessconfig", name, ZONE)
    gcutil.run("releaseaddress", "front", REGION, "--force")
    assert api.call("GET", "regions/de/addresses/front").status == 404


def test_a_basic_zone_has_no_addresses_to_reserve(gcutil: Gcutil) -> None:
    said = gcutil.run("reserveaddress", "none", "--region=ch", code=1)
    assert "compute.addresses.insert is not offered on cloud 'sim'" in said.out + said.err


def test_health_checks_pools_and_forwarding_rules(gcutil: Gcutil, api: Api, name: str) -> None:
    gcutil.run("addhttphealthcheck", "up", "--port=8080", "--request_path=/up")
    gcutil.run("updatehttphealthcheck", "up", "--port=8081", "--force")
    assert api.get("global/httpHealthChecks/up")["port"] == 8081
    assert "up" in gcutil.run("listhttphealthchecks").out
    gcutil.run("gethttphealthcheck", "up")
    gcutil.run("addtargetpool", "web", REGION, f"--instances=de-adv1/{name}", "--session_affinity=CLIENT_IP")
    gcutil.run("addtargetpoolhealthcheck", "web", REGION, "--health_check=up")
    assert "web" in gcutil.run("listtargetpools").out
    gcutil.run("gettargetpool", "web", REGION)
    gcutil.run("addforwardingrule", "public", REGION, "--target_pool=web", "--port_range=80")
    rule = api.get("regions/de/forwardingRules/public")
    assert rule["portRange"] == "80-80"
    assert "public" in gcutil.run("listforwardingrules").out
    assert rule["IPAddress"] in gcutil.run("getforwardingrule", "public", REGION).out
    assert "HEALTHY" in gcutil.run("gettargetpoolhealth", "web", REGION).out
    gcutil.run("removetargetpoolinstance", "web", REGION, f"--instances=de-adv1/{name}")
    gcutil.run("addtargetpoolinstance", "web", REGION, f"--instances=de-adv1/{name}")
    gcutil.run("removetargetpoolhealthcheck", "web", REGION, "--health_check=up")
    said = gcutil.run("settargetpoolbackup", "web", REGION, "--backup_pool=web", "--failover_ratio=0.5", code=1)
    assert "not offered on cloud 'sim'" in said.out + said.err
    gcutil.run("addtargetinstance", "single", ZONE, f"--instance={name}")
    assert "single" in gcutil.run("listtargetinstances").out
    gcutil.run("gettargetinstance", "single", ZONE)
    gcutil.run("addtargetpool", "other", REGION, "--session_affinity=CLIENT_IP")
    gcutil.run("setforwardingruletarget", "public", REGION, "--target_pool=other")
    assert api.get("regions/de/forwardingRules/public")["target"].endswith("/targetPools/other")
    gcutil.run("deleteforwardingrule", "public", REGION, "--force")
    for pool in ("web", "other"):
        gcutil.run("deletetargetpool", pool, REGION, "--force")
    gcutil.run("deletetargetinstance", "single", ZONE, "--force")
    gcutil.run("deletehttphealthcheck", "up", "--force")
    assert "items" not in api.get("global/httpHealthChecks")
