"""Every kind of mistake is found, named by section and key, and comes with what to write."""

from __future__ import annotations

import pytest

from gcelib.config import ConfigError, load

SERVER = [
    ('listen = "5000"', "server.listen: ", '"127.0.0.1:5000"'),
    ('listen = "127.0.0.1:99999"', "server.listen: ", "host:port"),
    ('listen = "[::1:5000"', "server.listen: ", "[::1]:5000"),
    ('listen = "300.1.1.1:5000"', "server.listen: ", "host:port"),
    ('admin_listen = "here"', "server.admin_listen: ", "host:port"),
    ('listen = "127.0.0.1:5001"', "server.admin_listen: ", "the same as server.listen"),
    ('lisen = "127.0.0.1:5000"', "server.lisen: ", 'did you mean "listen"?'),
    ('tls = "on"', "server.tls: ", 'tls = "auto"'),
    ('listen = "0.0.0.0:5000"\ntls = "off"', "server.tls: ", 'insecure_listen = "yes, without TLS"'),
    ('listen = "gce.example:5000"\ntls = "off"', "server.tls: ", "others could read every token"),
    ('insecure_listen = "yes"', "server.insecure_listen: ", '"yes, without TLS"'),
    ('cert = "gcelib.toml"', "server.key: ", "is missing though cert is set"),
    ('key = "gcelib.toml"', "server.cert: ", "is missing though key is set"),
    ('cert = "no.pem"\nkey = "gcelib.toml"', "server.cert: ", "there is no file"),
    (f'cert = "{"a" * 300}"\nkey = "gcelib.toml"', "server.cert: ", "File name too long"),
    ('cert = "gcelib.toml"\nkey = "gcelib.toml"\ntls = "off"', "server.tls: ", '"off" though cert is set'),
    ('external_url = "gce.example"', "server.external_url: ", '"https://gce.example.com"'),
    ('external_url = "https://gce.example/api"', "server.external_url: ", 'write "https://gce.example"'),
    ('external_url = "https://gce.example?x=1"', "server.external_url: ", "a query"),
    ('external_url = "https://me:pw@gce.example"', "server.external_url: ", "not a URL of a server"),
    ('external_url = "https://gce.example:port"', "server.external_url: ", "not a URL of a server"),
    ("threads = 0", "server.threads: ", "threads = 32"),
    ('threads = "many"', "server.threads: ", "not a whole number"),
    ("threads = 1.5", "server.threads: ", "not a whole number"),
    ("threads = true", "server.threads: ", "not a whole number"),
    ('strict_fields = "maybe"', "server.strict_fields: ", "strict_fields = true"),
    ('trusted_proxies = "10.0.0.1"', "server.trusted_proxies: ", 'trusted_proxies = ["10.0.0.1"]'),
    ('trusted_proxies = ["proxy"]', "server.trusted_proxies: ", "neither an address nor a network"),
    ('log_format = "xml"', "server.log_format: ", '"json"'),
    ('database = "gcelib.sqlite"', "server.database: ", "SQLAlchemy URL"),
    ('generations = "redis://h"', "server.generations: ", "set server.database to one"),
    ('database = "sqlite:////x"\ngenerations = "redis://h"', "server.generations: ", "another database has one server"),
    *((f'database = "postgresql://h"\ngenerations = "{url}"', "server.generations: ", "not a URL of Redis") for url in (
        "h:6379", "http://h", "redis://", "redis://h:port", "redis://h/name", "redis://:a/b@h/0", "redis://:a#b@h",
        "unix://", "redis://h /0")),
    *((f'traces = "{url}"', "server.traces: ", '"http://127.0.0.1:4318"') for url in (
        "collector:4318", "grpc://h:4317", "http://", "http://me:pw@h", "http://h?key=1")),
    ("listen = 5000", "server.listen: ", "not a text"),
    ('listen = "127.0.0.1:5000\\n"', "server.listen: ", "line break"),
]

