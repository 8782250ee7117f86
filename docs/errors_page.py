"""docs/errors.md: every word that gcelib answers an error with, from the faults themselves and from docs/reasons.py."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence

import gcelib
from docs.reasons import CODES, REASONS, SIGN_IN, WARNINGS
from gcelib.drivers import faults
from gcelib.drivers.ec2.codes import ENDS, NAMED
from gcelib.drivers.openstack.refusals import WORDS
from gcelib.errors import Fault
from gcelib.server.listening.envelope import REASONS as EARLY

HEAD = """\
# Errors

<!-- Made by `make docs` of docs/reasons.py and of the code; change them there, not here. -->

What a request is answered with when it cannot be carried out, in Google's own shape, so that every client shows it:

```json
{"error": {"code": 400, "message": "…", "errors": [
  {"domain": "global", "reason": "invalid", "message": "Invalid value for field 'resource.name': 'Web_1'. …",
   "location": "resource.name", "locationType": "parameter"}]}}
```

The message is for people and says what was refused, by whom, and what to do. The reason is for programs: one of the
words below. A 5xx, and 429, mean that trying again may help, after as many seconds as the header `Retry-After` says;
nothing else does. `X-Request-Id` of the answer is in the server's log.

An operation that fails says the same in `error.errors`, with the code of the table's third column, its HTTP status in
`httpErrorStatusCode`.
"""


def kinds(kind: type[Fault] = Fault) -> Iterator[type[Fault]]:
    """Every kind of fault there is in gcelib, wherever it stands."""
    for module in pkgutil.walk_packages(gcelib.__path__, "gcelib."):
        if ".store.migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    yield from _below(kind)


def _below(kind: type[Fault]) -> Iterator[type[Fault]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


def answers() -> Mapping[str, tuple[set[int], set[str]]]:
    """Every reason that requests are refused with: HTTP statuses, and codes of operations."""
    found: dict[str, tuple[set[int], set[str]]] = {}
    for kind in kinds():
        statuses, codes = found.setdefault(kind.reason, (set(), set()))
        statuses.add(kind.status)
        codes.add(kind.code)
    for status, reason in EARLY.items():
        found.setdefault(reason, (set(), set()))[0].add(status)
    return found


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _reasons() -> Iterator[Sequence[str]]:
    found = answers()
    for reason in sorted(found, key=lambda each: (min(found[each][0]), each)):
        statuses, codes = found[reason]
        cause, cure = REASONS[reason]
        yield (f"`{reason}`", ", ".join(map(str, sorted(statuses))), ", ".join(f"`{each}`" for each in sorted(codes)),
               cause, cure)


def _codes() -> Iterator[Sequence[str]]:
    """The clouds' own codes, by the reason they become."""
    for code, kind in faults.CODES.items():
        yield str(code), f"{kind.status} `{kind.reason}`"


def _named(pairs: Iterable[tuple[str, type[Fault]]]) -> Iterator[Sequence[str]]:
    sorted_out: dict[str, list[str]] = {}
    for word, kind in pairs:
        sorted_out.setdefault(f"{kind.status} `{kind.reason}`", []).append(f"`{word}`")
    for reason in sorted(sorted_out):
        yield reason, ", ".join(sorted_out[reason])


def page() -> str:
    """The whole page."""
    plain = [(said.replace("|", "\\|"), kind) for said, kind in WORDS]
    parts = [
        HEAD,
        "## Reasons\n",
        table(("Reason", "HTTP", "An operation's code", "Why", "What to do"), _reasons()),
        "Besides those, in an operation's errors:\n",
        table(("Code", "Why"), ((f"`{word}`", why) for word, why in CODES.items())),
        "## Warnings\n",
        "In `warning` of a list and `warnings` of an operation. What was asked for was done.\n",
        table(("Code", "What it says"), ((f"`{word}`", says) for word, says in WARNINGS.items())),
        "## Signing in\n",
        "`error` of what the OAuth endpoints answer, with `error_description` for people.\n",
        table(("Error", "Why", "What to do"), ((f"`{word}`", *both) for word, both in SIGN_IN.items())),
        "## What clouds say\n",
        "The cloud's own words stand in the message. CloudStack's code, and any other cloud's HTTP status, means:\n",
        table(("Code", "Becomes"), _codes()),
        "Others are 503 `backendError` from 500 on, 400 `badRequest` below. CloudStack's 530 is 503 where nothing was "
        "to be changed.\n",
        "EC2's codes by their names, and by how they end:\n",
        table(("Becomes", "Codes"), _named([*NAMED.items(), *((f"…{end}", kind) for end, kind in ENDS)])),
        "OpenStack's by its words, where its status stands for many things:\n",
        table(("Becomes", "Words"), _named(plain)),
    ]
    return "\n".join(parts)
