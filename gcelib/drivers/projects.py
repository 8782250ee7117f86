"""Project name -> its clouds, each built once with the credentials the configuration names."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from gcelib.config import Config, ProjectConfig
from gcelib.config.keys import Keys, tenancy
from gcelib.drivers import registry
from gcelib.drivers.base import Cloud
from gcelib.drivers.callers import Callers
from gcelib.drivers.session import Observer, log_call
from gcelib.errors import NotFound

ANY = "*"


@dataclass(frozen=True, slots=True)
class Project:
    """A project: the name things are kept under, its other names, and its clouds in their order."""

    id: str
    aliases: tuple[str, ...]
    clouds: tuple[Cloud, ...]


class Projects:
    """The clouds of all projects, built when first wanted and kept; safe for threads.

    Two projects on the same cloud and the same of the cloud's own projects share one `Cloud`, and with it
    its connections and remembered lists. Callers' own keys share with nobody (`callers`). `observe` is told of
    every call to a cloud.
    """

    def __init__(self, config: Config, *, observe: Observer = log_call) -> None:
        self._config = config
        self._observe = observe
        self._lock = threading.Lock()
        self._built: dict[tuple[str, str], Cloud] = {}
        self.callers = Callers(self._with_keys)

    def open(self, name: str, keys: Keys | None = None) -> Project:
        """The project of this name or alias; `keys` are the caller's own, where there are such.

        Raises NotFound, in the same words, for a name that no row of the configuration covers and for one that
        is not the caller's; Unsupported for one whose cloud gcelib cannot drive; Unauthenticated when the cloud
        takes the caller's keys no longer.
        """
        if keys is not None:
            # Whatever the name, so that the time it takes tells nothing about the name.
            self.callers.holder(keys)
        row = self._config.project(name) if name != ANY else None
        if row is None or row.credentials != "cloud":
            return self._callers_own(name, row or self._config.projects.get(ANY), keys)
        clouds = tuple(self.cloud(cloud, row.tenant) for cloud in row.clouds)
        return Project(row.name, row.aliases, clouds)

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
        """Every configured cloud that gcelib can drive with keys of its own, or without any."""
        callers = {name for name in self._config.callers_clouds() if not self._config.clouds[name].key}
        return tuple(
            self.cloud(config.name)
            for config in self._config.clouds.values()
            if config.name not in callers and registry.carried(config.provider)
        )

    def close(self) -> None:
        """Close every cloud."""
        with self._lock:
            built = list(self._built.values())
            self._built.clear()
        for cloud in built:
            cloud.close()
        self.callers.close()

    def _callers_own(self, name: str, row: ProjectConfig | None, keys: Keys | None) -> Project:
        """What the name means to the holder of these keys: the account itself, or a project of the cloud's own."""
        found = self._project_in(name, row, keys)
        if row is None or keys is None or found is None:
            raise NotFound(f"Project '{name}' was not found.")
        aliases = () if row.name == ANY else (row.name, *row.aliases)
        id = tenancy(keys.cloud, keys.holder.id, found)
        return Project(id, aliases, (self.callers.cloud(keys, found),))

    def _project_in(self, name: str, row: ProjectConfig | None, keys: Keys | None) -> str | None:
        """The id of the cloud's own project, "" for the account itself; None for what is not the caller's."""
        if row is None or row.credentials != "caller" or keys is None or keys.cloud not in row.clouds:
            return None
        holder = self.callers.holder(keys)
        if row.name == ANY and name in row.aliases:
            return ""
        wanted = row.tenant or (name if row.name == ANY else row.name)
        if holder.is_called(wanted) and not row.tenant:
            return ""
        found = holder.project(wanted)
        return found[0] if found else None

    def _with_keys(self, keys: Keys, project: str) -> Cloud:
        config = self._config.clouds.get(keys.cloud)
        if config is None:
            raise NotFound(f"The configuration has no cloud '{keys.cloud}'.")
        pair = (keys.key, keys.secret.reveal())
        return registry.build(config, self._config.cache, project, keys=pair, observe=self._observe)
