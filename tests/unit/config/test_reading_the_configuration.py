"""What a right configuration says, and how the environment changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcelib.config import ConfigError, idlike, is_idlike, load, places, reading
from gcelib.config.reference import reference

ROOT = Path(__file__).parents[3]


def test_everything_left_out_has_its_default(written, changed):
    config = written.load(changed())
    assert config.server.address() == ("127.0.0.1", 5000)
    assert config.server.admin_address() == ("127.0.0.1", 5001)
    assert (config.server.tls, config.server.threads, config.server.strict_fields) == ("auto", 32, False)
    assert (config.cache.zones, config.cache.nodes) == (3600.0, 5.0)
    assert config.clouds["gva"].timeout == 30.0
    assert config.projects["demo"].clouds == ("gva",)
    assert config.path == written.path


def test_relative_files_stand_beside_the_configuration(written, changed):
    config = written.load(changed())
    assert config.server.state_dir == written.folder / "state"
    assert config.server.database_url() == f"sqlite:///{written.folder}/state/gcelib.sqlite"
    assert config.server.ca_path() == written.folder / "state" / "ca.pem"


def test_a_tilde_is_the_home_directory(written, changed):
    config = written.load(changed(old='"state"', new='"~/gcelib"'))
    assert config.server.state_dir == Path.home() / "gcelib"


@pytest.mark.parametrize(("lines", "url"), [
    ("", "https://127.0.0.1:5000"),
    ('listen = "[::1]:6000"', "https://[::1]:6000"),
    ('listen = "0.0.0.0:6000"', "https://localhost:6000"),
    ('listen = "[::]:6000"', "https://localhost:6000"),
    ('tls = "off"', "http://127.0.0.1:5000"),
    ('external_url = "https://gce.example/"', "https://gce.example"),
    ('listen = "0.0.0.0:80"\ntls = "off"\ninsecure_listen = "yes, without TLS"', "http://localhost:80"),
])
def test_the_public_url_is_what_a_client_can_use(written, changed, lines, url):
    assert written.load(changed("server", lines)).server.public_url() == url


def test_ipv6_hosts_come_without_brackets(written, changed):
    server = written.load(changed("server", 'listen = "[::1]:5000"')).server
    assert (server.host, server.port) == ("::1", 5000)


def test_an_endpoint_may_be_an_ipv6_address(written, changed):
    config = written.load(changed(old="https://cloud.example/", new="http://[fd00::1]:8080/"))
    assert config.clouds["gva"].endpoint == "http://[fd00::1]:8080/client/api"


def test_the_environment_beats_the_file(written, changed):
    config = written.load(changed(), {
        "GCELIB_SERVER_LISTEN": "127.0.0.1:6000", "GCELIB_SERVER_STRICT_FIELDS": "true",
        "GCELIB_SERVER_THREADS": "4", "GCELIB_SERVER_TRUSTED_PROXIES": "10.0.0.1, 10.1.0.0/16",
        "GCELIB_CACHE_NODES": "0.5", "GCELIB_CLOUDS_GVA_SECRET": "other", "GCELIB_CLOUDS_GVA_TIMEOUT": "7",
        "GCELIB_PROJECTS_DEMO_ALIASES": "me@example.com",
    })
    assert config.server.port == 6000
    assert config.server.strict_fields is True
    assert config.server.threads == 4
    assert config.server.trusted_proxies == ("10.0.0.1", "10.1.0.0/16")
    assert config.cache.nodes == 0.5
    assert config.clouds["gva"].secret.reveal() == "other"
    assert config.clouds["gva"].timeout == 7.0
    assert config.projects["demo"].aliases == ("me@example.com",)


def test_the_environment_alone_can_be_a_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    config = load(None, {
        "GCELIB_CLOUDS_GVA_PROVIDER": "cloudstack", "GCELIB_CLOUDS_GVA_KEY": "k",
        "GCELIB_CLOUDS_GVA_SECRET": "s", "GCELIB_CLOUDS_GVA_OPTIONS_EX_TENANT_NAME": "t",
        "GCELIB_PROJECTS_MY_PROJECT_CLOUDS": "gva",
    })
    assert config.path is None
    assert config.clouds["gva"].options == {"ex_tenant_name": "t"}
    assert list(config.projects) == ["my-project"]


def test_a_key_of_the_environment_replaces_the_files_of_the_file(written, changed):
    (written.folder / "secret").write_text("from the file")
    (written.folder / "secret").chmod(0o600)
    text = changed(old='secret = "the-secret"', new='secret_file = "secret"')
    assert written.load(text).clouds["gva"].secret.reveal() == "from the file"
    config = written.load(text, {"GCELIB_CLOUDS_GVA_SECRET": "from outside"})
    assert config.clouds["gva"].secret.reveal() == "from outside"


@pytest.mark.parametrize(("name", "hint"), [
    ("GCELIB_SERVER_LISTN", 'did you mean "GCELIB_SERVER_LISTEN"?'),
    ("GCELIB_CLOUDS_GVA_SECRT", 'did you mean "secret"?'),
    ("GCELIB_CLOUDS_SECRET", "GCELIB_CLOUDS_NAME_OPTION"),
])
def test_an_unknown_variable_is_a_mistake(written, changed, name, hint):
    found = written.mistakes(changed(), {name: "x"})
    assert len(found) == 1
    assert found[0].startswith(f"{name}: no such option")
    assert hint in found[0]


def test_a_wrong_value_of_the_environment_is_a_mistake(written, changed):
    found = written.mistakes(changed(), {"GCELIB_CACHE_NODES": "often"})
    assert found == ['cache.nodes: "often" is not a number; write nodes = 30']


def test_a_place_that_may_not_be_looked_at_is_passed_by(written, changed, monkeypatch):
    path = written.load(changed()).path
    # To root, too, a name may be too long.
    monkeypatch.setattr(reading, "places", lambda environ: [Path("/" + "a" * 300), path])
    assert load(environ={}).path == path


def test_the_file_is_looked_for_where_the_argument_then_the_environment_says(written, changed, tmp_path):
    path = written.load(changed()).path
    assert load(None, {"GCELIB_CONFIG": str(path)}).path == path
    with pytest.raises(ConfigError, match="cannot be read"):
        load(None, {"GCELIB_CONFIG": str(tmp_path / "none.toml")})
    assert places({"GCELIB_CONFIG": "/x.toml"}) == [Path("/x.toml")]
    assert places({})[-1] == Path("/etc/gcelib/gcelib.toml")


def test_a_name_gcloud_would_not_take_has_its_id_as_an_alias(written, changed):
    config = written.load(changed(old="[projects.demo]", new='[projects."ian@ianduffy.ie"]'))
    found = config.project("ian-ianduffy-ie")
    assert found is not None
    assert found.name == "ian@ianduffy.ie"
    assert config.project("nobody") is None


def test_the_automatic_alias_goes_to_nobody_when_two_would_have_it(written, changed):
    more = '[projects."a@b"]\nclouds = ["gva"]\n[projects."a.b"]\nclouds = ["gva"]\n'
    config = written.load(changed(more=more))
    assert config.project("a-b") is None


def test_a_name_that_is_written_down_beats_the_automatic_alias(written, changed):
    more = '[projects."a@b"]\nclouds = ["gva"]\n[projects.other]\nclouds = ["gva"]\naliases = ["a-b"]\n'
    found = written.load(changed(more=more)).project("a-b")
    assert found is not None
    assert found.name == "other"


@pytest.mark.parametrize(("name", "derived"), [
    ("ian@ianduffy.ie", "ian-ianduffy-ie"), ("Demo_1", "demo-1"), ("demo", "demo"), ("@", "project"),
    ("42", "project-42"), ("Zoë@x", "zoe-x"), ("a" * 80, "a" * 63),
])
def test_the_idlike_form_is_one_that_gcloud_takes(name, derived):
    assert idlike(name) == derived
    assert is_idlike(derived)


def test_the_printed_reference_is_current():
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == reference()
