"""`gcelib coverage`: which of GCE's methods are served and which are refused."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping

from gcelib.cli.arguments import Commands, add_command
from gcelib.server.resources import offered
from gcelib.server.routes import Method, RouteTable

_ABOUT = """\
List every method of GCE v1: served, or refused with 400 unsupportedOperation.
What a served method can do on a given cloud is shown by `gcelib providers`.
"""

_EXAMPLES = """\
  gcelib coverage
  gcelib coverage --format json
"""


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "coverage", _ABOUT, _EXAMPLES)
    parser.add_argument("--format", choices=("md", "json"), default="md", help="Markdown (default) or JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    table = RouteTable.load()
    served = offered()
    if args.format == "json":
        print(json.dumps(_rows(table.methods, served, table.revision), indent=2))
    else:
        print("\n".join(_markdown(table.methods, served, table.revision)))
    return 0


def _rows(methods: Mapping[str, Method], served: frozenset[str], revision: str) -> dict[str, object]:
    rows = [
        {"id": method.id, "verb": method.verb, "path": method.path, "served": method.id in served}
        for method in _sorted(methods)
    ]
    return {"revision": revision, "served": len(served & set(methods)), "methods": rows}


def _markdown(methods: Mapping[str, Method], served: frozenset[str], revision: str) -> Iterator[str]:
    yield "# Coverage"
    yield ""
    yield (f"{len(served & set(methods))} of the {len(methods)} methods of Compute Engine v1 (revision "
           f"{revision}) are served; the others answer 400 `unsupportedOperation`.")
    yield ""
    yield "| Collection | Served | Refused |"
    yield "|---|---|---|"
    collections: dict[str, tuple[list[str], list[str]]] = {}
    for method in _sorted(methods):
        collections.setdefault(method.collection, ([], []))[method.id not in served].append(method.name)
    # Collections that serve something come first: there are few of them among very many.
    for collection in sorted(collections, key=lambda name: (not collections[name][0], name)):
        yes, no = collections[collection]
        yield f"| {collection} | {', '.join(yes) or '–'} | {', '.join(no) or '–'} |"


def _sorted(methods: Mapping[str, Method]) -> list[Method]:
    return sorted(methods.values(), key=lambda method: method.id)
