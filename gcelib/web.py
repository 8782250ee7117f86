"""A request and a response as values, so that nothing below the listener knows who carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is still percent-encoded and starts with "/"; header names are lower case.

    `base_url` is how this client reaches us ("https://host:port", no slash at the end): the configured
    external URL, else scheme and Host of the request.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = ""
    remote: str = ""
    id: str = ""

    def params(self) -> list[tuple[str, str]]:
        """The query as pairs, in order, percent-decoded, `+` as a space, empty values kept."""
        return parse_qsl(self.query, keep_blank_values=True)

    def header(self, name: str, default: str = "") -> str:
        """A header's value, any letter case of its name."""
        return self.headers.get(name.lower(), default)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, complete."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
