"""Calls to OpenStack's services through libcloud's connections: the one place that knows how they are made."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import LibcloudError

from gcelib.drivers import faults
from gcelib.drivers.faults import At, Garbled
from gcelib.drivers.generic.door import LASTING, Door
from gcelib.drivers.mending import BROKEN, called, mended
from gcelib.drivers.openstack import refusals
from gcelib.errors import Fault, NotFound, Unavailable

LOG = logging.getLogger(__name__)
CONNECTIONS = {"compute": "connection", "image": "image_connection", "network": "network_connection"}
"""Service -> the driver's connection to it; Cinder's is found by libcloud, which tries its versions."""
VOLUMES = frozenset({"volumev3", "volumev2"})
"""What Cinder is called in the catalogue, as libcloud looks for it."""
PAGES = 1000
RowType = TypeVar("RowType")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Me:
    """Whose keys these are, where: a user in a project, the region, and the types of the services there."""

    user_id: str
    user_name: str
    project_id: str
    project_name: str
    region: str
    services: frozenset[str] = frozenset()


class Api:
    """Reads and changes of one cloud with one set of credentials. Thread-safe."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.at: At = door.at
        self._lock = threading.Lock()
        self._me: Me | None = None

    def get(self, service: str, path: str, **params: Any) -> dict[str, Any]:
        """The JSON object at a path; parameters that are None are left out. Raises Unavailable for anything else."""
        found = self._call("GET", service, path, params=params)
        if not isinstance(found, dict):
            raise refusals.garbled(self.at, f"no object at {service} {path}")
        return found

    def find(self, service: str, path: str, **params: Any) -> dict[str, Any] | None:
        """The JSON object at a path; None when there is nothing."""
        try:
            return self.get(service, path, **params)
        except NotFound:
            return None

    def ask(self, service: str, path: str, body: Any) -> Any:
        """The JSON that answers a question which Nova takes by POST only."""
        return self._call("POST", service, path, body=body)

    def change(self, method: str, service: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a change: the JSON that answers it, None for none. Raises Uncertain when the answer was lost."""
        return self._call(method, service, path, body=body, headers=headers, writes=True)

    def make(self, service: str, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have a thing made by POST: what the answer calls `key`, which has an `id`.

        Raises Uncertain when the answer was lost, or has none.
        """
        made = self.part(self.change("POST", service, path, {key: body}), f"POST {service} {path}", key)
        self.text(made, f"POST {service} {path}", "id")
        return made

    def part(self, answer: Any, what: str, *path: str) -> dict[str, Any]:
        """An object within the answer to a change. Raises Uncertain when it is not there."""
        for key in path:
            answer = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(answer, dict):
            raise faults.name(Garbled(f"it holds no '{path[-1]}'"), self.at, what, writes=True)
        return answer

    def inside(self, answer: Any, *path: str) -> dict[str, Any]:
        """An object within what was read. Raises Unavailable when it is not there."""
        for key in path:
            answer = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(answer, dict):
            raise refusals.garbled(self.at, f"no object '{'.'.join(path)}'")
        return answer

    def text(self, answer: Any, what: str, key: str) -> str:
        """A text in the answer to a change. Raises Uncertain when it is not there."""
        found = answer.get(key) if isinstance(answer, dict) else None
        if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            raise faults.name(Garbled(f"it holds no '{key}'"), self.at, what, writes=True)
        return str(found)

    def remove(self, service: str, path: str) -> None:
        """Delete something; gone already is as good."""
        try:
            self.change("DELETE", service, path)
        except NotFound:
            return

    def rows(self, service: str, path: str, key: str, kind: type[RowType], **params: Any) -> list[RowType]:
        """Every usable row of a list, page by page, each once; others are left out, with a line in the log."""
        found: dict[str, RowType] = {}
        for page in self._pages(service, path, key, params):
            rows = self._usable(page, kind)
            if len(rows) < len(page):
                LOG.warning("%s: %d of %d %s are left out", self.at, len(page) - len(rows), len(page), key)
            for row in rows:
                found.setdefault(mark(row), row)
        return list(found.values())

    def one(self, service: str, path: str, key: str, kind: type[RowType]) -> RowType | None:
        """One row; None when it is not there."""
        found = self.find(service, path)
        return None if found is None else self.typed(found.get(key), kind)

    def typed(self, value: Any, kind: type[RowType]) -> RowType:
        """A row of this kind. Raises Unavailable for what is none, or has no id."""
        row = self._row(value, kind)
        if row is None:
            raise refusals.garbled(self.at, f"no usable {called(kind, value)}")
        return row

    def _usable(self, page: list[Any], kind: type[RowType]) -> list[RowType]:
        try:
            rows = msgspec.convert(page, list[kind], strict=False)  # type: ignore[valid-type]
            if all(map(mark, rows)):
                return rows
        except BROKEN:
            pass
        return [row for value in page if (row := self._row(value, kind)) is not None]

    def _row(self, value: Any, kind: type[RowType]) -> RowType | None:
        row: RowType | None
        try:
            row = msgspec.convert(value, kind, strict=False)
        except BROKEN:
            row = self._mended(value, kind)
        if row is not None and mark(row):
            return row
        LOG.warning("%s: %s is left out: it is not usable", self.at, called(kind, value))
        return None

    def _mended(self, value: Any, kind: type[RowType]) -> RowType | None:
        if not isinstance(value, dict) or not issubclass(kind, msgspec.Struct):
            return None
        try:
            return mended(value, kind)
        except BROKEN:
            return None

    def me(self) -> Me:
        """Whose keys these are, asked once."""
        with self._lock:
            if self._me is None:
                self._me = self.ask_me()
            return self._me

    def ask_me(self) -> Me:
        """Whose keys these are, asked of Keystone now."""
        return self._run("GET identity /v3/auth/tokens", _me)

    def keeps_volumes(self) -> bool:
        """Whether the cloud has a Cinder that libcloud finds: some have none."""
        return not VOLUMES.isdisjoint(self.me().services)

    def _pages(self, service: str, path: str, key: str, params: Mapping[str, Any]) -> Iterator[Any]:
        asked = dict(params)
        for _ in range(PAGES):
            try:
                answer = self.get(service, path, **asked)
            except Fault as fault:
                if isinstance(fault, (*LASTING, refusals.NoProject)):
                    raise
                # What is said against a list tells nothing of the things in it.
                raise Unavailable(fault.message) from fault.__cause__
            if not isinstance(answer.get(key), list):
                raise refusals.garbled(self.at, f"no list '{key}'")
            yield answer[key]
            following = _following(answer, key)
            if not following or not answer[key]:
                return
            asked = {**params, **following}
        raise refusals.garbled(self.at, f"{service} {path} has no end")

    def _call(
        self, method: str, service: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None,
        headers: Mapping[str, str] | None = None, writes: bool = False,
    ) -> Any:
        what = f"{method} {service} {path}"
        given = {name: value for name, value in (params or {}).items() if value is not None}
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}

        def ask(driver: Any) -> Any:
            connection = _connection(driver, service)
            try:
                return _answer(connection, method, path, given, body, sent)
            except RateLimitReachedError:
                raise
            except BaseHTTPError as exc:
                if int(exc.code) != 401:
                    raise _refused(exc, self.at, service, what, writes=writes) from None
            # The token was taken back before its time, and nothing was carried out: sign in anew, once.
            try:
                return _answer(connection, method, path, given, body, sent)
            except BaseHTTPError as exc:
                raise _refused(exc, self.at, service, what, writes=writes) from None

        return self._run(what, ask, writes=writes)

    def _run(self, what: str, work: Callable[[Any], Result], *, writes: bool = False) -> Result:
        """`Door.run`; what libcloud finds wrong with Keystone's answer, before anything else is sent, is no refusal."""
        def signed(driver: Any) -> Result:
            try:
                return work(driver)
            except LibcloudError as exc:
                if type(exc) is not LibcloudError:
                    raise
                raise Garbled(str(exc.value), refused=True) from None

        return self.door.run(what, signed, writes=writes)


