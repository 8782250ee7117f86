"""A running OpenStack that the tests may use: GCELIB_TEST_OPENSTACK names its openrc, a file of `export OS_…=…`."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from gcelib.config.options import CloudConfig
from gcelib.config.sealed import Secret
from gcelib.drivers import registry
from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.drivers.profile import Keys

NAMED = "GCELIB_TEST_OPENSTACK"
NEEDED = f"set {NAMED} to the openrc of a running OpenStack whose project may be filled and emptied"


@dataclass(frozen=True)
class Lab:
    """Where it is, and who may do what there."""

    url: str
    user: str
    password: str
    project: str
    region: str
    domain: str = "Default"

    @property
    def clouds(self) -> str:
        """The configuration's part: a cloud `lab`, and a project `demo` on it."""
        return f"""
[clouds.lab]
provider = "openstack"
endpoint = "{self.url}"
key = "{self.user}"
secret = "{self.password}"
[clouds.lab.options]
ex_tenant_name = "{self.project}"
ex_domain_name = "{self.domain}"
ex_force_service_region = "{self.region}"
[projects.demo]
clouds = ["lab"]
"""

    def cloud(self, tenant: str = "", *, password: str = "", owned: bool = True, **options: str) -> OpenStack:
        """The driver, nothing remembered; `tenant` in place of the project, a caller's keys unless `owned`."""
        told = {"ex_domain_name": self.domain, "ex_force_service_region": self.region, **options}
        if owned and not tenant:
            told["ex_tenant_name"] = self.project
        config = CloudConfig("lab", "openstack", endpoint=self.url, key=self.user, secret=Secret(self.password),
                             options=told)
        profile = registry.profile_of("openstack")
        keys = Keys(self.user, password or self.password, owned=owned)
        made: OpenStack = registry.family(profile).build(profile, config, keys, tenant, lambda *told: None)
        return made


def found() -> Lab | None:
    """The lab that the environment names, or None."""
    path = os.environ.get(NAMED, "")
    if not path:
        return None
    text = Path(path).read_text()
    said = {name: shlex.split(value)[0] for name, value in re.findall(r"\b(OS_\w+)=(\S+)", text)}
    return Lab(said["OS_AUTH_URL"], said["OS_USERNAME"], said["OS_PASSWORD"], said["OS_PROJECT_NAME"],
               said["OS_REGION_NAME"], said.get("OS_PROJECT_DOMAIN_NAME", "Default"))
