"""The page at `/`: tells a browser what this is and where the machines' door is."""

from __future__ import annotations

import html

from gcelib import __version__
from gcelib.web import Request, Response

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>gcelib</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1.2rem }}
code {{ font-size: .95em; overflow-wrap: anywhere }}
dt {{ font-weight: 600; margin-top: .8rem }} dd {{ margin: 0 }}
</style></head><body><main>
<h1>gcelib {version}</h1>
<p>This server speaks the Google Compute Engine v1 API and carries it out on its operator's own clouds.
It is meant for programs: <code>gcloud</code>, <code>gcutil</code>, Google's SDKs, libcloud, Ansible, Terraform.</p>
<dl>
<dt>API</dt><dd><code>{base}/compute/v1/</code></dd>
<dt>What it offers</dt>
<dd><a href="/discovery/v1/apis/compute/v1/rest"><code>{base}/discovery/v1/apis/compute/v1/rest</code></a></dd>
<dt>Signing in</dt><dd><code>{base}/oauth2/auth</code>, tokens at <code>{base}/oauth2/token</code></dd>
</dl>
<p>Its operator sets a client up with <code>gcelib client gcloud --project NAME</code>.</p>
</main></body></html>
"""


def page(request: Request) -> Response:
    """Plain HTML, no script, nothing from elsewhere."""
    text = _PAGE.format(version=__version__, base=html.escape(request.base_url, quote=True))
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(200, headers, text.encode())
