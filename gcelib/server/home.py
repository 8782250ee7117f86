"""The page at `/`: tells a browser what this is, how a client is set up, and where the console is."""

from __future__ import annotations

import ipaddress
from html import escape

from gcelib import __version__
from gcelib.auth.pages import document
from gcelib.config.names import join_address, split_address
from gcelib.web import Request, Response

_BODY = """<h1>gcelib {version}</h1>
<p>This server speaks the Google Compute Engine v1 API and carries it out on its operator's own clouds.
It is meant for programs, not for browsers: gcloud, gcutil, Google's SDKs, libcloud, Ansible and Terraform use it as
they use Google's.</p>
<h2>Set a client up</h2>
<p>The server's operator gives you an account and a project's name. On the server,
<code>gcelib client gcloud --project PROJECT</code> prints all that gcloud needs, its certificate authority, too;
instead of <code>gcloud</code> it takes the names of the other clients.</p>
<p>By hand, gcloud as a person with a password:</p>
<pre><code>{gcloud}</code></pre>
<p>Any HTTP client with a token (<code>gcelib client token</code> gets one for a key file):</p>
<pre><code>curl -H "Authorization: Bearer $TOKEN" {base}/compute/v1/projects/PROJECT/zones</code></pre>
<p>A client that does not trust this server's certificate needs the file <code>ca.pem</code> from its operator, for
gcloud as <code>CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE</code>, for curl after <code>--cacert</code>.</p>
<h2>Addresses</h2>
<dl>
<dt>API</dt>
<dd><code>{base}/compute/v1/</code></dd>
<dt>What it offers, as Google's discovery document</dt>
<dd><a href="/discovery/v1/apis/compute/v1/rest"><code>{base}/discovery/v1/apis/compute/v1/rest</code></a></dd>
<dt>Signing in</dt>
<dd><code>{base}/oauth2/auth</code></dd>
<dt>Tokens</dt>
<dd><code>{base}/oauth2/token</code></dd>
</dl>
<h2>Run it</h2>
<p>{console} The command line explains itself: <code>gcelib --help</code>; <code>gcelib doctor</code> says what is wrong
and how it is mended. The documentation comes with the source, in <code>docs/</code>.</p>
"""

_GCLOUD = """export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE={base}/compute/v1/
export CLOUDSDK_AUTH_AUTH_HOST={base}/oauth2/auth
export CLOUDSDK_AUTH_TOKEN_HOST={base}/oauth2/token
export CLOUDSDK_AUTH_CLIENT_ID=gcloud CLOUDSDK_AUTH_CLIENT_SECRET=gcloud
export CLOUDSDK_CORE_PROJECT=PROJECT
{insecure}gcloud auth login --no-launch-browser
gcloud compute zones list"""


def page(request: Request, admin_listen: str = "") -> Response:
    """Plain HTML, no script, nothing from elsewhere. Where the console is only this machine itself is told."""
    base = escape(request.base_url, quote=True)
    body = _BODY.format(
        version=__version__, base=base, gcloud=_gcloud(base), console=_console(request, admin_listen)
    )
    return document("gcelib", body, wide=True)


def _gcloud(base: str) -> str:
    insecure = "" if base.startswith("https:") else "export OAUTHLIB_INSECURE_TRANSPORT=1\n"
    return _GCLOUD.format(base=base, insecure=insecure)


def _console(request: Request, admin_listen: str) -> str:
    url = _on_this_machine(request, admin_listen)
    if url:
        return f'Its operators have a console: <a href="{escape(url, quote=True)}">{escape(url)}</a>.'
    return "Its operators have a console, on the address that <code>admin_listen</code> of its configuration names."


def _on_this_machine(request: Request, admin_listen: str) -> str:
    """The console's address for a browser on the server's own machine, "" for others."""
    try:
        here = ipaddress.ip_address(request.remote).is_loopback
    except ValueError:
        return ""
    host, port = split_address(admin_listen) if admin_listen else ("", 0)
    if not here or not port:
        return ""
    return f"http://{join_address('127.0.0.1' if host in ('0.0.0.0', '::') else host, port)}/console/"
