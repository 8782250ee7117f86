"""The HTTP listener: Cheroot with a front that no slow, silent or broken client can hold up.

Cheroot shakes TLS hands on its accept loop and lends a worker to every client that may say something. Here
a connection sits in the selector, without a thread, until bytes come; a worker takes those that are there
(TLS handshake included), never waits for more, and works on a request only once all of it has arrived.
"""

from __future__ import annotations

import errno
import logging
import queue
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cheroot import connections, wsgi

from gcelib.config.names import join_address, split_address
from gcelib.server.lanes import Lanes
from gcelib.server.listening.connection import Connection, Gateway
from gcelib.server.listening.limits import Limits
from gcelib.server.listening.stream import Allowance
from gcelib.server.listening.turnstile import Entry, Turnstile

log = logging.getLogger(__name__)

App = Callable[..., Iterable[bytes]]
_CURES = {
    errno.EADDRINUSE: ". Another program has this port: end it, or name another port, with --listen or under [server].",
    errno.EACCES: ". Ports below 1024 want CAP_NET_BIND_SERVICE; or let a proxy listen there.",
    errno.EADDRNOTAVAIL: ". No interface of this machine has this address.",
}
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener:
    """One listening address. `bind` is "host:port", IPv6 in brackets, port 0 for any free one.

    `tls` is the context to speak TLS with, None for plain HTTP. `lanes` says which requests share threads and how
    many; None: all are alike.
    """

    def __init__(
        self,
        app: App,
        bind: str,
        *,
        threads: int,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        self._bind = bind
        self._tls = tls
        self._server = _Server(split_address(bind), app, threads, tls, limits or Limits(), lanes)

    def prepare(self) -> None:
        """Bind and listen; connections queue from now on. Raises OSError naming the address and why not."""
        try:
            self._server.prepare()
        except OSError as error:
            cure = _CURES.get(error.errno or 0, "")
            raise OSError(error.errno, f"Cannot listen on {self._bind}: {error.strerror or error}{cure}") from error

    @property
    def host(self) -> str:
        """The address bound, IPv6 without brackets."""
        return str(self._server.bind_addr[0])

    @property
    def port(self) -> int:
        """The port bound."""
        return int(self._server.bind_addr[1])

    @property
    def address(self) -> str:
        """host:port as bound."""
        return join_address(self.host, self.port)

    @property
    def url(self) -> str:
        """Scheme and address as bound, no slash at the end."""
        return f"{'https' if self._tls else 'http'}://{self.address}"

    def renew(self, tls: ssl.SSLContext) -> None:
        """Speak TLS with this on the connections that come from now on."""
        self._tls = self._server.tls = tls

    def load(self) -> Load:
        """How much there is to do now."""
        server = self._server
        threads = list(server.requests._threads)
        busy = sum(thread.conn is not None for thread in threads)
        queue = server.requests.qsize + server.turnstile.waiting()
        return Load(len(threads), busy, queue, server.connected, server.turned_away)

    def serve(self) -> None:
        """Answer requests until `stop`."""
        self._server.serve()

    def stop(self, timeout: float = 30.0) -> bool:
        """Take no more connections, let running requests end; False when some still run after `timeout`."""
        worker = threading.Thread(target=self._server.stop, name="listener-stop", daemon=True)
        worker.start()
        worker.join(timeout)
        return not worker.is_alive()


@dataclass(frozen=True, slots=True)
class Load:
    """Threads, those that answer a request, requests that wait for one, connections that are parked, and how many
    requests were turned away since the start."""

    threads: int
    busy: int
    queue: int
    connections: int
    turned_away: int


class _Manager(connections.ConnectionManager):
    """Parks connections without a thread until their client says something or their deadline passes."""

    _selector: Any
    crowded = False
    next_look = 0.0

    def _from_server_socket(self, server_socket: socket.socket) -> None:
        """Accept, and park: a new connection gets a worker when it says something."""
        try:
            conn = super()._from_server_socket(server_socket)  # type: ignore[misc]
        except OSError as error:
            if error.errno not in _OUT_OF_DESCRIPTORS:
                raise
            log.error("no connection can be accepted: %s", error.strerror)
            self.crowded = True
            time.sleep(0.05)
            return
        if conn is not None:
            self.put(conn)

    def put(self, conn: Connection) -> None:
        """Park a connection until it can go on; at once when it can already."""
        conn.last_used = time.time()
        if conn.refused:
            if not self.server.turnstile.refuse(conn):
                self.server.turn_away([conn])
        elif conn.lane and not conn.seated:
            conn.seated = self.server.turnstile.wait(conn.lane, conn) is Entry.GO
            if conn.seated:
                self.server.process_conn(conn)
        elif conn.rfile.has_data():
            self.server.process_conn(conn)
        else:
            events = selectors.EVENT_WRITE if conn.wire.sending else selectors.EVENT_READ
            self._selector.register(conn.socket.fileno(), events, data=conn)

    def _expire(self, threshold: float) -> None:
        called, refused = self.server.turnstile.tick()
        self.server.go_on(called)
        self.server.turn_away(refused)
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + min(0.5, self.server.limits.read / 4)
        parked = [(fd, conn) for fd, conn in self._selector.connections if conn is not self.server]
        spare = len(parked) // 4 if self.crowded else len(parked) - self.server.limits.connections
        self.crowded = False
        parked.sort(key=lambda each: (each[1].wire.answered > 0, each[1].last_used))
        for position, (fd, conn) in enumerate(parked):
            if position < spare or (conn.wire.deadline < now and not conn.wire.expired()):
                self._selector.unregister(fd)
                conn.close()

    def close(self) -> None:
        """Hand over requests that are here already and answers that are leaving, end the others."""
        self.server.turn_away(self.server.turnstile.empty())
        here = {conn for _, conn in self._selector.select(timeout=0)}
        for fd, conn in list(self._selector.connections):
            if conn is not self.server and (conn in here or conn.wire.sending):
                self._selector.unregister(fd)
                self.server.process_conn(conn)
        super().close()


class _Server(wsgi.Server):
    """Cheroot's server with the parts above."""

    ConnectionClass = Connection

    def __init__(
        self, bind: tuple[str, int], app: App, threads: int, tls: ssl.SSLContext | None, limits: Limits,
        lanes: Lanes | None,
    ) -> None:
        super().__init__(
            bind, app, numthreads=threads, server_name="gcelib", request_queue_size=limits.backlog,
            timeout=int(limits.idle), accepted_queue_size=limits.waiting, accepted_queue_timeout=0,
        )
        self.gateway = Gateway
        self.tls = tls
        self.limits = limits
        self.allowance = Allowance(limits.held)
        self._lanes = lanes
        self.turned_away = 0
        limit = (lambda: threads) if lanes is None else (lambda: lanes.limit(threads))
        self.turnstile: Turnstile[Connection] = Turnstile(limit, limits.waiting)
        self.keep_alive_conn_limit = limits.keep_alive
        self.expiration_interval = 0.1  # A stop waits so long for the accept loop to notice.

    def prepare(self) -> None:
        """Bind, listen and start the workers."""
        host, port = self.bind_addr
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, proto, _, address = found[0]
        self.software = "gcelib"
        self.socket = self.prepare_socket(self.bind_addr, family, kind, proto, self.nodelay, None)
        try:
            self.socket.bind(address)
        except OSError:
            self.socket.close()
            raise
        self.bind_addr = self.socket.getsockname()[:2]
        self.socket.settimeout(1)
        self.socket.listen(self.request_queue_size)
        self._connections = _Manager(self)
        self.requests.start()
        self.ready = True
        self._start_time = time.time()

    @property
    def connected(self) -> int:
        """How many connections wait for their client; the others have a worker."""
        count: Any = self._connections._num_connections  # type: ignore[attr-defined]
        return int(count)

    def process_conn(self, conn: Connection) -> None:
        """Queue for a worker; when the queue is full, say so at once, or go on with what needs no worker."""
        coming = [conn]
        while coming:
            conn = coming.pop()
            try:
                self.requests.put(conn)
            except queue.Full:
                self.turned_away += 1
                coming += conn.stand_up()
                halfway = conn.wire.sending or conn.wire.draining
                stays = conn.communicate() if halfway else conn.wire.refuse(503, "The server is busy; try again.")
                self._connections.put(conn) if stays else conn.close()

    def lane_of(self, target: bytes) -> str:
        """The lane of a request; "" for one that needs none, or when the server is about to stop."""
        return self._lanes.of(target) if self._lanes is not None and self.ready else ""

    def go_on(self, called: Iterable[Connection]) -> None:
        """Have requests answered that have waited for their lane."""
        for conn in called:
            conn.seated = True
            self.process_conn(conn)

    def turn_away(self, waiting: Iterable[Connection]) -> None:
        """Answer requests that have waited for their lane in vain."""
        for conn in waiting:
            self.turned_away += 1
            try:
                stays = conn.turn_away()
            except OSError as error:
                log.debug("connection of %s lost: %s", conn.remote_addr, error)
                stays = False
            self.put_conn(conn) if stays else conn.close()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Cheroot's own messages, into the log."""
        log.log(level, "%s", msg, exc_info=traceback)

