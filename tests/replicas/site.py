"""Several gcelib processes over one PostgreSQL and one simulated cloud, as behind a load balancer."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from types import TracebackType
from typing import Any

from gcelib.simulator import Simulator
from tests.api import Api
from tests.live import Live
from tests.postgres import Postgres


class Site:
    """`replicas` of one server: they share the database, the seal key, and nothing else.

    Without a PostgreSQL there is one, over SQLite.
    """

    def __init__(
        self, home: Path, postgres: Postgres | None, cloud: Simulator, count: int = 2, extra: str = "", tls: str = "off"
    ) -> None:
        assert postgres or count == 1, "a SQLite file belongs to one server"
        self.cloud = cloud
        self.url = postgres.database(f"gcelib-{secrets.token_hex(4)}") if postgres else ""
        key = home / "seal.key"
        key.write_text(secrets.token_hex(32))
        key.chmod(0o600)
        account = cloud.accounts["demo"]
        database = f'database = "{self.url}"\n' if self.url else ""
        shared = f'{database}seal_key_file = "{key}"\n{extra}'
        self.replicas = []
        for number in range(count):
            folder = home / f"replica{number}"
            folder.mkdir()
            live = Live(folder, cloud.url, account.api_key, account.secret_key, tls, server_extra=shared)
            self.replicas.append(live)

    def __enter__(self) -> Site:
        for live in self.replicas:
            live.start()
        token = self.replicas[0].sign_in()
        for live in self.replicas:
            live.token = token
            # The key's file leads to the server that made it.
            live.key_file.write_text(self.replicas[0].key_file.read_text().replace(self.replicas[0].url, live.url))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for live in self.replicas:
            if live.process is not None:
                live.stop(signal.SIGTERM if kind is None else signal.SIGKILL)

    def names(self) -> list[str]:
        """The names of the machines that the cloud's own books have."""
        gone = ("Destroyed", "Expunging", "Error")
        return sorted(row["name"] for row in self.cloud.world.machines() if row["state"] not in gone)


def ended(api: Api, operation: Any) -> Any:
    """The operation once it is DONE, whichever replica began it: links carry the address that was asked."""
    path = operation["selfLink"].partition(f"/projects/{api.project}/")[2]
    return api.until_done(api.get(path))
