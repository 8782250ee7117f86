"""The references of cold lists: signed CloudStack pages decoded with json.loads, and libcloud's own list_nodes()."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver

from bench.house import Cloud

PAGE = 500
DETAILS = "min,nics,secgrp,tmpl,servoff,affgrp"


def pages(one: Cloud, session: requests.Session) -> list[dict[str, Any]]:
    """Every machine, page after page, by as little as it takes."""
    rows: list[dict[str, Any]] = []
    while True:
        params = {"apiKey": one.key, "command": "listVirtualMachines", "details": DETAILS, "page": str(
            len(rows) // PAGE + 1), "pagesize": str(PAGE), "response": "json"}
        text = "&".join(f"{name}={quote(value, safe='*')}" for name, value in sorted(params.items()))
        digest = hmac.digest(one.secret.encode(), text.lower().encode(), hashlib.sha1)
        signature = quote(base64.b64encode(digest), safe="")
        answer = session.get(f"{one.url}?{text}&signature={signature}", timeout=120)
        found = json.loads(answer.content)["listvirtualmachinesresponse"]
        rows += found.get("virtualmachine", [])
        if len(rows) >= found.get("count", 0):
            return rows


def libcloud(one: Cloud) -> CloudStackNodeDriver:
    """The bare driver."""
    parts = urlsplit(one.url)
    return CloudStackNodeDriver(
        key=one.key, secret=one.secret, secure=False, host=parts.hostname, port=parts.port, path=parts.path
    )
