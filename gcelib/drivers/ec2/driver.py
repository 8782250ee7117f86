"""libcloud's EC2 driver for a region of any name: the table it ships knows Amazon's own ones only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libcloud.compute.constants.ec2_region_details_partial import REGION_DETAILS
from libcloud.compute.drivers.ec2 import EC2Connection, EC2NodeDriver

from gcelib.drivers.ec2.wire import Answer

DEFAULT_REGION = "us-east-1"


def endpoint_of(region: str) -> str:
    """Where Amazon serves a region: as libcloud's table says, else after the rule that new ones follow."""
    known: Mapping[str, Any] = REGION_DETAILS.get(region, {})
    return f"https://{known.get('endpoint') or f'ec2.{region}.amazonaws.com'}"


class Connection(EC2Connection):
    """Signs and sends as libcloud does; answers are read by us."""

    responseCls = Answer


class Driver(EC2NodeDriver):
    """EC2's driver without its table of regions: a region is where the endpoint is, and part of the signature."""

    connectionCls = Connection

    def __init__(
        self, key: str, secret: str = "", secure: bool = True, host: str = "", port: int | None = None,
        region: str = DEFAULT_REGION, token: str | None = None, signature_version: str = "4", path: str = "/",
        **kwargs: Any,
    ) -> None:
        self.region_name, self.token, self.path = region, token, path or "/"
        self.api_name, self.country = "ec2", ""
        self.signature_version = str(signature_version)
        # EC2NodeDriver's own constructor looks the region up in its table, and raises for every other one.
        beyond: Any = super(EC2NodeDriver, self)
        beyond.__init__(key=key, secret=secret, secure=secure, host=host, port=port, **kwargs)
