"""repr, str, pickles, tracebacks and chained exceptions of everything that knows a secret."""

from __future__ import annotations

import base64
import html
import json
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError

from gcelib.auth.caller import Caller
from gcelib.config import CacheConfig, CloudConfig, Config, load
from gcelib.config.sealed import Secret
from gcelib.drivers import registry
from gcelib.drivers.cloudstack.connection import Endpoint, make_driver
from gcelib.drivers.faults import At, Garbled, Refusal
from gcelib.drivers.projects import Projects
from gcelib.drivers.redaction import redact
from gcelib.drivers.session import Session
from gcelib.errors import Fault
from gcelib.server import logs
from gcelib.store import Account, Store

KEY, SECRET, PASSWORD = "the-api-key-4711", "the/secret+key=0815", "database-password"


def says_nothing(text: str) -> None:
    """None of the secrets is in it, in any spelling."""
    for secret in (KEY, SECRET, PASSWORD):
        for form in (secret, quote(secret, safe=""), secret.upper(), secret.replace("/", "\\/")):
            assert form not in text


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration with every kind of secret in it."""
    path = tmp_path / "gcelib.toml"
    path.write_text(f"""
[server]
state_dir = "{tmp_path}/state"
database = "postgresql+psycopg://gcelib:{PASSWORD}@db.example/gcelib"
[clouds.one]
provider = "cloudstack"
endpoint = "http://127.0.0.1:9/client/api"
key = "{KEY}"
secret = "{SECRET}"
[clouds.one.options]
ex_password = "{PASSWORD}"
[projects.demo]
clouds = ["one"]
""")
    path.chmod(0o600)
    return load(path, {})


@pytest.fixture
def projects(config: Config) -> Iterator[Projects]:
    made = Projects(config)
    yield made
    made.close()


def test_the_configuration_and_its_parts(config: Config) -> None:
    for thing in (config, config.server, config.clouds, config.clouds["one"], config.projects):
        says_nothing(repr(thing))
        says_nothing(str(thing))
        says_nothing(f"{thing}")


def test_a_secret_is_not_written_by_accident() -> None:
    secret = Secret(SECRET)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", f"{[secret]}", f"{secret=}"):
        says_nothing(text)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == SECRET


def test_clouds_sessions_drivers_and_projects(projects: Projects, config: Config) -> None:
    cloud = projects.cloud("one")
    driver = make_driver(Endpoint("http://127.0.0.1:9/client/api"), KEY, SECRET)
    at = At("one", "cloudstack", (SECRET, KEY))
    session: Session[Any] = Session(at, lambda: driver)
    found: list[Any] = [cloud, projects, driver, driver.connection, session, at, registry.profiles()["cloudstack"]]
    inner: Any = cloud
    while hasattr(inner, "_inner"):
        inner = inner._inner
        found.append(inner)
    found += [getattr(cloud, facet) for facet in ("zones", "nodes", "images", "volumes", "firewalls", "tags")]
    for thing in found:
        says_nothing(repr(thing))
        says_nothing(str(thing))
    session.close()


def test_accounts_callers_and_the_store(tmp_path: Path) -> None:
    account = Account("a@b", "user", "demo", "1", False, 0.0, password=PASSWORD, roles={})
    says_nothing(repr(account))
    says_nothing(repr(Caller("a@b", "user", {}, frozenset(), "0123")))
    says_nothing(repr(Store.unchanged(f"postgresql+psycopg://gcelib:{PASSWORD}@db.example/gcelib"))
                 if _has_psycopg() else "")  # fmt: skip
    store = Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    says_nothing(repr(store))
    store.close()


def _has_psycopg() -> bool:
    try:
        import psycopg
    except ImportError:
        return False
    return bool(psycopg)


ECHO = f"GET /client/api?apiKey={KEY}&command=x&signature=abc {quote(SECRET, safe='')} {SECRET.upper()} {SECRET!r}"

FAILURES: list[Callable[[], Exception]] = [
    lambda: Refusal(431, ECHO, "listZones"),
    lambda: Garbled(ECHO),
    lambda: InvalidCredsError(ECHO),
    lambda: LibcloudError(ECHO, driver=None),
    lambda: MalformedResponseError(ECHO, body=ECHO),
    lambda: BaseHTTPError(530, ECHO),
    lambda: Exception(ECHO),
    lambda: KeyError(ECHO),
    lambda: ValueError(ECHO),
    lambda: requests.exceptions.ConnectionError(ECHO),
    lambda: requests.exceptions.SSLError(ECHO),
    lambda: requests.exceptions.ReadTimeout(ECHO),
    lambda: OSError(5, ECHO),
    lambda: ConnectionResetError(104, ECHO),
    lambda: RuntimeError(ECHO),
]


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("make", FAILURES, ids=lambda make: type(make()).__name__)
def test_a_failure_of_libcloud_and_all_that_is_chained_to_it(
    make: Callable[[], Exception], writes: bool, caplog: pytest.LogCaptureFixture
) -> None:
    session: Session[Any] = Session(At("one", "cloudstack", (SECRET, KEY)), lambda: object())

    def fail(_driver: object) -> None:
        try:
            raise ConnectionError(ECHO)
        except ConnectionError as error:
            raise make() from error

    with pytest.raises(Fault) as caught:
        session.call("listZones", fail, writes=writes)
    fault = caught.value
    says_nothing("".join(traceback.format_exception(fault)))
    says_nothing(repr(fault.to_data()))
    for text in chained(fault):
        says_nothing(text)
    assert "'one'" in fault.message
    says_nothing(caplog.text)
    session.close()


def chained(error: BaseException | None) -> Iterator[str]:
    """Text, arguments and attributes of an exception, its cause and its context, whatever hides them."""
    while error is not None:
        yield f"{error!r} {error} {error.args!r} {vars(error)!r}"
        if error.__cause__ is not None and error.__context__ is not error.__cause__:
            yield from chained(error.__context__)
        error = error.__cause__ or error.__context__


def test_a_real_refusal_of_a_connection_says_nothing_of_the_request() -> None:
    config = CloudConfig("one", "cloudstack", "http://127.0.0.1:9/client/api", KEY, Secret(SECRET))
    cloud = registry.build(config, CacheConfig())
    with pytest.raises(Fault) as caught:
        cloud.ping()
    for text in chained(caught.value):
        says_nothing(text)
        assert "signature" not in text
    cloud.close()


@pytest.mark.parametrize("secret", [SECRET, "a b&c", "<tag>\"'", "ümläut-secret", "\\back\\slash", "x" * 300])
def test_a_secret_is_cut_out_however_it_is_spelt(secret: str) -> None:
    twice = quote(quote(secret, safe=""), safe="")
    for form in (secret, quote(secret), quote(secret, safe=""), secret.lower(), html.escape(secret),
                 json.dumps(secret), base64.b64encode(secret.encode()).decode(), twice):
        said = redact(f"before {form} after", (secret,))
        assert said.startswith("before ")
        assert "[hidden]" in said
        assert form.strip('"') not in said
        assert said.rstrip('="').replace("=", "").rstrip('"').endswith("after"), said


def test_short_secrets_do_not_make_holes_in_words() -> None:
    assert redact("a cloud at a place", ("a", "at")) == "a cloud at a place"


@pytest.mark.parametrize(
    "line",
    [
        f"apiKey={SECRET}", f"Authorization: Bearer {SECRET}", f'"password": "{SECRET}"', f"client_secret={SECRET}&x=1",
        f"https://user:{PASSWORD}@host/", f"refresh_token={SECRET}", f"secretkey={SECRET}", f"code={SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_masked_in_every_log_line(line: str) -> None:
    says_nothing(logs.mask(line))


def test_secrets_do_not_survive_as_plain_fields(config: Config) -> None:
    assert isinstance(config.clouds["one"].secret, Secret)
    cloud = config.clouds["one"]
    with pytest.raises(TypeError, match="not written anywhere"):
        asdict(cloud)
