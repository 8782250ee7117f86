"""What the operator wrote, typed: TOML file and GCELIB_* environment, every mistake reported at once."""

from gcelib.config.mistakes import ConfigError
from gcelib.config.names import idlike, is_idlike
from gcelib.config.options import (
    CacheConfig,
    CloudConfig,
    Config,
    ImageProject,
    ProjectConfig,
    ServerConfig,
)
from gcelib.config.reading import load, places
from gcelib.config.sealed import Secret

__all__ = [
    "CacheConfig",
    "CloudConfig",
    "Config",
    "ConfigError",
    "ImageProject",
    "ProjectConfig",
    "Secret",
    "ServerConfig",
    "idlike",
    "is_idlike",
    "load",
    "places",
]
