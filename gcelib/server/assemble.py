"""A whole server from a configuration: the one place that knows how the parts are put together."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from gcelib import naming
from gcelib.auth import Gate, audit
from gcelib.auth.seal import Seal
from gcelib.config import Config, keys
from gcelib.config.keys import Holder
from gcelib.drivers import registry, tally
from gcelib.drivers.base import Cloud
from gcelib.drivers.projects import Projects
from gcelib.drivers.tally import Called
from gcelib.errors import NotFound, Unauthenticated, Unavailable
from gcelib.server import discovery, dispatch, home, logs, metrics, tracing, upkeep
from gcelib.server.console import Console, Desk, Entrance, Samples, Sources
from gcelib.server.context import Services
from gcelib.server.discovery.serve import Discovery
from gcelib.server.listing import Sealer
from gcelib.server.operations.patience import CALLS
from gcelib.server.operations.runner import Runner
from gcelib.server.planning import Planner
from gcelib.server.shelf import Shelf
from gcelib.server.signs import Signs
from gcelib.server.trail import Trail
from gcelib.server.view import View
from gcelib.server.wellbeing import Wellbeing
from gcelib.server.wishes import Wishes
from gcelib.store import AccountRows, Store
from gcelib.store.audit import AuditFile
from gcelib.store.generations import Generations
from gcelib.store.glimpses import Glimpses
from gcelib.store.marked import Marked
from gcelib.store.marks import Marks
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations
from gcelib.store.records import Record
from gcelib.web import Request, Response

log = logging.getLogger(__name__)
USES_EVERY = 60.0
"""Seconds after which it is written down when accounts were last used."""
MOST_CLOUDS = 4
"""How many clouds that hang may hold the operations' threads before they hold those of others."""


def _called(call: Called) -> None:
    metrics.cloud_call(call)
    tracing.cloud_call(call)


