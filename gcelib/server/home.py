"""The page at `/`: tells a browser what this is and where the machines' door is."""

from __future__ import annotations

import html

from gcelib import __version__
from gcelib.auth.pages import document
from gcelib.web import Request, Response

_BODY = """<h1>gcelib {version}</h1>
<p>This server speaks the Google Compute Engine v1 API and carries it out on its operator's own clouds.
It is meant for programs: <code>gcloud</code>, <code>gcutil</code>, Google's SDKs, libcloud, Ansible, Terraform.</p>
<dl>
<dt>API</dt>
<dd><code>{base}/compute/v1/</code></dd>
<dt>What it offers</dt>
<dd><a href="/discovery/v1/apis/compute/v1/rest"><code>{base}/discovery/v1/apis/compute/v1/rest</code></a></dd>
<dt>Signing in</dt>
<dd><code>{base}/oauth2/auth</code></dd>
<dt>Tokens</dt>
<dd><code>{base}/oauth2/token</code></dd>
</dl>
<p>Its operator sets a client up with <code>gcelib client gcloud --project NAME</code>.</p>
"""


def page(request: Request) -> Response:
    """Plain HTML, no script, nothing from elsewhere."""
    body = _BODY.format(version=__version__, base=html.escape(request.base_url, quote=True))
    return document("gcelib", body, wide=True)
