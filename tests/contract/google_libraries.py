"""Google's Python libraries, led to one server."""

# google-auth has no types.
# mypy: allow-untyped-calls, disable-error-code="no-any-return, import-untyped"

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httplib2
from google.auth.credentials import Credentials
from google.cloud import compute_v1
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.http import HttpRequest

from gcelib.server.resources import table
from tests.live import Live
from tests.schema import mistakes

SCOPE = "https://www.googleapis.com/auth/compute"
OPERATIONS = {
    "zone_operations": compute_v1.ZoneOperationsClient,
    "region_operations": compute_v1.RegionOperationsClient,
    "global_operations": compute_v1.GlobalOperationsClient,
}


def credentials(live: Live, **options: Any) -> service_account.Credentials:
    """What the service account's key file gives, for the compute scope unless told otherwise."""
    live.sign_in()
    options = {"scopes": [SCOPE], **options}
    return service_account.Credentials.from_service_account_file(str(live.key_file), **options)


def compute(live: Live, kind: Any, who: Credentials | None = None) -> Any:
    """A client of google-cloud-compute; the operations it returns are asked for at the same server."""
    address = urlsplit(live.url)
    rest = kind.get_transport_class("rest")
    transport = rest(host=address.netloc, url_scheme=address.scheme, credentials=who or credentials(live))
    if kind not in OPERATIONS.values():
        own = {name: compute(live, each, who) for name, each in OPERATIONS.items()}
        transport._extended_operations_services = own
    return kind(transport=transport)


class CheckedRequest(HttpRequest):
    """A request whose answer must be what the discovery document promises."""

    def execute(self, *args: Any, **keywords: Any) -> Any:
        answer = super().execute(*args, **keywords)
        found = mistakes(table().methods[self.methodId].response, answer) if answer else []
        assert not found, f"{self.methodId}: {found[:5]}"
        return answer


def api(live: Live, **options: Any) -> Any:
    """google-api-python-client's service object, with Google's own document unless told otherwise."""
    http = AuthorizedHttp(credentials(live), http=httplib2.Http(ca_certs=str(live.ca) if live.tls == "auto" else None))
    options = {"static_discovery": True, "client_options": {"api_endpoint": f"{live.url}/compute/v1/"}, **options}
    return build("compute", "v1", http=http, requestBuilder=CheckedRequest, cache_discovery=False, **options)


def served(live: Live, **options: Any) -> Any:
    """The service object made from the document that the server itself serves."""
    return api(live, static_discovery=False, client_options=None,
               discoveryServiceUrl=f"{live.url}/discovery/v1/apis/{{api}}/{{apiVersion}}/rest", **options)
