"""The GCELIB_* environment laid over the tables of the file: it beats the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from gcelib.config.mistakes import Mistakes, did_you_mean
from gcelib.config.values import Said

Tables = dict[str, Any]

# An option given by the environment replaces every other way the file gives the same thing.
_RIVALS = {
    "key": ("key_env", "key_file"), "key_env": ("key", "key_file"), "key_file": ("key", "key_env"),
    "secret": ("secret_env", "secret_file"), "secret_env": ("secret", "secret_file"),
    "secret_file": ("secret", "secret_env"),
}


def variable(*words: str) -> str:
    """The environment variable for a place: ("clouds", "gva", "secret") is GCELIB_CLOUDS_GVA_SECRET."""
    return "_".join(["GCELIB", *(re.sub(r"[^A-Z0-9]", "_", word.upper()) for word in words)])


def overlay(
    tables: Tables,
    environ: Mapping[str, str],
    sections: Mapping[str, Collection[str]],
    named: Mapping[str, Collection[str]],
    mistakes: Mistakes,
) -> None:
    """Put every GCELIB_SECTION_OPTION into `tables`; both kinds of section map to their scalar options."""
    for name in sorted(environ):
        for section, keys in sections.items():
            prefix = variable(section) + "_"
            if name.startswith(prefix):
                _set_plain(tables, section, name, name[len(prefix):].lower(), keys, environ[name], mistakes)
        for section, keys in named.items():
            prefix = variable(section) + "_"
            if name.startswith(prefix):
                _set_named(tables, section, name, keys, environ[name], mistakes)


def _set_plain(
    tables: Tables, section: str, name: str, key: str, keys: Collection[str], value: str, mistakes: Mistakes
) -> None:
    if key not in keys:
        hint = did_you_mean(variable(section, key), [variable(section, each) for each in keys])
        mistakes.add(name, f"no such option; {hint}")
        return
    table = tables.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = Said(value)


def _set_named(
    tables: Tables, section: str, name: str, keys: Collection[str], value: str, mistakes: Mistakes
) -> None:
    rest = name[len(variable(section)) + 1:]
    rows = tables.setdefault(section, {})
    if not isinstance(rows, dict):
        return
    owner, marker, option = rest.partition("_OPTIONS_")
    if section == "clouds" and marker and owner and option:
        row = _row(rows, owner)
        if isinstance(row.setdefault("options", {}), dict):
            row["options"][option.lower()] = Said(value)
        return
    matching = [key for key in keys if rest.endswith("_" + key.upper()) and len(rest) > len(key) + 1]
    if not matching:
        mistakes.add(name, f"no such option; {did_you_mean(rest.rpartition('_')[2], keys)} "
                           f"Write {variable(section)}_NAME_OPTION.")
        return
    key = max(matching, key=len)
    row = _row(rows, rest[:-len(key) - 1])
    for rival in _RIVALS.get(key, ()):
        if not isinstance(row.get(rival), Said):
            row.pop(rival, None)
    row[key] = Said(value)


def _row(rows: Tables, said: str) -> Tables:
    """The table whose name the variable means; a new one takes the variable's spelling in lower case."""
    name = next((each for each in rows if variable(each) == f"GCELIB_{said}"), said.lower().replace("_", "-"))
    row = rows.setdefault(name, {})
    return row if isinstance(row, dict) else {}