CLOUD = [
    ("timeout = 0", "clouds.gva.timeout: ", "timeout = 30"),
    ('timeout = "soon"', "clouds.gva.timeout: ", "not a number"),
    ("timeout = nan", "clouds.gva.timeout: ", "not a number"),
    ('region = "CH GVA"', "clouds.gva.region: ", '"ch-gva"'),
    ('ca_file = "no.pem"', "clouds.gva.ca_file: ", "there is no file"),
    (f'ca_file = "{"a" * 300}"', "clouds.gva.ca_file: ", "File name too long"),
    ('key_file = "k"', "clouds.gva.key: ", "given 2 times (key, key_file)"),
    ('secret_env = "S"', "clouds.gva.secret: ", "given 2 times (secret, secret_env)"),
    ('zones = "CH-GV2"', "clouds.gva.zones: ", "is not a table"),
    ('zones = { "CH-GV2" = 2 }', "clouds.gva.zones: ", '"CH-GV2" is not a text'),
    ('zones = { "CH-GV2" = "geneva" }', "clouds.gva.zones: ", '"CH-GV2" = "ch-gva-2"'),
    ('zones = { a = "ch-1", b = "ch-1" }', "clouds.gva.zones: ", "several zones"),
    ('endpont = "https://x"', "clouds.gva.endpont: ", 'did you mean "endpoint"?'),
]

ENDPOINTS = ["cloud.example", "ftp://cloud.example/", "https://", "https://a b/", "https://[::1/", "https://x:y/"]

PROJECT = [
    ('credentials = "callers"', "projects.demo.credentials: ", 'write credentials = "cloud" or credentials = "caller"'),
    ('credentials = "mine"', "projects.demo.credentials: ", 'credentials = "cloud"'),
    ('aliases = "me"', "projects.demo.aliases: ", 'aliases = ["me"]'),
    ('aliases = ["a/b"]', "projects.demo.aliases: ", "cannot stand in a URL"),
    ('aliases = [""]', "projects.demo.aliases: ", "cannot stand in a URL"),
    ('aliases = ["demo"]', "projects.demo.aliases: ", "is taken by projects.demo"),
    ('aliases = ["x", "x"]', "projects.demo.aliases: ", '"x" is taken'),
    ('clowds = ["gva"]', "projects.demo.clowds: ", 'did you mean "clouds"?'),
]

ELSEWHERE = [
    ('[projects.other]\nclouds = ["gwa"]', "projects.other.clouds: ", 'did you mean "gva"?'),
    ("[projects.other]\nclouds = []", "projects.other.clouds: ", "is empty"),
    ('[projects.other]\nclouds = ["gva", "gva"]', "projects.other.clouds: ", "twice"),
    ("[projects.other]", "projects.other.clouds: ", "is missing"),
    ('[projects."a b"]\nclouds = ["gva"]', 'projects."a b": ', "cannot stand in a URL"),
    ('[projects."*"]\nclouds = ["gva"]', 'projects."*": ', 'needs credentials = "caller"'),
    ('[projects."*"]\nclouds = ["gva"]\ncredentials = "caller"\ntenant = "x"', 'projects."*".tenant: ', "remove it"),
    ('[projects.other]\nclouds = ["gva"]\naliases = ["demo"]', "projects.other.aliases: ", "projects.demo"),
    ('[image_projects.demo]\ncloud = "gva"', "image_projects.demo: ", "is taken by projects.demo"),
    ('[image_projects.debian-cloud]\ncloud = "gwa"', "image_projects.debian-cloud.cloud: ", 'mean "gva"'),
    ("[image_projects.debian-cloud]", "image_projects.debian-cloud.cloud: ", "is missing"),
    ('[image_projects.d]\ncloud = "gva"\nfamilies = { "Debian 12" = "x" }', "image_projects.d.families: ",
     '"debian-12"'),
    ("[clouds.dk]", "clouds.dk.provider: ", "is missing"),
    ('[clouds.dk]\nprovider = " "', "clouds.dk.provider: ", 'provider = "cloudstack"'),
    ('[clouds."d/k"]\nprovider = "x"', 'clouds."d/k": ', "letters, digits"),
    ('[cache]\nnodes = -1', "cache.nodes: ", "nodes = 0"),
    ('[cache]\nnodes = "often"', "cache.nodes: ", "not a number"),
    ("[cachee]\nnodes = 1", "cachee: ", 'did you mean "cache"?'),
    ("[metrics]", "metrics: ", "no such section"),
]


