"""Google's two Python libraries: clients that end up here, with what their defaults would send elsewhere."""

from __future__ import annotations

from gcelib.cli.setups.setup import File, Setup, fill, key_hint

_COMPUTE = '''\
"""Compute Engine through gcelib with Google's library: pip install google-cloud-compute"""

import os

@CA@from google.cloud import compute_v1
from google.oauth2 import service_account

PROJECT = @PROJECT@
@HINT@CREDENTIALS = service_account.Credentials.from_service_account_file(
    @KEY@, scopes=["https://www.googleapis.com/auth/compute"]
)
OPERATIONS = {
    "zone_operations": compute_v1.ZoneOperationsClient,
    "region_operations": compute_v1.RegionOperationsClient,
    "global_operations": compute_v1.GlobalOperationsClient,
}


def client(kind):
    """A client that talks to gcelib, and so do the operations it returns."""
    rest = kind.get_transport_class("rest")
    transport = rest(host=@NETLOC@, url_scheme=@SCHEME@, credentials=CREDENTIALS)
    if kind not in OPERATIONS.values():
        # result() would otherwise wait at Google's own address.
        transport._extended_operations_services = {name: client(each) for name, each in OPERATIONS.items()}
    return kind(transport=transport)


if __name__ == "__main__":
    for zone in client(compute_v1.ZonesClient).list(project=PROJECT):
        print(zone.name, zone.status)
'''

_DISCOVERY = '''\
"""Compute Engine through gcelib with Google's API client: pip install google-api-python-client"""

import os

@CA@from google.oauth2 import service_account
from googleapiclient.discovery import build

PROJECT = @PROJECT@
@HINT@CREDENTIALS = service_account.Credentials.from_service_account_file(
    @KEY@, scopes=["https://www.googleapis.com/auth/compute"]
)
compute = build(
    "compute", "v1", credentials=CREDENTIALS, static_discovery=True,
    client_options={"api_endpoint": @ENDPOINT@},
)

if __name__ == "__main__":
    for zone in compute.zones().list(project=PROJECT).execute().get("items", []):
        print(zone["name"], zone["status"])
'''


def files(setup: Setup) -> list[File]:
    """One script for each library; both list the zones when run."""
    def authority(variable: str) -> str:
        # Read at import by the libraries' HTTP layers.
        return f'os.environ["{variable}"] = {setup.ca_file!r}\n\n' if setup.ca_file else ""

    facts = {
        "PROJECT": repr(setup.project), "KEY": repr(setup.key_path), "NETLOC": repr(setup.netloc),
        "HINT": key_hint(setup), "SCHEME": repr("https" if setup.secure else "http"),
        "ENDPOINT": repr(f"{setup.url}/compute/v1/"),
    }
    compute = fill(_COMPUTE, CA=authority("REQUESTS_CA_BUNDLE"), **facts)
    discovery = fill(_DISCOVERY, CA=authority("HTTPLIB2_CA_CERTS"), **facts)
    return [
        File("google_cloud_compute.py", compute, "python google_cloud_compute.py"),
        File("google_api_client.py", discovery, "python google_api_client.py"),
    ]
