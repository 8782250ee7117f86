"""docs/configuration.md, made from the options themselves so that it cannot lag behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, get_origin, get_type_hints

from gcelib.config.environ import variable
from gcelib.config.options import CLOUD_SOURCES, CloudConfig
from gcelib.config.reading import NAMED, SECTIONS
from gcelib.config.sealed import Secret

_INTRODUCTION = """\
# Configuration

<!-- Made by `python -m gcelib.config`; change the help texts there, not here. -->

gcelib reads one TOML file: the one `--config` names, else the one `GCELIB_CONFIG` names, else the user's
(`~/.config/gcelib/gcelib.toml` on Linux), else `/etc/gcelib/gcelib.toml`. `gcelib configure` writes one, and
`gcelib check` reports every mistake in it at once.

Every option that is one value can be given by the environment, which beats the file; the tables below name
the variables. In `GCELIB_CLOUDS_NAME_KEY` and its like, NAME is the section's name in capitals, with `_` for
every character that is neither a letter nor a digit; a name that the file has not makes a new section. Lists
are separated by commas. Libcloud options are `GCELIB_CLOUDS_NAME_OPTIONS_X`, with X in capitals for x.

Relative file names stand beside the configuration file; `~` is the home directory. A file that holds
secrets – the configuration itself included – is refused while every user of the machine may read it.

```toml
[server]
listen = "127.0.0.1:5000"

[clouds.gva]
provider = "cloudstack"
endpoint = "https://cloud.example/client/api"
key = "..."
secret_file = "/etc/gcelib/gva.secret"

[clouds.gva.zones]
"CH-GV2" = "ch-gva-2"

[projects."me@example.com"]          # gcloud, which takes no "@", finds it as me-example-com
clouds = ["gva"]

[image_projects.debian-cloud]
cloud = "gva"

[image_projects.debian-cloud.families]
"debian-12" = "Linux Debian 12 64-bit"
```
"""


def reference() -> str:
    """The whole page, Markdown."""
    lines = [_INTRODUCTION]
    for section, kind in {**SECTIONS, **NAMED}.items():
        lines += [*_section(section, kind), ""]
    return "\n".join(lines)


def _section(section: str, kind: type) -> Iterator[str]:
    heading, _, about = (kind.__doc__ or "").partition(": ")
    yield f"## `{heading}`"
    yield ""
    yield about[:1].upper() + about[1:]
    yield ""
    yield "| Option | Type | Default | Meaning | Environment |"
    yield "|---|---|---|---|---|"
    hints = get_type_hints(kind)
    place = (section,) if section in SECTIONS else (section, "NAME")
    for each in fields(kind):
        if each.name == "name":
            continue
        table = get_origin(hints[each.name]) not in (None, tuple)
        environment = "" if table else f"`{variable(*place, each.name)}`"
        yield _row(each.name, _type(hints[each.name]), _default(each), each.metadata["help"], environment)
        for source in (f"{each.name}_env", f"{each.name}_file") if kind is CloudConfig else ():
            if source in CLOUD_SOURCES:
                yield _row(source, "text", "", CLOUD_SOURCES[source], f"`{variable(*place, source)}`")


def _row(name: str, kind: str, default: str, help: str, environment: str) -> str:
    return f"| `{name}` | {kind} | {default} | {help.replace('|', chr(92) + '|')} | {environment} |"


def _type(hint: Any) -> str:
    if hint in (int, float):
        return "whole number" if hint is int else "number"
    if hint is bool:
        return "true or false"
    if get_origin(hint) is tuple:
        return "list of texts"
    return "text" if get_origin(hint) is None else "table"


def _default(option: Field[Any]) -> str:
    if option.metadata.get("required"):
        return "required"
    if option.default is MISSING:
        shown = option.metadata.get("shown", "")
        return f"`{shown}`" if shown else ""
    if option.default in ("", (), None) or isinstance(option.default, Secret):
        return ""
    if isinstance(option.default, bool):
        return f"`{str(option.default).lower()}`"
    return f"`{option.default:g}`" if isinstance(option.default, float) else f"`{option.default}`"
