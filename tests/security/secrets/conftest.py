"""A cloud that hands back what it was sent, in every way a broken or spiteful one may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mirror import Mirror

from gcelib.simulator import Simulator
from tests.live import Live

SECRET = "s3cret+key/of=the&account\"<demo>~-0123456789"


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """A gcelib process whose cloud is a mirror in front of a simulator."""
    cloud = Simulator(job_delay=0.1)
    cloud.start()
    account = cloud.accounts["demo"]
    account.secret_key = SECRET
    mirror = Mirror(cloud.url, account.api_key, SECRET)
    home = tmp_path_factory.mktemp("mirrored")
    uncached = "[cache]\nzones = 0\nsizes = 0\nimages = 0\nnodes = 0\nother = 0"
    live = Live(home, mirror.url, account.api_key, SECRET.replace('"', '\\"'), extra=uncached,
                forked=False).start()
    mirror.live, mirror.cloud = live, cloud
    yield mirror
    if live.process is not None:
        live.stop()
    mirror.close()
    cloud.stop()
