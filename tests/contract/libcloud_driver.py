"""libcloud's GCE driver, led to one server."""

# mypy: allow-untyped-calls, disable-error-code="assignment"

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import libcloud.security
import pytest
from libcloud.compute.drivers.gce import GCEConnection, GCENodeDriver

from tests.live import Live


@contextmanager
def led(live: Live, **options: Any) -> Iterator[Any]:
    """The driver, with a token from a file, as a person who has one would give it; `live` has TLS."""
    address = urlsplit(live.url)

    class Connection(GCEConnection):
        """The driver's connection, led to the server, whose cloud is done sooner than after libcloud's 2 seconds."""

        host = address.hostname
        poll_interval = 0.1

        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **{**options, "port": address.port})

    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=50)
    token = live.home / "libcloud-token.json"
    token.write_text(json.dumps({"access_token": live.sign_in(), "token_type": "Bearer", "expires_in": 3000,
                                 "expire_time": until.strftime("%Y-%m-%dT%H:%M:%SZ")}))
    patch = pytest.MonkeyPatch()
    patch.setattr(libcloud.security, "CA_CERTS_PATH", str(live.ca))
    patch.setattr(GCENodeDriver, "connectionCls", Connection)
    try:
        made = GCENodeDriver("tests", "unused", project="demo", auth_type="IA", credential_file=str(token), **options)
        try:
            yield made
        finally:
            made.connection.connection.session.close()
    finally:
        patch.undo()
