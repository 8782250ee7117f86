"""Calls to OpenStack's services through libcloud's connections: the one place that knows how they are made."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError

from gcelib.drivers.faults import At, Garbled
from gcelib.drivers.generic.door import Door
from gcelib.drivers.openstack import refusals
from gcelib.errors import NotFound

CONNECTIONS = {"compute": "connection", "image": "image_connection", "network": "network_connection"}
"""Service -> the driver's connection to it; Cinder's is found by libcloud, which tries its versions."""
VOLUMES = frozenset({"volumev3", "volumev2"})
"""What Cinder is called in the catalogue, as libcloud looks for it."""
PAGES = 1000
RowType = TypeVar("RowType")


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

    def get(self, service: str, path: str, **params: Any) -> Any:
        """The JSON at a path; parameters that are None are left out."""
        return self._call("GET", service, path, params=params)

    def find(self, service: str, path: str, **params: Any) -> Any:
        """The JSON at a path; None when there is nothing."""
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

    def remove(self, service: str, path: str) -> None:
        """Delete something; gone already is as good."""
        try:
            self.change("DELETE", service, path)
        except NotFound:
            return

    def rows(self, service: str, path: str, key: str, kind: type[RowType], **params: Any) -> list[RowType]:
        """Every row of a list, page by page."""
        return [each for page in self._pages(service, path, key, params) for each in self.typed(page, list[kind])]  # type: ignore[valid-type]

    def one(self, service: str, path: str, key: str, kind: type[RowType]) -> RowType | None:
        """One row; None when it is not there."""
        found = self.find(service, path)
        return None if found is None else self.typed(found.get(key), kind)

    def typed(self, value: Any, kind: type[RowType]) -> RowType:
        """A value as what it should be. Raises Unavailable for what the API does not promise."""
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as exc:
            raise refusals.garbled(self.at, str(exc)) from None

    def me(self) -> Me:
        """Whose keys these are, asked once."""
        with self._lock:
            if self._me is None:
                self._me = self.ask_me()
            return self._me

    def ask_me(self) -> Me:
        """Whose keys these are, asked of Keystone now."""
        token: Mapping[str, Any] = self.door.run("GET identity /v3/auth/tokens", _token)
        user, project = token["user"], token.get("project") or {}
        return Me(user["id"], user["name"], project.get("id", ""), project.get("name", ""), token["region"],
                  frozenset(token["services"]))

    def keeps_volumes(self) -> bool:
        """Whether the cloud has a Cinder that libcloud finds: some have none."""
        return not VOLUMES.isdisjoint(self.me().services)

    def _pages(self, service: str, path: str, key: str, params: Mapping[str, Any]) -> Iterator[Any]:
        asked = dict(params)
        for _ in range(PAGES):
            answer = self.get(service, path, **asked)
            if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
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
                    raise refusals.fault_of(exc, self.at, what, writes=writes) from None
            # The token was taken back before its time, and nothing was carried out: sign in anew, once.
            try:
                return _answer(connection, method, path, given, body, sent)
            except BaseHTTPError as exc:
                raise refusals.fault_of(exc, self.at, what, writes=writes) from None

        return self.door.run(what, ask, writes=writes)


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


def _connection(driver: Any, service: str) -> Any:
    return driver._get_volume_connection() if service == "volume" else getattr(driver, CONNECTIONS[service])


def _following(answer: Mapping[str, Any], key: str) -> dict[str, str]:
    """The parameters of the next page, where there is one: Nova, Neutron and Cinder link to it, and so does Glance."""
    links = answer.get(f"{key}_links") or []
    href = next((link.get("href", "") for link in links if link.get("rel") == "next"), answer.get("next") or "")
    return dict(parse_qsl(urlsplit(href).query))


def _token(driver: Any) -> Mapping[str, Any]:
    """What Keystone says of the token in use."""
    connection = driver.connection
    connection._populate_hosts_and_request_paths()
    identity = connection.get_auth_class()
    answer = identity.authenticated_request("/v3/auth/tokens", headers={"X-Subject-Token": identity.auth_token})
    token = answer.object["token"]
    regions = [
        each["region"] for entry in token.get("catalog", ()) if entry["type"] == "compute"
        for each in entry["endpoints"]
    ]
    token["services"] = [entry["type"] for entry in token.get("catalog", ()) if entry["endpoints"]]
    token["region"] = connection._ex_force_service_region or next(iter(regions), "")
    return dict(token)
