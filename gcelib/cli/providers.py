"""`gcelib providers`: libcloud's compute providers and what gcelib does with each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gcelib.cli.arguments import Commands, add_command
from gcelib.drivers import registry
from gcelib.drivers.base import FACETS
from gcelib.drivers.profile import Profile, verbs

_ABOUT = """\
List the compute providers that libcloud knows and what gcelib does with each.
With a name: what gcelib can do on that provider, and why it cannot do the rest.
"""

_EXAMPLES = """\
  gcelib providers
  gcelib providers cloudstack
"""


def add(subparsers: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(subparsers, "providers", _ABOUT, _EXAMPLES)
    parser.add_argument("name", nargs="?", default="", help="one provider, as libcloud names it")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the table. Raises Unsupported for a name that libcloud does not know."""
    lines = _one(registry.profile_of(args.name)) if args.name else _all()
    print("\n".join(lines))
    return 0


def _all() -> Iterator[str]:
    rows = registry.providers()
    width = max(len(row.name) for row in rows)
    for row in rows:
        how = row.family if row.family != "generic" else "base API"
        yield f"{row.name:<{width}}  {how if row.carried else 'no: ' + row.why_not}"
    yield ""
    yield "`gcelib providers NAME` shows what one of them can do."


def _one(profile: Profile) -> Iterator[str]:
    yield f"{profile.name} ({profile.title})"
    if not profile.carried:
        yield f"Not carried: {profile.why_not}."
        return
    if profile.endpoint:
        yield f"Endpoint unless the configuration names one: {profile.endpoint}"
    yield ""
    abilities = registry.abilities(profile)
    reasons: dict[str, list[str]] = {}
    for facet in FACETS:
        can = [verb for verb in verbs(facet) if verb in abilities.get(facet, ())]
        lacks = [verb for verb in verbs(facet) if verb not in abilities.get(facet, ())]
        yield f"{facet:<10}  {', '.join(can) or '-'}" + (f"   (not: {', '.join(lacks)})" if lacks else "")
        for verb in lacks:
            reasons.setdefault(registry.why_not(profile, facet, verb), []).append(f"{facet}.{verb}")
    yield ""
    yield "Not offered:"
    yield from (f"  {why}: {', '.join(what)}" for why, what in reasons.items())
