"""A server as a process: its two listeners, signals, reloading, and an end that cuts nobody off."""

from __future__ import annotations

import logging
import os
import queue
import resource
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import FrameType
from typing import Any

from gcelib.config import Config, ConfigError, ServerConfig
from gcelib.config.names import is_loopback
from gcelib.config.options import INSECURE_WORDS
from gcelib.errors import Fault
from gcelib.server import app, console, health, memory, metrics, tls
from gcelib.server.assemble import Server
from gcelib.server.lanes import Lanes
from gcelib.server.listener import App, Listener
from gcelib.server.occupancy import Occupancy
from gcelib.server.shown import shown
from gcelib.server.systemd import Watchdog, notify, reloading

log = logging.getLogger(__name__)

RENEWAL_EVERY = 12 * 3600.0
"""Seconds between two looks at the certificate's end."""
DRAIN = 20.0
"""Seconds that requests under way get to end."""
INTERRUPTED = 130
ADMIN_THREADS = 8
"""More than the console makes pages at the same time: probes of health find one."""

# What is made once, when the process starts.
_FIXED = ("listen", "admin_listen", "state_dir", "database", "generations", "seal_key_file", "threads",
          "external_url", "trusted_proxies", "tls", "strict_fields", "log_format", "traces")


class Daemon:
    """One process that serves. `reread` gives the configuration again when SIGHUP asks for it; `last_act` is
    called before the process ends in a hurry, where no `finally` runs."""

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config] | None = None,
        last_act: Callable[[], None] = lambda: None,
    ) -> None:
        refuse_exposure(config.server)
        self._config = config
        self._reread = reread
        self._last_act = last_act
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._watchdog = Watchdog(lambda: all(thread.is_alive() for thread in self._threads))
        self._app: App | None = None
        self._server: Server | None = None
        self._occupancy: Occupancy | None = None
        self._tls: ssl.SSLContext | None = None
        self._api: Listener | None = None
        self._admin: Listener | None = None

    @property
    def url(self) -> str:
        """Where this machine's clients reach the API, no slash at the end."""
        return self._api.url if self._api else ""

    @property
    def admin_url(self) -> str:
        """Where health and metrics are."""
        return self._admin.url if self._admin else ""

    def start(self) -> None:
        """Answer from now on. Raises ConfigError, OSError for a port in use, Fault for a store out of reach.

        The ports come first: a second daemon on them must stop before it touches the store.
        """
        server = self._config.server
        _allow_descriptors()
        memory.give_back_what_is_free()
        try:
            self._tls = tls.context(server)
            lanes = Lanes(lambda: self._config)
            self._api = Listener(self._call, server.listen, threads=server.threads, tls=self._tls, lanes=lanes)
            self._api.prepare()
            admin = console.beside(health.build(self._ready), self._console, server.trusted_proxies)
            self._admin = Listener(admin, server.admin_listen, threads=ADMIN_THREADS)
            self._admin.prepare()
            self._occupancy = Occupancy(server.database_url())
            self._server = Server(self._config)
            self._app = app.build(
                api=self._server.api, gate_serve=self._server.sign_in, home=self._server.home,
                external_url=server.external_url, trusted_proxies=server.trusted_proxies,
            )
            self._server.start()
            self._server.wellbeing.shown = shown(server)
            metrics.watch("listener", self._load)
        except BaseException:
            self.stop()
            raise
        for listener in (self._api, self._admin):
            thread = threading.Thread(target=listener.serve, name="listener", daemon=True)
            thread.start()
            self._threads.append(thread)

    def run(self, announce: Callable[[], None]) -> int:
        """Start, call `announce`, work until SIGTERM or SIGINT, end cleanly; the exit code. Main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        self.start()
        memory.settle()
        try:
            announce()
        except BaseException:
            self.stop()
            raise
        notify("READY=1", f"STATUS=serving {self.url}")
        try:
            while not self._ended():
                continue
        except BaseException:
            # Listeners that nobody can end any more would hold the process for ever.
            self.stop()
            raise
        notify("STOPPING=1", "STATUS=requests under way may end")
        log.info("stopping: requests under way may end; a second signal ends them")
        done: queue.SimpleQueue[bool] = queue.SimpleQueue()
        threading.Thread(target=lambda: done.put(self.stop()), name="stop", daemon=True).start()
        while done.empty():
            if self._second_signal():
                log.warning("stopped in a hurry: requests under way were cut off")
                self._leave(INTERRUPTED)
        if not done.get():
            self._leave(0)
        return 0

    def stop(self, drain: float = DRAIN) -> bool:
        """Take no more requests, let those under way end, let go of everything; False when `drain` seconds
        were not enough and some still run."""
        self._stopping = True
        if self._server is not None:
            self._server.quiesce()
        drained = self._api.stop(drain) if self._api else True
        if not drained:
            log.warning("requests still run after %.0f s; they are cut off", drain)
        try:
            if self._server is not None:
                self._server.stop()
        finally:
            # A listener that is left would hold the process for ever.
            if self._occupancy is not None:
                self._occupancy.leave()
            if self._admin:
                self._admin.stop(1)
            for thread in self._threads:
                thread.join(1)
        return drained

    def _leave(self, code: int) -> None:
        """End without waiting for threads: Cheroot's workers are not daemons, a stuck one would hold us for ever."""
        self._last_act()
        logging.shutdown()
        os._exit(code)

    def _call(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        assert self._app is not None
        return self._app(environ, start_response)

    def _load(self) -> Iterator[metrics.Sample]:
        """How much the listener has to do."""
        if self._api is not None:
            load = self._api.load()
            yield metrics.Sample("gcelib_pool_threads", (), load.threads)
            yield metrics.Sample("gcelib_pool_busy", (), load.busy)
            yield metrics.Sample("gcelib_pool_queue", (), load.queue)
            yield metrics.Sample("gcelib_pool_connections", (), load.connections)
            yield metrics.Sample("gcelib_pool_turned_away_total", (), load.turned_away)

    def _console(self) -> console.Console | None:
        return None if self._server is None else self._server.console

    def _ready(self) -> tuple[bool, dict[str, Any]]:
        if self._stopping or self._server is None:
            return False, {"server": "stopping"}
        return self._server.ready()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signals.put(number)

    def _ended(self) -> bool:
        """Wait for a signal, and do what it asks for; whether it was one to stop."""
        number = self._next_signal(RENEWAL_EVERY)
        if number is None:
            self._renew(self._config.server)
            return False
        if number != signal.SIGHUP:
            return True
        reloading()
        try:
            stays = self._reload()
        except Exception:
            log.exception("the configuration stays as it was: reading it again failed")
            stays = "; reading the configuration again failed, the one before stays"
        notify("READY=1", f"STATUS=serving {self.url}{stays}")
        return False

    def _next_signal(self, seconds: float) -> int | None:
        """The next signal, None when so many seconds brought none.

        Python runs a signal's handler between two of its instructions: one that comes just before the wait, or to
        another thread, does not end the wait. Hence many short ones.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                return self._signals.get(timeout=0.5)
            except queue.Empty:
                self._watchdog.beat()
        return None

    def _second_signal(self) -> bool:
        try:
            return self._signals.get(timeout=0.1) != signal.SIGHUP
        except queue.Empty:
            return False

    def _reload(self) -> str:
        """Read certificate and configuration again; with mistakes in it the old one stays. What stays, for people."""
        if self._reread is None or self._server is None:
            self._renew(self._config.server)
            return ""
        try:
            fresh = self._reread()
        except ConfigError as error:
            log.error("the configuration stays as it was: %s", " | ".join(error.mistakes))
            self._renew(self._config.server)
            return "; the configuration has mistakes, the one before stays"
        fixed = [name for name in _FIXED if getattr(fresh.server, name) != getattr(self._config.server, name)]
        if fixed:
            log.warning("takes effect at the next start only: %s", ", ".join(f"server.{name}" for name in fixed))
            kept = {name: getattr(self._config.server, name) for name in fixed}
            fresh = replace(fresh, server=replace(fresh.server, **kept))
        self._renew(fresh.server)
        try:
            self._server.reload(fresh)
        except Fault as fault:
            log.error("clouds and projects stay as they were: %s", fault.message)
            return "; clouds and projects could not be read, those before stay"
        self._config = fresh
        log.info("configuration read again: %d clouds, %d projects", len(fresh.clouds), len(fresh.projects))
        return ""

    def _renew(self, server: ServerConfig) -> None:
        if self._tls is None or self._server is None or self._api is None:
            return
        wellbeing = self._server.wellbeing
        try:
            fresh = tls.context(server)
            if fresh is None:
                return  # To speak plain HTTP takes a new start.
            self._api.renew(fresh)
            wellbeing.shown, wellbeing.unused = shown(server), ""
        except ConfigError as error:
            wellbeing.unused = " ".join(error.mistakes)
            log.error("the certificate stays as it was: %s", " | ".join(error.mistakes))


def refuse_exposure(server: ServerConfig) -> None:
    """Raise ConfigError when tokens would cross a network in the clear without the operator having said so."""
    exposed = server.tls == "off" and not is_loopback(server.host) and server.insecure_listen != INSECURE_WORDS
    if exposed:
        raise ConfigError([
            f'server.tls: is "off" while listening on {server.listen}, where others could read every token; '
            'write tls = "auto", or listen on 127.0.0.1.'
        ])


def _allow_descriptors() -> None:
    """Take as many open files as the system lets us: each idle client is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65_536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
