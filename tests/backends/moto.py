"""EC2 as Moto has it, in a process of its own: `python -m tests.backends.moto PORT`, and how tests start that.

Nothing of Moto is changed. Like EC2, and unlike Moto by itself, it is asked to know its images and key pairs, and of
images it has two of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gcelib.config.options import CloudConfig
from gcelib.config.sealed import Secret
from gcelib.drivers import registry
from gcelib.drivers.ec2.cloud import Ec2
from gcelib.drivers.profile import Keys
from tests.live import free_port

DEBIAN = "136693071363"
"""Whose images the configurations of these tests offer beside the account's own."""
ENVIRON = {
    "MOTO_AMIS_PATH": str(Path(__file__).with_name("moto_images.json")),
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_ENABLE_KEYPAIR_VALIDATION": "true",
}


@dataclass
class Moto:
    """A server of its own; its accounts are empty at the start, and forgotten at the end."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout: float = 30) -> Moto:
        """Start it and wait until it takes connections."""
        with (self.home / "moto.log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "tests.backends.moto", str(self.port)], stdout=log,
                                            stderr=log, env={**os.environ, **ENVIRON})
        deadline = time.monotonic() + timeout
        while True:
            assert self.process.poll() is None, (self.home / "moto.log").read_text()
            assert time.monotonic() < deadline, "Moto does not listen."
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def clouds(self, region: str = "us-east-1", options: str = "") -> str:
        """The configuration's part: a cloud `lab`, and a project `demo` on it."""
        return f"""
[clouds.lab]
provider = "ec2"
endpoint = "{self.url}"
key = "access-key-of-lab"
secret = "secret-key-of-lab"
timeout = 10
[clouds.lab.options]
region = "{region}"
image_owners = ["self", "{DEBIAN}"]
instance_types = ["t3.*"]
{options}
[projects.demo]
clouds = ["lab"]
"""

    def cloud(
        self, region: str = "us-east-1", *, endpoint: str = "", owned: bool = True, timeout: float = 30.0,
        **options: object,
    ) -> Ec2:
        """The driver, nothing remembered; over what stands at another endpoint before Moto, with a caller's keys."""
        told: Mapping[str, object] = {"region": region, "image_owners": ["self", DEBIAN], **options}
        config = CloudConfig("lab", "ec2", endpoint=endpoint or self.url, key="access-key-of-lab", options=told,
                             secret=Secret("secret-key-of-lab"), timeout=timeout)
        profile = registry.profile_of("ec2")
        keys = Keys("access-key-of-lab", "secret-key-of-lab", owned=owned)
        made: Ec2 = registry.family(profile).build(profile, config, keys, "", lambda *told: None)
        return made


def serve(port: int) -> None:
    """Serve until the end of the process."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", port, DomainDispatcherApplication(create_backend_app), threaded=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
