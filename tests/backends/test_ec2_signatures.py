"""How requests to EC2 leave: signed for a region of any name, as Amazon's own library would sign them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gcelib.config.options import CloudConfig
from gcelib.config.sealed import Secret
from gcelib.drivers import registry
from gcelib.drivers.profile import Keys

ZONES = b"""<DescribeAvailabilityZonesResponse xmlns="urn:x"><availabilityZoneInfo><item><zoneName>here-1a</zoneName>
<zoneState>available</zoneState></item></availabilityZoneInfo></DescribeAvailabilityZonesResponse>"""
KEY, SECRET = "access-key-of-the-lab", "secret-key-of-the-lab"


class Heard(BaseHTTPRequestHandler):
    """Answers every request alike and keeps it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append((self.command, self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(ZONES)))
        self.end_headers()
        self.wfile.write(ZONES)

    do_GET = do_POST

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def cloud() -> Iterator[HTTPServer]:
    """A cloud that only listens."""
    server = HTTPServer(("127.0.0.1", 0), Heard)
    server.heard = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def asked(server: HTTPServer, provider: str, **options: Any) -> tuple[str, str, dict[str, str], bytes]:
    """The one request that listing the zones makes."""
    url = f"http://127.0.0.1:{server.server_port}"
    config = CloudConfig("lab", provider, endpoint=url, key=KEY, secret=Secret(SECRET), options=options)
    profile = registry.profile_of(provider)
    made = registry.family(profile).build(profile, config, Keys(KEY, SECRET), "", lambda *told: None)
    assert [zone.id for zone in made.zones.list()] == ["here-1a"]
    made.close()
    [found] = server.heard  # type: ignore[attr-defined]
    return found  # type: ignore[no-any-return]


def test_a_request_is_signed_as_amazons_own_library_signs_it(
    cloud: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # libcloud signs every header, the user agent, too; Amazon's library knows how and leaves that one out by itself.
    monkeypatch.setattr(botocore.auth, "SIGNED_HEADERS_BLACKLIST", [])
    method, path, headers, body = asked(cloud, "ec2", region="nowhere-9")
    assert (method, path) == ("POST", "/")
    assert parse_qs(body.decode())["Action"] == ["DescribeAvailabilityZones"]
    said = headers["Authorization"]
    assert f"Credential={KEY}/" in said
    assert "/nowhere-9/ec2/aws4_request" in said
    signed = said.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    lower = {name.lower(): value for name, value in headers.items()}
    again = AWSRequest(method, f"http://{lower['host']}/", data=body, headers={name: lower[name] for name in signed})
    again.context["timestamp"] = lower["x-amz-date"]
    theirs = SigV4Auth(Credentials(KEY, SECRET), "ec2", "nowhere-9")
    text = theirs.string_to_sign(again, theirs.canonical_request(again))
    assert said.endswith(f"Signature={theirs.signature(text, again)}")


def test_an_older_cloud_is_asked_in_the_older_way(cloud: HTTPServer) -> None:
    method, path, headers, body = asked(cloud, "ec2", signature_version="2", path="/services/compute")
    sent = parse_qs(urlsplit(path).query)
    assert (method, body, urlsplit(path).path) == ("GET", b"", "/services/compute")
    assert (sent["Action"], sent["SignatureVersion"]) == (["DescribeAvailabilityZones"], ["2"])
    assert sent["Signature"]
    assert SECRET not in path
    assert "Authorization" not in headers
