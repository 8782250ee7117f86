"""libcloud's GCE driver: a connection class that ends up here, and a token it takes from a file."""

from __future__ import annotations

from gcelib.cli.setups.setup import File, Setup, fill, token_line

_SCRIPT = '''\
"""Compute Engine through gcelib with libcloud's GCE driver: pip install apache-libcloud"""

import datetime
import json
import os
import tempfile

import libcloud.security
from libcloud.compute.drivers.gce import GCEConnection, GCENodeDriver

@CA@

class Connection(GCEConnection):
    """The driver's connection, led to gcelib."""

    host = @HOST@

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "port": @PORT@})


GCENodeDriver.connectionCls = Connection


def driver():
    """A driver that uses the token in GCELIB_TOKEN for the hour it is good for."""
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=55)
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump({
            "access_token": os.environ["GCELIB_TOKEN"], "token_type": "Bearer", "expires_in": 3300,
            "expire_time": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }, file)
    try:
        return GCENodeDriver("gcelib", "unused", project=@PROJECT@, auth_type="IA", credential_file=file.name)
    finally:
        os.unlink(file.name)


if __name__ == "__main__":
    for zone in driver().ex_list_zones():
        print(zone.name, zone.status)
'''


def files(setup: Setup) -> list[File]:
    """The script, and the environment it needs. The driver follows https links only."""
    authority = f"libcloud.security.CA_CERTS_PATH = {setup.ca_file!r}\n" if setup.ca_file else ""
    text = fill(_SCRIPT, CA=authority, HOST=repr(setup.netloc.rpartition(":")[0]), PORT=str(setup.port),
                PROJECT=repr(setup.project))
    if not setup.secure:
        text = "# libcloud's GCE driver follows https links only: give the server TLS first.\n" + text
    return [
        File("env.sh", token_line(setup, "GCELIB_TOKEN"), "source env.sh"),
        File("gce.py", text, "python gce.py"),
    ]
