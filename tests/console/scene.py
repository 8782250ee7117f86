"""A busy server to look at: two hundred operations under way, some that failed, one cloud that answers, and one that
takes connections and says nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gcelib.auth.accounts import Accounts
from gcelib.simulator import Simulator
from gcelib.store import Store
from tests.live import Live
from tests.wire.machines import machine

ZONE = "ch-gv2"
PASSWORD = "correct horse battery staple"
BOSS, OPERATOR, VIEWER, STRANGER = "boss@example.com", "olga@example.com", "vera@example.com", "otto@example.com"
"""Admin of every project; operator and viewer of project demo; viewer of project far."""
RUNNING = 200
"""Operations that are under way."""
MARKUP = "<h1>Bad gateway</h1><script>document.body.remove()</script>" + "x" * 300
"""What a cloud may say in place of a reason."""


@dataclass
class Scene:
    """The server and its cloud, whose jobs take as long as `simulator.settings.job_delay` says."""

    live: Live
    simulator: Simulator

    @property
    def url(self) -> str:
        """Where the console is, as a browser's address has it."""
        return f"http://127.0.0.1:{self.live.admin}/console"

    def accounts(self) -> Accounts:
        """The server's accounts, as `gcelib account` has them in a process of its own."""
        return Accounts(Store.open(f"sqlite:///{self.live.home}/state/gcelib.sqlite"))

    def busy(self, number: int = RUNNING) -> None:
        """Have so many operations under way: machines and disks."""
        self.simulator.settings.job_delay = 3600
        api = self.live.api()

        def begin(at: int) -> None:
            if at % 10 == 0:
                api.start("POST", f"zones/{ZONE}/instances", machine(f"web-{at}"))
            else:
                api.start("POST", f"zones/{ZONE}/disks", {"name": f"data-{at}", "sizeGb": "10"})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(begin, range(number)))

    def ended(self) -> None:
        """Have one operation that is done, and two that failed."""
        self.simulator.settings.job_delay = 0.05
        api = self.live.api()
        api.change("POST", f"zones/{ZONE}/instances", machine("good"))
        for name, said in (("bad-1", "Insufficient capacity in the zone"), ("bad-2", MARKUP)):
            self.simulator.faults.add("deployVirtualMachine", "job_fail", text=said)
            done = api.until_done(api.start("POST", f"zones/{ZONE}/instances", machine(name)))
            assert done["error"]


@contextmanager
def silent() -> Iterator[str]:
    """The address of something that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/client/api"


@contextmanager
def scene(home: Path) -> Iterator[Scene]:
    """The server, started; nothing goes on in it yet."""
    with ExitStack() as stack:
        cloud = Simulator(job_delay=0.05, preload=25)
        cloud.start()
        stack.callback(cloud.stop)
        away = stack.enter_context(silent())
        keys = cloud.accounts["demo"]
        live = Live(home, cloud.url, keys.api_key, keys.secret_key, server_extra='trusted_proxies = ["127.0.0.1"]',
                    clouds=f"""
[clouds.gva]
provider = "cloudstack"
endpoint = "{cloud.url}"
key = "{keys.api_key}"
secret = "{keys.secret_key}"
[clouds.far]
provider = "cloudstack"
endpoint = "{away}"
key = "a-key-nobody-may-see"
secret = "a-secret-nobody-may-see"
timeout = 20
[projects.demo]
clouds = ["gva"]
aliases = ["demo@example.com"]
[projects.far]
clouds = ["far"]
[projects.both]
clouds = ["gva", "far"]
""")
        home.mkdir(parents=True, exist_ok=True)
        live.start()
        stack.callback(live.stop)
        made = Scene(live, cloud)
        accounts = made.accounts()
        for name, project, role in ((BOSS, "*", "admin"), (OPERATOR, "demo", "operator"), (VIEWER, "demo", "viewer"),
                                    (STRANGER, "far", "viewer")):
            accounts.create_user(name, PASSWORD, project, role)
        yield made
