"""Projects, providers by name, and `gcelib providers`."""

from __future__ import annotations

import argparse
from types import MappingProxyType

import pytest
from libcloud.compute.types import Provider
from simulated import cloud_at

from gcelib.cli import providers as command
from gcelib.config import CacheConfig, CloudConfig, Config, ProjectConfig, Secret, ServerConfig
from gcelib.drivers import registry
from gcelib.drivers.base import FACETS, Cloud, able
from gcelib.drivers.projects import Projects
from gcelib.errors import NotFound, Unauthenticated, Unavailable, Unsupported
from gcelib.simulator import Project


def config(url="http://127.0.0.1:9/client/api", key="k", secret="s" * 8, provider="cloudstack", **projects):
    cloud = CloudConfig(name="gva", provider=provider, endpoint=url, key=key, secret=Secret(secret))
    rows = {
        "demo": ProjectConfig(name="demo", clouds=("gva",), aliases=("ian@example.com",)),
        "inner": ProjectConfig(name="inner", clouds=("gva",), tenant="shared-project"),
        "theirs": ProjectConfig(name="theirs", clouds=("gva",), credentials="caller"),
    } | projects  # fmt: skip
    return Config(ServerConfig(), CacheConfig(), MappingProxyType({"gva": cloud}), MappingProxyType(rows))


@pytest.fixture
def projects():
    made = Projects(config())
    yield made
    made.close()


def test_a_project_is_found_by_name_and_alias_and_shares_its_cloud(projects):
    by_name, by_alias = projects.open("demo"), projects.open("ian@example.com")
    assert (by_name.id, by_alias.id) == ("demo", "demo")
    assert by_name.aliases == ("ian@example.com",)
    assert by_name.clouds[0] is by_alias.clouds[0] is projects.cloud("gva") is projects.clouds()[0]


def test_a_project_inside_the_clouds_own_has_a_cloud_of_its_own(projects):
    assert projects.open("inner").clouds[0] is not projects.open("demo").clouds[0]


@pytest.mark.parametrize("name", ["nobody", "DEMO", "*", ""])
def test_an_unknown_project_is_not_found(projects, name):
    with pytest.raises(NotFound):
        projects.open(name)


def test_a_project_of_callers_own_is_nobodys_for_whoever_brings_no_keys(projects):
    with pytest.raises(NotFound) as theirs:
        projects.open("theirs")
    with pytest.raises(NotFound) as nobodys:
        projects.open("nobodys")
    assert theirs.value.message.replace("theirs", "nobodys") == nobodys.value.message


def test_a_row_for_any_project_leaves_the_named_ones_as_they_are():
    anyone = Projects(config(**{"*": ProjectConfig(name="*", clouds=("gva",), credentials="caller")}))
    assert anyone.open("demo").id == "demo"
    with pytest.raises(NotFound):
        anyone.open("whatever")
    anyone.close()


def test_a_provider_that_is_not_carried_is_unsupported_and_named():
    dropped = Projects(config(provider="ibm"))
    with pytest.raises(Unsupported, match=r"'gva'.*ibm.*libcloud no longer drives it"):
        dropped.open("demo")
    assert dropped.clouds() == ()


def test_a_cloud_built_wrong_says_so_when_used_not_before():
    wrong = Projects(config(url="cloud.example/api"))
    cloud = wrong.open("demo").clouds[0]
    with pytest.raises(Unavailable, match=r"\[clouds.gva\]"):
        cloud.zones.list()
    wrong.close()


def test_a_tenant_that_is_not_there_names_itself(sim):
    who = sim.accounts["other"]
    other = Projects(config(url=sim.url, key=who.api_key, secret=who.secret_key))
    with pytest.raises(Unavailable, match="shared-project"):
        other.open("inner").clouds[0].nodes.list()
    other.close()


def test_a_tenant_may_be_named_by_its_id(sim):
    cloud = cloud_at(sim, tenant=sim.world.all(Project)[0].id)
    assert {quota.metric: quota.limit for quota in cloud.quotas.list()}["INSTANCES"] == 2
    cloud.close()


def test_a_callers_keys_stand_in_for_the_configured_ones(sim):
    row = config(url=sim.url, key="wrong", secret="wrong-secret").clouds["gva"]
    who = sim.accounts["demo"]
    mine = registry.build(row, CacheConfig(), keys=(who.api_key, who.secret_key))
    assert mine.zones.list()
    theirs = registry.build(row, CacheConfig(), keys=("nobody", "knows-this"))
    with pytest.raises(Unauthenticated):
        theirs.zones.list()
    mine.close()
    theirs.close()


def test_calls_are_told_to_the_observer(sim):
    told = []
    who = sim.accounts["demo"]
    row = config(url=sim.url, key=who.api_key, secret=who.secret_key)
    watched = Projects(row, observe=told.append)
    watched.open("demo").clouds[0].zones.list()
    assert [(row.facet, row.what, row.outcome) for row in told] == [("zones", "listZones", "ok")]
    assert told[0].cloud in row.clouds
    watched.close()


def test_every_libcloud_provider_is_known():
    values = {value for name, value in vars(Provider).items() if name.isupper() and isinstance(value, str)}
    assert {row.name for row in registry.providers()} >= values
    assert all(row.carried or row.why_not for row in registry.providers())
    own = {row.name for row in registry.providers() if row.carried and row.family == "cloudstack"}
    assert own == {"cloudstack", "exoscale", "ikoula", "aurora_compute"}
    gone = {row.name for row in registry.providers() if not row.carried}
    assert {"ktucloud", "rackspace_uk", "ibm", "ec2_us_east"} <= gone


def test_a_relative_of_cloudstack_has_its_own_endpoint():
    assert registry.profile_of("Exoscale").endpoint.startswith("https://")
    with pytest.raises(Unsupported, match="gcelib providers"):
        registry.profile_of("nosuch")


def test_a_built_cloud_is_a_cloud_and_says_what_it_lacks(cloud):
    assert isinstance(cloud, Cloud)
    assert set(cloud.abilities()) == set(FACETS)
    assert able(cloud, "nodes", "create")
    assert not able(cloud, "nodes", "console")
    assert "console output" in cloud.why_not("nodes", "console")


@pytest.mark.parametrize(("args", "words"), [
    ([], ["cloudstack", "base API", "openstack", "no: "]),
    (["cloudstack"], ["nodes", "create", "allow", "balancers", "Not offered", "console output"]),
    (["dummy"], ["nodes", "create", "libcloud's driver has no stop_node: nodes.stop"]),
    (["ibm"], ["Not carried"]),
])  # fmt: skip
def test_the_command_prints_what_is_carried(capsys, args, words):
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    asked = parser.parse_args(["providers", *args])
    assert asked.func(asked) == 0
    out = capsys.readouterr().out
    for word in words:
        assert word in out
