"""The configuration as a file for people: every option with its help, what is not set as a comment."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from gcelib.config import (
    CacheConfig,
    CloudConfig,
    ConfigError,
    ImageProject,
    ProjectConfig,
    ServerConfig,
)
from gcelib.config.options import CLOUD_SOURCES

Tables = dict[str, Any]

_PLAIN: Mapping[str, type] = {"server": ServerConfig, "cache": CacheConfig}
_NAMED: Mapping[str, type] = {
    "clouds": CloudConfig, "projects": ProjectConfig, "image_projects": ImageProject,
}


def saved(path: Path) -> Tables:
    """The tables of a configuration that is there, {} when there is none. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is not TOML: {error}; move it away first."]) from None


def render(tables: Tables) -> str:
    """The tables as TOML, sections in the order of the reference, unknown ones last."""
    lines = ["# Written by `gcelib configure`; check it with `gcelib check` after changing it."]
    for section, kind in _PLAIN.items():
        lines += ["", f"[{section}]", *_options(tables.get(section, {}), kind, show_defaults=True)]
    for section, kind in _NAMED.items():
        for name, row in tables.get(section, {}).items():
            lines += ["", *_named(f"{section}.{_key(name)}", row, kind)]
    for section in sorted(set(tables) - set(_PLAIN) - set(_NAMED)):
        lines += ["", *_table(section, tables[section])]
    return "\n".join(lines) + "\n"


def _named(place: str, row: Tables, kind: type) -> Iterator[str]:
    yield f"[{place}]"
    yield from _options({key: each for key, each in row.items() if not isinstance(each, dict)}, kind)
    for key, each in row.items():
        if isinstance(each, dict):
            yield ""
            yield from _table(f"{place}.{_key(key)}", each)


def _table(place: str, table: Any) -> Iterator[str]:
    yield f"[{place}]"
    for key, each in table.items() if isinstance(table, dict) else ():
        yield f"{_key(key)} = {_value(each)}"


def _options(row: Tables, kind: type, show_defaults: bool = False) -> Iterator[str]:
    helps = {each.name: str(each.metadata.get("help", "")) for each in fields(kind)}
    helps |= CLOUD_SOURCES if kind is CloudConfig else {}
    for key, each in row.items():
        if helps.get(key):
            yield f"# {helps[key]}"
        yield f"{_key(key)} = {_value(each)}"
    for option in fields(kind) if show_defaults else ():
        if option.name not in row:
            default = option.metadata.get("shown") if option.default is MISSING else option.default
            yield f"# {helps[option.name]}"
            yield f"# {option.name} = {_value(default)}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
