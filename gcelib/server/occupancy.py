"""One daemon at a time over one SQLite file: its open operations belong to whoever serves it."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

from gcelib.config import ConfigError

log = logging.getLogger(__name__)

SQLITE = "sqlite:///"


class Occupancy:
    """A lock on the file `<database>.lock`; the system lets go of it when the process ends, however it ends."""

    def __init__(self, database_url: str) -> None:
        """Take the lock; for other databases there is nothing to take. Raises ConfigError when another has it."""
        self._held = -1
        path = database_url.removeprefix(SQLITE).partition("?")[0]
        if not database_url.startswith(SQLITE) or path in ("", ":memory:"):
            return
        try:
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._held, 20, 0).decode("ascii", "replace").strip()
            self.leave()
            raise ConfigError([
                f"server.state_dir: another gcelib{f' (process {holder})' if holder else ''} serves from"
                f" {Path(path).parent} already; stop it, or give this one a state_dir of its own."
            ]) from None
        except OSError as error:
            # A place that cannot be written is the store's to report; a file system without locks must do without.
            log.warning("no lock on %s: %s; start only one gcelib there", path, error.strerror)
            self.leave()
            return
        os.ftruncate(self._held, 0)
        os.pwrite(self._held, str(os.getpid()).encode(), 0)

    def leave(self) -> None:
        """Let another daemon take it."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
