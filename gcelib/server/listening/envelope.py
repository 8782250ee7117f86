"""Google's JSON error envelope for answers that no handler gives."""

from __future__ import annotations

import json

CONTENT_TYPE = "application/json; charset=UTF-8"

REASONS = {
    400: "badRequest",
    404: "notFound",
    405: "httpMethodNotAllowed",
    408: "requestTimeout",
    413: "uploadTooLarge",
    414: "uriTooLong",
    431: "headersTooLarge",
    500: "internalError",
    503: "backendError",
}

PHRASES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def envelope(status: int, message: str, reason: str = "", location: str = "") -> bytes:
    """An error as Google writes it; `reason` defaults to the status's, `location` is the field at fault."""
    reason = reason or REASONS.get(status, "internalError")
    detail = {"domain": "global", "reason": reason, "message": message}
    if location:
        detail |= {"location": location, "locationType": "parameter"}
    return json.dumps({"error": {"code": status, "message": message, "errors": [detail]}}).encode()


def raw_answer(status: int, message: str, *, retry: int = 1, last: bool = True, bare: bool = False) -> bytes:
    """A whole HTTP/1.1 answer, for requests that never became one; `last`: it ends the connection. `bare`: without its
    body, as the answer to HEAD."""
    body = envelope(status, message)
    lines = [
        f"HTTP/1.1 {status} {PHRASES.get(status, 'Error')}",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        f"Connection: {'close' if last else 'keep-alive'}",
    ]
    if status == 503:
        lines.append(f"Retry-After: {retry}")
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if bare else body)
