"""Project name -> its clouds, each built once with the credentials the configuration names."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from gcelib.config import Config
from gcelib.drivers import registry
from gcelib.drivers.base import Cloud
from gcelib.drivers.session import Observer, log_call
from gcelib.errors import NotFound, Unsupported

ANY = "*"


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the configuration: its own name, its other names, and its clouds in their order."""

    id: str
    aliases: tuple[str, ...]
    clouds: tuple[Cloud, ...]


class Projects:
    """The clouds of all projects, built when first wanted and kept; safe for threads.

    Two projects on the same cloud and the same of the cloud's own projects share one `Cloud`, and with it
    its connections and remembered lists. `observe` is told of every call to a cloud.
    """

    def __init__(self, config: Config, *, observe: Observer = log_call) -> None:
        self._config = config
        self._observe = observe
        self._lock = threading.Lock()
        self._built: dict[tuple[str, str], Cloud] = {}

    def open(self, name: str) -> Project:
        """The project of this name or alias.

        Raises NotFound for a name that no row of the configuration covers, Unsupported for one whose
        callers bring their own keys or whose cloud gcelib cannot drive.
        """
        row = self._config.project(name)
        wild = row is None
        row = row or self._config.projects.get(ANY)
        if row is None or name == ANY:
            raise NotFound(f"Project '{name}' was not found.")
        if row.credentials != "cloud":
            raise Unsupported(
                f"Project '{name}' is configured with credentials = \"{row.credentials}\", each caller's own keys"
                ' to the cloud; this version of gcelib offers only credentials = "cloud".'
            )
        clouds = tuple(self.cloud(cloud, row.tenant) for cloud in row.clouds)
        return Project(name, (), clouds) if wild else Project(row.name, row.aliases, clouds)

    def cloud(self, name: str, tenant: str = "") -> Cloud:
        """One configured cloud. Raises NotFound for a name the configuration has not."""
        config = self._config.clouds.get(name)
        if config is None:
            raise NotFound(f"The configuration has no cloud '{name}'.")
        with self._lock:
            if (name, tenant) not in self._built:
                cloud = registry.build(config, self._config.cache, tenant, observe=self._observe)
                self._built[name, tenant] = cloud
            return self._built[name, tenant]

    def clouds(self) -> tuple[Cloud, ...]:
        """Every configured cloud that gcelib can drive with keys of its own."""
        return tuple(
            self.cloud(config.name)
            for config in self._config.clouds.values()
            if config.key and registry.carried(config.provider)
        )

    def close(self) -> None:
        """Close every cloud."""
        with self._lock:
            built = list(self._built.values())
            self._built.clear()
        for cloud in built:
            cloud.close()
