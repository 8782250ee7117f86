"""The simulator: a CloudStack management server in this process, answering over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

from gcelib.simulator import (  # noqa: F401 - importing them registers their commands
    accounts,
    acl_items,
    acls,
    balancers,
    capabilities,
    deploy,
    job_queries,
    machine_actions,
    machine_changes,
    snapshots,
    tags,
    templates,
    volumes,
    vpcs,
)
from gcelib.simulator.clock import Clock, RealClock
from gcelib.simulator.control import Control
from gcelib.simulator.dispatch import Dispatcher
from gcelib.simulator.faults import FaultPlan
from gcelib.simulator.listener import API, Listener
from gcelib.simulator.machine_actions import expunge
from gcelib.simulator.preload import preload as preload_machines
from gcelib.simulator.records import Account
from gcelib.simulator.scenery import ZONES, build
from gcelib.simulator.settings import Settings
from gcelib.simulator.world import World


class Simulator:
    """A whole cloud in memory; `start` serves it, `stop` ends it, and it works as a context manager.

    host, port      where to listen; port 0 takes a free one
    seed            fixes every id and key
    job_delay       None: each command's usual time; 0: jobs end when polled; else every job's seconds
    preload         so many running machines of account demo from the beginning
    expunge         True lets users expunge and recover machines (allow.user.expunge.recover.vm)
    zones           which of CH-GV2 (basic), DE-ADV1 (isolated networks), FR-SG1 (security groups) there are
    tenants         further accounts beside demo, other and admin
    settings        every other setting of the management server; expunge and job_delay override its fields
    clock           real unless given
    tell            hears from time to time how many of the preloaded machines there are

    Raises ValueError for a zone that does not exist or too many preloaded machines.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        job_delay: float | None = None,
        preload: int = 0,
        expunge: bool = False,
        zones: Iterable[str] = ZONES,
        tenants: Iterable[str] = (),
        settings: Settings | None = None,
        clock: Clock | None = None,
        tell: Callable[[int], None] = lambda made: None,
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self.settings = settings or Settings()
        if job_delay is not None or settings is None:
            self.settings.job_delay = job_delay
        self.settings.user_may_expunge |= expunge
        self.world = World(self.clock, self.settings, seed)
        self.faults = FaultPlan()
        build(self.world, zones, tenants)
        if preload:
            preload_machines(self.world, self.world.accounts["demo"], preload, tell)
        self._host, self._port = host, port
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Every account by name: demo, other, admin and the further tenants."""
        return self.world.accounts

    @property
    def url(self) -> str:
        """The API's address. Raises RuntimeError before `start`."""
        return f"{self.base_url}{API}"

    @property
    def base_url(self) -> str:
        """Scheme, host and port; the steering paths are below it. Raises RuntimeError before `start`."""
        if self._listener is None:
            raise RuntimeError("the simulator has not been started")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._listener.server_port}"

    def vanish(self, name_or_id: str) -> None:
        """Take a machine away behind every client's back. Raises KeyError when there is none."""
        with self.world.lock:
            expunge(self.world, self.world.machine(name_or_id))

    def start(self) -> None:
        """Serve on background threads. Raises OSError when the address can't be had."""
        if self._listener is not None:
            raise RuntimeError("the simulator is running already")
        dispatcher = Dispatcher(self.world, self.faults)
        self._listener = Listener((self._host, self._port), dispatcher, Control(self.world, self.faults))
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, name="simulator", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and end every connection; a second call does nothing."""
        if self._listener is None or self._thread is None:
            return
        self._listener.dispatcher.stopping.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()
        self._thread.join()
        self._listener = self._thread = None

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
