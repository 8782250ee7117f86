"""Every driver that libcloud has is looked at: what it can is found without an instance, a key or a network."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from gcelib.config import CloudConfig
from gcelib.drivers import registry
from gcelib.drivers.faults import At
from gcelib.drivers.generic.building import opened
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.generic.making import arguments, make, wanted
from gcelib.errors import Unavailable

CARRIED = [profile.name for profile in registry.providers() if profile.carried]


def given(provider: str, **values: Any) -> dict[str, Any]:
    """The arguments that a driver is made of."""
    kind = Kind(registry.profile_of(provider))
    options = values.pop("options", {})
    config = CloudConfig(name="far", provider=provider, options=options, **values)
    return arguments(kind, wanted(config, kind, "the-key", "the-secret"))


@pytest.mark.parametrize("provider", CARRIED)
def test_every_driver_lists_machines_and_says_why_it_cannot_what_it_cannot(provider: str) -> None:
    profile = registry.profile_of(provider)
    able = registry.abilities(profile)
    assert "list" in able["nodes"]
    assert "list" in able["zones"]
    for facet, verb in (("balancers", "create"), ("nodes", "protect"), ("firewalls", "allow")):
        if verb not in able.get(facet, ()):
            assert len(registry.why_not(profile, facet, verb)) > 10


@pytest.mark.parametrize(("provider", "expected"), [
    ("cloudsigma", {"key": "the-key", "secret": "the-secret"}),
    ("upcloud", {"username": "the-key", "password": "the-secret"}),
    ("gridscale", {"user_id": "the-key", "key": "the-secret"}),
    ("gce", {"user_id": "the-key", "key": "the-secret", "auth_type": "SA"}),
    ("dummy", {"creds": "the-key"}),
    ("equinixmetal", {"key": "the-key"}),
    ("outscale", {"key": "the-key", "secret": "the-secret"}),
])
def test_key_and_secret_are_given_under_the_names_a_driver_has_for_them(provider: str, expected: Any) -> None:
    found = given(provider)
    assert {name: found.get(name) for name in expected} == expected


def test_an_endpoint_is_given_in_parts_or_whole() -> None:
    parts = given("vultr", endpoint="http://127.0.0.1:8080/v2")
    assert (parts["host"], parts["port"], parts["secure"]) == ("127.0.0.1", 8080, False)
    assert given("gig_g8", endpoint="https://g8.example/api")["api_url"] == "https://g8.example/api"
    assert given("libvirt", options={"uri": "test:///default"})["uri"] == "test:///default"
    assert given("vsphere", endpoint="https://vc.example")["host"] == "vc.example"


def test_options_go_before_what_is_guessed() -> None:
    found = given("azure_arm", options={"tenant_id": "t", "subscription_id": "s", "region": "eastus"})
    assert (found["tenant_id"], found["subscription_id"], found["key"]) == ("t", "s", "the-key")


def test_what_a_driver_insists_on_is_asked_for_by_name() -> None:
    kind = Kind(registry.profile_of("azure_arm"))
    config = CloudConfig(name="far", provider="azure_arm", options={"tenant_id": "t"})
    with pytest.raises(Unavailable, match=r"needs subscription_id, region.*options"):
        make(kind, wanted(config, kind, "k", "s"))


def test_a_library_that_is_not_installed_is_named() -> None:
    if importlib.util.find_spec("libvirt"):
        pytest.skip("libvirt is installed here")
    kind = Kind(registry.profile_of("libvirt"))
    config = CloudConfig(name="far", provider="libvirt", options={"uri": "test:///default"})
    with pytest.raises(Unavailable, match="libvirt"):
        opened(At("far", "libvirt"), kind, wanted(config, kind, "", ""), owned=True)


def test_a_profile_shows_neither_key_nor_secret() -> None:
    kind = Kind(registry.profile_of("vultr"))
    shown = repr(wanted(CloudConfig(name="far", provider="vultr"), kind, "the-key", "the-secret"))
    assert "the-key" not in shown
    assert "the-secret" not in shown


@pytest.mark.parametrize(("provider", "family", "drivers"), [
    ("vultr", "generic", {"vultr"}), ("cloudstack", "cloudstack", {"cloudstack"}),
    ("openstack", "openstack", {"openstack"}), ("ec2", "ec2", {"ec2"}), ("dummy", "generic", {"dummy"}),
])
def test_only_the_configured_provider_is_imported(provider: str, family: str, drivers: set[str]) -> None:
    """By a server that has asked its cloud something."""
    code = f"""
import sys
import gcelib.server.daemon
from gcelib.config import CacheConfig, CloudConfig, Secret
from gcelib.drivers import registry
from gcelib.errors import Fault
options = {{"tenant": "t"}} if "{provider}" == "openstack" else {{}}
where = "" if "{provider}" == "dummy" else "http://127.0.0.1:9/v3"
config = CloudConfig(name="c", provider="{provider}", endpoint=where, key="1", secret=Secret("s"), options=options)
try:
    registry.build(config, CacheConfig()).ping()
except Fault as fault:
    print(fault.message, file=sys.stderr)
libcloud = "libcloud.compute.drivers."
print(*{{name.removeprefix(libcloud).partition(".")[0] for name in sys.modules if name.startswith(libcloud)}})
ours = (name.split(".") for name in sys.modules if name.startswith("gcelib.drivers."))
print(*{{name[2] for name in ours if name[-1] == "building"}})
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    theirs, ours = (set(line.split()) for line in ran.stdout.splitlines())
    assert theirs == drivers, ran.stderr
    assert ours == {family}