class Server:
    """`api`, `gate.serve` and `home` answer requests; `start` and `stop` frame them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        marks = Marks(config.server.generations) if config.server.generations else None
        self._store = Store.open(config.server.database_url())
        self._generations = Marked(self._store, marks) if marks else Generations(self._store)
        secret = config.server.seal_key()
        self._audit = AuditFile(config.server.audit_path())
        self._trail = Trail(audit.Audit(self._audit.add, level=lambda: self.config.server.audit, clean=logs.mask))
        self.gate = Gate(
            self._store, secret=secret, reread=config.server.seal_key, verify=self._verify,
            clouds=lambda: self.config.callers_clouds(),
        )
        self._projects = Projects(config, observe=_called)
        self._retired: dict[Projects, threading.Timer] = {}
        self._signs = Signs()
        self._shelf = Shelf()
        notes = Notes(self._store, generations=self._generations)
        operations = Operations(self._store)
        janitor = upkeep.janitor(lambda: self.config, lambda: self._projects, self._own_cloud, operations, notes)
        self._runner = Runner(
            self._store, self._cloud, generations=self._generations, number_of=naming.number,
            planner=Planner(self._view), settled=self._settled,
            hourly=janitor.run, most=lambda: self.config.server.open_operations,
            waiters=max(1, config.server.threads // 4), threads=CALLS * max(1, min(MOST_CLOUDS, len(config.clouds))),
        )
        self.wellbeing = Wellbeing(
            lambda: self.config, self._store, self._generations, self._runner, lambda: self._projects.clouds(),
            self._signs,
        )
        self.wellbeing.unwritten = lambda: self._audit.refused
        metrics.watch("server", self.wellbeing.figures)
        seal = Seal(lambda: secret, "requests")
        services = Services(config, notes, operations, self._runner, Sealer(secret), seal, time.time)
        self._discovery = Discovery(discovery.load)
        self._services = services
        self.api = dispatch.Dispatch(self.gate, lambda: self._projects, services, self._discovery, self._trail)
        self.wishes = Wishes(self.api.again, self._runner, self._trail, seal)
        self.console = self._open_console(operations)

    def start(self) -> None:
        """Continue what an earlier process left open, and be ready."""
        tracing.start(self.config.server.traces)
        self._runner.start()
        self._samples.start()

    def quiesce(self) -> None:
        """Answer those who wait for operations, so that their requests end: the server is going to stop."""
        self._runner.quiesce()

    def stop(self) -> None:
        """Park what is under way, let go of clouds and store. Requests must have ended before."""
        self._samples.stop()
        self._runner.stop()
        self._write_uses(0.0)
        for projects, timer in list(self._retired.items()):
            timer.cancel()
            self._let_go(projects)
        self._projects.close()
        self._generations.close()
        self._store.close()
        self._audit.close()
        tracing.stop()

    def _open_console(self, operations: Operations) -> Console:
        glimpses = Glimpses(self._store)
        sources = Sources(metrics.registry, metrics.taken, tally.LISTS.counts, glimpses.count)
        self._samples = Samples(sources, beside=lambda: self._write_uses(USES_EVERY))
        desk = Desk(
            lambda: self.config, lambda: self._projects.clouds(), self._signs, self.wellbeing.findings,
            AccountRows(self._store), operations, glimpses, self._samples, self.wishes,
            self.gate.uses.last, time.time, time.time(),
        )
        return Console(desk, Entrance(self.gate.sessions, lambda: self.config.server, time.time), self._trail)

    def _write_uses(self, every: float) -> None:
        try:
            self.gate.uses.flush(every)
        except Unavailable as fault:
            log.debug("when accounts were last used is not written down now: %s", fault.message)

    def sign_in(self, request: Request) -> Response | None:
        """The answer of auth's own pages and endpoints; None when the path is not one of them."""
        with audit.noting() as noted:
            answer = self.gate.serve(request)
            if answer is not None:
                self._trail.sign_in(request, noted, answer)
        return answer

    def reload(self, config: Config) -> None:
        """Serve other projects and clouds from now on. What the listener and the store are made of stays.

        Requests under way end with the clouds that they began with, which are let go of when none can be left.
        """
        before, seconds = self._projects, self.config.server.request_seconds
        self._projects = Projects(config, observe=_called)
        self.config = config
        self.api.configure(config)
        timer = self._retired[before] = threading.Timer(seconds, self._let_go, [before])
        timer.daemon = True
        timer.start()

    def _let_go(self, projects: Projects) -> None:
        if self._retired.pop(projects, None) is not None:
            projects.close()

    def home(self, request: Request) -> Response:
        """What a browser sees at `/`."""
        return home.page(request, self.config.server.admin_listen)

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether requests can be answered, and how each part is."""
        return self.wellbeing.ready()

    def _verify(self, cloud: str, key: str, secret: str) -> Holder:
        """Whose keys these are, asked of the cloud. Raises Unauthenticated, Unavailable."""
        config = self.config
        asked = registry.build(config.clouds[cloud], config.cache, keys=(key, secret), observe=_called)
        try:
            return asked.holder()
        finally:
            asked.close()

    def _own_cloud(self, tenancy: str) -> Cloud | None:
        """The cloud of a caller's tenancy, with the newest keys that work; None for any other name.

        Raises NotFound when nobody signed in with keys of this account that still work.
        """
        found = keys.parts(tenancy)
        if found is None:
            return None
        cloud, account, project = found
        callers = self._projects.callers
        for pair in self.gate.keys_of(cloud, account):
            try:
                callers.holder(pair)
            except Unauthenticated:
                callers.forget(pair)
                self.gate.refused(pair)
                continue
            return callers.worker(pair, project)
        raise NotFound(f"No keys are left of the account of cloud '{cloud}' that began this; sign in again with some.")

    def _cloud(self, project: str, name: str) -> Cloud:
        """The cloud a stored operation speaks of. Raises NotFound when the configuration has lost it."""
        own = self._own_cloud(project)
        if own is not None:
            return own
        for cloud in self._projects.open(project).clouds:
            if cloud.name == name:
                return cloud
        raise NotFound(f"Project '{project}' no longer has a cloud '{name}': put it back into the configuration.")

    def _view(self, tenancy: str) -> View:
        """What a tenancy holds, for an operation that plans. Raises NotFound as `_cloud` does."""
        own = self._own_cloud(tenancy)
        clouds = [own] if own is not None else self._projects.open(tenancy).clouds
        return View(clouds, self.config, self._services.notes, self._shelf, tenancy)

    def _settled(self, record: Record) -> None:
        with logs.request_scope(str(record.state.get("came_of", ""))):
            self._trail.ended(record)
        age = (record.end_time or record.insert_time) - record.insert_time
        metrics.operation_ended("failed" if record.error else "done", age)