def _answer(
    connection: Any, method: str, path: str, params: Mapping[str, Any], body: Any, headers: Mapping[str, str]
) -> Any:
    data = "" if body is None else body
    response = connection.request(path, params=dict(params), data=data, headers=dict(headers), method=method)
    found = response.object
    if found is not None and not isinstance(found, dict | list):
        if method == "GET":
            raise Garbled("not JSON")
        return None
    return found


def _refused(exc: BaseHTTPError, at: At, service: str, what: str, *, writes: bool) -> Exception:
    """The fault that an error answer is. Glance alone says in HTML that a thing is not there; another's page may be
    anybody's, and nothing is taken for gone because of it.
    """
    kind = next((value for name, value in (exc.headers or {}).items() if name.lower() == "content-type"), "")
    if int(exc.code) == 404 and service != "image" and "json" not in kind:
        return Garbled(f"HTTP 404, {kind or 'no content type'}", refused=True)
    return refusals.fault_of(exc, at, what, writes=writes)


def _connection(driver: Any, service: str) -> Any:
    return driver._get_volume_connection() if service == "volume" else getattr(driver, CONNECTIONS[service])


def mark(row: Any) -> str:
    """What tells a row from the others of its list; "" for one that nothing tells."""
    found = row.get("id") if isinstance(row, dict) else row.mark
    return found if isinstance(found, str) else ""


def _following(answer: Mapping[str, Any], key: str) -> dict[str, str]:
    """The parameters of the next page, where there is one: Nova, Neutron and Cinder link to it, and so does Glance."""
    links = answer.get(f"{key}_links")
    found = [link.get("href") for link in links if isinstance(link, dict) and link.get("rel") == "next"] if isinstance(
        links, list) else []
    href = next(iter(found), answer.get("next"))
    return dict(parse_qsl(urlsplit(href).query)) if isinstance(href, str) else {}


def _me(driver: Any) -> Me:
    """What Keystone says of the token in use."""
    connection = driver.connection
    connection._populate_hosts_and_request_paths()
    identity = connection.get_auth_class()
    answer = identity.authenticated_request("/v3/auth/tokens", headers={"X-Subject-Token": identity.auth_token})
    token = answer.object["token"]
    catalog = token.get("catalog") or ()
    regions = [each["region"] for entry in catalog if entry["type"] == "compute" for each in entry["endpoints"]]
    region = connection._ex_force_service_region or next(iter(regions), "")
    user, project = token["user"], token.get("project") or {}
    told = (user["id"], user["name"], project.get("id", ""), project.get("name", ""), region)
    if not all(isinstance(each, str) for each in told):
        raise Garbled("a token of nobody")
    return Me(*told, frozenset(entry["type"] for entry in catalog if entry["endpoints"]))
