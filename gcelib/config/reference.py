"""What every option is called, means and defaults to: docs/configuration.md and gcelib.toml(5) are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple, get_origin, get_type_hints

from gcelib.config.environ import variable
from gcelib.config.options import CLOUD_SOURCES, CloudConfig
from gcelib.config.reading import NAMED, SECTIONS
from gcelib.config.sealed import Secret

INTRODUCTION = """\
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


REQUIRED = "required"


class Option(NamedTuple):
    """An option in words: what kind of value, the default ("" for none, "required" where there must be one), the
    variable of the environment ("" for tables, which have none)."""

    name: str
    kind: str
    default: str
    help: str
    environment: str


class Section(NamedTuple):
    """A section of the file as it is written ("[clouds.NAME]"), what it is for, and its options."""

    heading: str
    about: str
    options: tuple[Option, ...]


def sections() -> Iterator[Section]:
    """All of them in the order of the pages."""
    for section, kind in {**SECTIONS, **NAMED}.items():
        heading, _, about = (kind.__doc__ or "").partition(": ")
        yield Section(heading, about[:1].upper() + about[1:], tuple(_options(section, kind)))


def reference() -> str:
    """The whole page, Markdown."""
    lines = [INTRODUCTION]
    for section in sections():
        lines += [f"## `{section.heading}`", "", section.about, "",
                  "| Option | Type | Default | Meaning | Environment |", "|---|---|---|---|---|",
                  *map(_row, section.options), ""]
    return "\n".join(lines)


def _options(section: str, kind: type) -> Iterator[Option]:
    hints = get_type_hints(kind)
    place = (section,) if section in SECTIONS else (section, "NAME")
    for each in fields(kind):
        if each.name == "name":
            continue
        table = get_origin(hints[each.name]) not in (None, tuple)
        environment = "" if table else variable(*place, each.name)
        yield Option(each.name, _type(hints[each.name]), _default(each), each.metadata["help"], environment)
        for source in (f"{each.name}_env", f"{each.name}_file") if kind is CloudConfig else ():
            if source in CLOUD_SOURCES:
                yield Option(source, "text", "", CLOUD_SOURCES[source], variable(*place, source))


def _row(option: Option) -> str:
    default = option.default if option.default == REQUIRED else _code(option.default)
    help = option.help.replace("|", "\\|")
    return f"| `{option.name}` | {option.kind} | {default} | {help} | {_code(option.environment)} |"


def _code(word: str) -> str:
    return f"`{word}`" if word else ""


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
        return REQUIRED
    if option.default is MISSING:
        return str(option.metadata.get("shown", ""))
    if option.default in ("", (), None) or isinstance(option.default, Secret):
        return ""
    if isinstance(option.default, bool):
        return str(option.default).lower()
    return f"{option.default:g}" if isinstance(option.default, float) else f"{option.default}"
