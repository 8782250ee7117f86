"""Forms in and JSON out: the way between our requests and answers and oauthlib's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gcelib.errors import Fault
from gcelib.web import Request, Response

LARGEST_FORM = 65_536


class BadForm(Exception):
    """A body that is not the form it should be; the text says why."""


def form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form body, in order. Raises BadForm."""
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if kind not in ("", "application/x-www-form-urlencoded"):
        raise BadForm("The body must be application/x-www-form-urlencoded.")
    if len(request.body) > LARGEST_FORM:
        raise BadForm("The body is too large.")
    try:
        return parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise BadForm("The body is not a form in UTF-8.") from error


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields by name; an empty one counts as absent (RFC 6749 3.1). Raises BadForm for a repeated one."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if value and name in fields:
            raise BadForm(f"Duplicate {name} parameter.")
        if value:
            fields[name] = value
    return fields


def to_oauthlib(request: Request, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of an endpoint of oauthlib for a POST of `fields`; `Base` and `Remote` carry our own
    URL and the client's address along."""
    return {
        "uri": request.base_url + path,
        "http_method": "POST",
        "body": urlencode(fields),
        "headers": {
            "Authorization": request.header("authorization"), "Base": request.base_url, "Remote": request.remote,
        },
    }


def answer(data: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that nobody keeps."""
    return from_oauthlib((dict(headers or {}), json.dumps(data), status))


def refusal(error: str, description: str, status: int = 400) -> Response:
    """An error as RFC 6749 5.2 wants it."""
    return answer({"error": error, "error_description": description}, status)


def unavailable(fault: Fault) -> Response:
    """A fault as an OAuth answer."""
    error = "temporarily_unavailable" if fault.status == 503 else "server_error"
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    return answer({"error": error, "error_description": fault.message}, fault.status, headers)


def from_oauthlib(result: tuple[Mapping[str, str], str | None, int]) -> Response:
    """Our response for what an endpoint of oauthlib gave."""
    headers, body, status = result
    return Response(
        status,
        {
            **headers,
            "Content-Type": "application/json; charset=UTF-8",
            "Cache-Control": "no-store",
            "Pragma": "no-cache",
            "X-Content-Type-Options": "nosniff",
        },
        (body or "{}").encode(),
    )
