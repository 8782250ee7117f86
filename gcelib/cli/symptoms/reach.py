"""What clients meet at the server's URL, and how far the clocks of the clouds are from ours."""

from __future__ import annotations

import datetime
import email.utils
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gcelib.cli.symptoms.asking import Reply, ask, words
from gcelib.config import CloudConfig, Config
from gcelib.drivers.registry import profile_of
from gcelib.errors import Unsupported
from gcelib.server.findings import NOTE, Finding, found, note, well, wrong
from gcelib.server.shown import SOON

URL = "external URL"
_DOCUMENT = "/.well-known/oauth-authorization-server"

SKEW_NOTED = 30.0
SKEW_WRONG = 120.0
"""Seconds. Clouds and Google's libraries take signatures that are a few minutes old; a refusal comes suddenly."""

_UNKNOWN = range(18, 22)
"""OpenSSL's numbers for certificates whose authority is not known."""
_OF_NOBODY = """\
If it is of a public authority, server.cert lacks the chain: append the certificates between.
If it is of your own, let this machine trust that, and its clients: `gcelib client KIND --ca-file F`."""


def external_url(config: Config) -> Iterator[Finding]:
    """Whether gcelib itself answers at the URL that clients are given, and calls itself by it."""
    url = config.server.public_url()
    ca_file = config.server.ca_path()
    try:
        reply = ask(url + _DOCUMENT, ca_file if ca_file and ca_file.is_file() else None)
    except ConnectionRefusedError:
        yield note(URL, f"Nothing listens at {url}.", "Start `gcelib serve`; if it runs, check server.listen, "
                   "server.external_url and the proxy or firewall in between.")
        return
    except ssl.SSLCertVerificationError as error:
        yield wrong(URL, f"{url} is not trusted by this machine: {words(error)}.",
                    _OF_NOBODY if error.verify_code in _UNKNOWN else "See what is said of TLS.")
        return
    except (OSError, http.client.HTTPException) as error:
        yield wrong(URL, f"{url} cannot be reached: {words(error)}.", "Check server.external_url, the name's DNS "
                    "entry, the proxy or firewall in between, and the certificate it shows.")
        return
    called = _issuer(reply)
    if not called:
        yield wrong(URL, f"Something else than gcelib answers at {url} (HTTP {reply.status}).", "Let "
                    "server.external_url or the proxy lead to server.listen, with the whole path.")
    elif called != url:
        yield wrong(URL, f"Who asks {url} is sent on to {called}.", f'Write external_url = "{url}" under [server], or '
                    "let the proxy pass the Host header on and name it in server.trusted_proxies.")
    else:
        yield well(URL, f"{url} answers in {reply.seconds * 1000:.0f} ms.")


def _issuer(reply: Reply) -> str:
    try:
        return str(json.loads(reply.body)["issuer"]) if reply.status == 200 else ""
    except (ValueError, LookupError, TypeError):
        return ""


def clock(cloud: CloudConfig) -> Iterator[Finding]:
    """Our clock against the Date of the cloud's answers (RFC 9110 6.6.1), which is right to a second."""
    about = f"clock, cloud '{cloud.name}'"
    endpoint = cloud.endpoint or _usual_endpoint(cloud)
    if not endpoint:
        yield note(about, "Its address is known to libcloud alone, so that its clock cannot be asked.")
        return
    try:
        reply = ask(endpoint, Path(cloud.ca_file).expanduser() if cloud.ca_file else None)
    except ssl.SSLCertVerificationError as error:
        yield wrong(f"TLS, cloud '{cloud.name}'", f"{endpoint} is not trusted: {words(error)}.", f"See ca_file of "
                    f"[clouds.{cloud.name}], and endpoint: the name must be the certificate's. One that has ended is"
                    " its operator's to renew.")
        return
    except (OSError, http.client.HTTPException) as error:
        yield note(about, f"{endpoint} did not tell the time: {words(error)}.")
        return
    yield from _soon(cloud, endpoint, reply)
    told = email.utils.parsedate_tz(reply.headers.get("Date", ""))
    if told is None:
        yield note(about, f"{endpoint} did not tell the time.")
        return
    # The Date is cut to whole seconds: half of one is what it lacks on average.
    ahead = reply.when - (email.utils.mktime_tz(told) + 0.5)
    size = abs(ahead)
    said = f"This machine's clock is {size:.0f} s {'ahead of' if ahead > 0 else 'behind'} the cloud's"
    if size > SKEW_WRONG:
        worse = f"{said}: signatures and tokens are taken for expired, or for not yet good."
        yield found("clock-off", about, worse, cloud.name)
    elif size > SKEW_NOTED:
        yield replace(found("clock-off", about, f"{said}.", cloud.name), level=NOTE)
    else:
        yield well(about, f"Within {max(1.0, size):.0f} s of the cloud's.")


def _soon(cloud: CloudConfig, endpoint: str, reply: Reply) -> Iterator[Finding]:
    """The end of a cloud's certificate, where it is near."""
    if reply.ends is not None and reply.ends - datetime.datetime.now(datetime.UTC) < SOON:
        yield note(f"TLS, cloud '{cloud.name}'", f"The certificate of {endpoint} ends on {reply.ends:%Y-%m-%d}.",
                   "Remind the cloud's operator: from then on it answers gcelib no more.")


def _usual_endpoint(cloud: CloudConfig) -> str:
    try:
        return profile_of(cloud.provider).endpoint
    except Unsupported:
        return ""
