"""Finds the configuration file and makes a Config of it and the environment, noting every mistake."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import platformdirs

from gcelib.config import checks
from gcelib.config.environ import overlay
from gcelib.config.mistakes import ConfigError, Mistakes, did_you_mean
from gcelib.config.options import (
    CLOUD_SOURCES,
    CacheConfig,
    CloudConfig,
    Config,
    ImageProject,
    ProjectConfig,
    ServerConfig,
)
from gcelib.config.sealed import no_file, read_secret_file
from gcelib.config.values import convert

SECTIONS: Mapping[str, type] = {"server": ServerConfig, "cache": CacheConfig}
NAMED: Mapping[str, type] = {"clouds": CloudConfig, "projects": ProjectConfig, "image_projects": ImageProject}
_FILES = frozenset({"cert", "key", "seal_key_file", "state_dir"})


def places(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where the configuration is looked for when none is named, in this order."""
    named = [Path(environ["GCELIB_CONFIG"]).expanduser()] if environ.get("GCELIB_CONFIG") else []
    user = Path(platformdirs.user_config_dir("gcelib", appauthor=False)) / "gcelib.toml"
    return named or [user, Path("/etc/gcelib/gcelib.toml")]


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of `path` (else GCELIB_CONFIG, the user's, /etc/gcelib) with the environment over it.

    Raises ConfigError with every mistake there is.
    """
    found = _find(path, environ)
    mistakes = Mistakes()
    tables = _parse(found) if found else {}
    if found:
        checks.check_readers(found, tables, mistakes)
    scalars = {name: _scalars(kind) for name, kind in (*SECTIONS.items(), *NAMED.items())}
    overlay(tables, environ, {name: scalars[name] for name in SECTIONS},
            {name: scalars[name] for name in NAMED}, mistakes)
    for name in sorted(set(tables) - set(SECTIONS) - set(NAMED)):
        mistakes.add(name, f"no such section; {did_you_mean(name, [*SECTIONS, *NAMED])}")
    folder = found.absolute().parent if found else Path.cwd()
    config = _build(tables, environ, folder, found, mistakes)
    if not config.clouds and "clouds" not in tables:
        mistakes.add("clouds", _nothing(found, path, environ))
    checks.check(config, mistakes)
    mistakes.raise_any()
    return checks.with_automatic_aliases(config)


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    if path is not None:
        return path.expanduser()
    candidates = places(environ)
    if environ.get("GCELIB_CONFIG"):
        return candidates[0]
    # The user's folder may be another user's, as after `su` without a login.
    return next((each for each in candidates if not no_file(each)), None)


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError([
            f"{path}: cannot be read: {error.strerror}; "
            "name another file with --config, or run: gcelib configure"
        ]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text."]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {error}."]) from None


def _nothing(found: Path | None, path: Path | None, environ: Mapping[str, str]) -> str:
    if found:
        return f"{found} names no cloud; write a section [clouds.NAME], or run: gcelib configure"
    looked = ", ".join(str(each) for each in places(environ))
    return f"there is no configuration (looked for {looked}); run: gcelib configure"


def _scalars(kind: type) -> list[str]:
    """The options that one text can hold, as the environment gives them."""
    names = [each.name for each in fields(kind) if each.name != "name" and each.default_factory is not dict]
    return [*names, *(CLOUD_SOURCES if kind is CloudConfig else ())]


def _build(
    tables: dict[str, Any], environ: Mapping[str, str], folder: Path, path: Path | None, mistakes: Mistakes
) -> Config:
    made: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        values = _values(section, tables.get(section, {}), kind, mistakes)
        made[section] = kind(**_anchored(values, folder))
    for section, kind in NAMED.items():
        rows = tables.get(section, {})
        if not isinstance(rows, dict):
            mistakes.add(section, f"is not a table; write [{section}.NAME] and the options under it")
            rows = {}
        made[section] = {}
        for name, row in rows.items():
            where = f"{section}.{name}" if checks.is_bare(name) else f'{section}."{name}"'
            if kind is CloudConfig and isinstance(row, dict):
                row = _with_keys(where, row, environ, folder, mistakes)
            values = _values(where, row, kind, mistakes)
            made[section][name] = kind(**{**_blanks(kind), **values, "name": name})
    return Config(**made, path=path)


def _values(where: str, table: Any, kind: type, mistakes: Mistakes) -> dict[str, Any]:
    """The table's options converted; what is unknown, missing or of the wrong type is noted and left out."""
    if not isinstance(table, dict):
        mistakes.add(where, f"is not a table; write [{where}] and the options under it")
        return {}
    hints = get_type_hints(kind)
    known = {each.name: each for each in fields(kind) if each.name != "name"}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            extra = CLOUD_SOURCES if kind is CloudConfig else ()
            mistakes.add(f"{where}.{key}", f"no such option; {did_you_mean(key, [*known, *extra])}")
            continue
        try:
            values[key] = convert(value, hints[key], key)
        except ValueError as error:
            mistakes.add(f"{where}.{key}", str(error))
    for key, each in known.items():
        if each.metadata.get("required") and key not in table:
            mistakes.add(f"{where}.{key}", f"is missing. {each.metadata['help']}")
    return values


def _blanks(kind: type) -> dict[str, Any]:
    """Empty values for the required options, so that what was left out can still be checked with the rest."""
    hints = get_type_hints(kind)
    required = [each.name for each in fields(kind) if each.metadata.get("required")]
    return {name: "" if hints[name] is str else () for name in required}


def _anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """File names made absolute: "~" is the home directory, relative ones stand beside the file."""
    done = dict(values)
    for key in _FILES & set(values):
        if str(values[key]):
            done[key] = type(values[key])(folder / Path(values[key]).expanduser())
    return done


def _with_keys(
    where: str, row: dict[str, Any], environ: Mapping[str, str], folder: Path, mistakes: Mistakes
) -> dict[str, Any]:
    """The cloud's table with key and secret fetched from where they are kept, and its CA file absolute."""
    done = {key: value for key, value in row.items() if key not in CLOUD_SOURCES}
    if isinstance(row.get("ca_file"), str) and row["ca_file"]:
        done["ca_file"] = str(folder / Path(row["ca_file"]).expanduser())
    for name in ("key", "secret"):
        ways = [way for way in (name, f"{name}_env", f"{name}_file") if row.get(way, "") != ""]
        if len(ways) > 1:
            mistakes.add(f"{where}.{name}", f"given {len(ways)} times ({', '.join(ways)}); keep one of them")
        if not ways or ways[0] == name:
            continue
        try:
            done[name] = _fetch(ways[0], row[ways[0]], environ, folder)
        except ValueError as error:
            mistakes.add(f"{where}.{ways[0]}", str(error))
    return done


def _fetch(way: str, source: Any, environ: Mapping[str, str], folder: Path) -> str:
    if not isinstance(source, str):
        raise ValueError(f'is not a text; write {way} = "..."')
    if way.endswith("_file"):
        return read_secret_file(folder / Path(source).expanduser())
    if not environ.get(source):
        raise ValueError(f"the environment has no {source}; export it, or use {way.partition('_')[0]}_file.")
    return environ[source]
