"""One HTML document around what a page says: its style, and the policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from gcelib.web import Response

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def hashed(text: str) -> str:
    """What a Content-Security-Policy names a style or a script by that stands in the page itself."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def headers_of(policy: str) -> dict[str, str]:
    """The headers of an HTML page under a Content-Security-Policy: kept by nobody, in nobody else's frame."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


_STYLE_HASH = hashed(STYLE)


def document(
    title: str, body: str, status: int = 200, *, form_action: str = "'none'", wide: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page of ours. `title` and `body` are HTML already; `form_action` is where its forms may end, in the words
    of a Content-Security-Policy."""
    html = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>{STYLE}</style>
</head>
<body>
<main{' class="wide"' if wide else ''}>
{body}</main>
</body>
</html>
"""
    policy = (
        f"default-src 'none'; style-src {_STYLE_HASH}; "
        f"form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
    )
    return Response(status, {**headers_of(policy), **(headers or {})}, html.encode(errors="replace"))