@pytest.mark.parametrize(("line", "where", "what"), SERVER)
def test_a_mistake_of_the_server_is_named(written, changed, line, where, what):
    _expect(written.mistakes(changed("server", line)), where, what)


@pytest.mark.parametrize(("line", "where", "what"), CLOUD)
def test_a_mistake_of_a_cloud_is_named(written, changed, line, where, what):
    _expect(written.mistakes(changed("clouds.gva", line)), where, what)


@pytest.mark.parametrize("url", ENDPOINTS)
def test_an_endpoint_that_is_no_web_address_is_named(written, changed, url):
    _expect(written.mistakes(changed(old="https://cloud.example/client/api", new=url)),
            "clouds.gva.endpoint: ", '"https://cloud.example/client/api"')


def test_an_endpoint_with_a_password_is_refused_without_repeating_it(written, changed):
    found = written.mistakes(changed(old="https://cloud", new="https://me:hidden-word@cloud"))
    _expect(found, "clouds.gva.endpoint: ", "use key and secret")
    assert "hidden-word" not in "\n".join(found)


@pytest.mark.parametrize(("line", "where", "what"), PROJECT)
def test_a_mistake_of_a_project_is_named(written, changed, line, where, what):
    _expect(written.mistakes(changed("projects.demo", line)), where, what)


@pytest.mark.parametrize(("more", "where", "what"), ELSEWHERE)
def test_a_mistake_between_sections_is_named(written, changed, more, where, what):
    _expect(written.mistakes(changed(more=more)), where, what)


@pytest.mark.parametrize("name", ["server", "clouds", "projects"])
def test_a_value_in_the_place_of_a_section_is_named(written, name):
    text = f"{name} = 1\n"
    assert any(line.startswith(f"{name}: is not a table") for line in written.mistakes(text))


def test_all_mistakes_are_told_at_once(written):
    found = written.mistakes("""
        [server]
        listen = "x"
        threads = "many"
        [clouds.gva]
        provider = "cloudstack"
        endpoint = "nowhere"
        timeout = -1
        [projects.demo]
        clouds = ["gvb"]
        credentials = "callers"
    """)
    places = {line.partition(": ")[0] for line in found}
    assert places == {"server.listen", "server.threads", "clouds.gva.endpoint", "clouds.gva.timeout",
                      "projects.demo.clouds", "projects.demo.credentials"}


def test_a_configuration_without_clouds_says_how_to_get_one(written):
    assert any("gcelib configure" in line for line in written.mistakes("[server]\n"))


def test_a_configuration_without_projects_shows_one(written):
    found = written.mistakes('[clouds.gva]\nprovider = "cloudstack"\n')
    _expect(found, "projects: ", 'clouds = ["gva"]')


def test_a_file_that_is_not_toml_is_named_with_the_line(written):
    found = written.mistakes("[server\nlisten = 1")
    _expect(found, str(written.path), "line 1")


def test_a_file_that_is_not_text_is_named(written):
    written.path.write_bytes(b"\xff\xfe[server]")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(written.path, {})


def _expect(found: list[str], where: str, what: str) -> None:
    """Exactly one mistake, at that place, in those words."""
    assert len(found) == 1, found
    assert found[0].startswith(where)
    assert what in found[0]
