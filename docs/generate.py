"""Writes the tables of README and docs/ that come from the code: `make docs`; tests check that they are current."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from docs import errors_page, methods, monitoring_page
from docs.methods import SHOWN
from gcelib.auth.policy import RULES, UNMETHODED, needed
from gcelib.drivers import registry
from gcelib.server.resources import offered, table

ROOT = Path(__file__).parent.parent
SERVED = re.compile(r"(<!-- served: .*? -->\n).*?(<!-- end -->)", re.DOTALL)
ABLE = re.compile(r"(<!-- abilities: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


ABILITIES = {
    "list what there is": ("zones.list", "nodes.list"),
    "create and delete instances": ("nodes.create", "nodes.destroy"),
    "start and stop": ("nodes.start", "nodes.stop"),
    "reset": ("nodes.reset",),
    "machine type of one that is there": ("nodes.resize",),
    "serial port": ("nodes.console",),
    "SSH keys": ("keypairs.register",),
    "disks": ("volumes.create", "volumes.destroy"),
    "attach and detach": ("volumes.attach", "volumes.detach"),
    "enlarge disks": ("volumes.resize",),
    "snapshots": ("snapshots.create", "snapshots.destroy"),
    "images of one's own": ("images.create",),
    "delete images": ("images.destroy",),
    "networks": ("networks.create", "networks.destroy"),
    "firewalls": ("firewalls.allow", "firewalls.revoke"),
    "addresses": ("addresses.acquire", "addresses.enable_nat"),
    "load balancing": ("balancers.create",),
    "labels kept on the cloud": ("tags.set",),
    "quotas": ("quotas.list",),
}
"""What people do with a cloud -> the verbs of its facets that this takes."""

def abilities() -> str:
    """What the providers can, by what people do."""
    profiles = [registry.profile_of(name) for name in SHOWN]
    able = [registry.abilities(profile) for profile in profiles]
    lines = [f"| | {' | '.join(profile.title for profile in profiles)} |", "|---|" + "---|" * len(profiles)]
    for what, verbs in ABILITIES.items():
        pairs = [each.split(".") for each in verbs]
        cells = ["yes" if all(verb in can.get(facet, ()) for facet, verb in pairs) else "–" for can in able]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def served() -> str:
    """Every collection with a served method, and those methods."""
    rows: dict[str, list[str]] = {}
    for id in sorted(offered()):
        method = table().methods[id]
        rows.setdefault(method.collection, []).append(method.name)
    lines = ["| Collection | Methods |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {', '.join(methods)} |" for name, methods in rows.items())]) + "\n"


ROLES_HEAD = """\
# Roles

Made from the code (`gcelib/auth/policy.py`) by `make docs`.

A role is held on one project, or on every one (`gcelib account grant NAME --project "*" --role viewer`). An
operator may do all that a viewer may, an admin all that an operator may. Who has no role on a project is told that
there is no such project. A token's scopes narrow what its account's role allows: `compute.readonly` and
`cloud-platform.read-only` allow what a viewer may, `compute` and `cloud-platform` all, other scopes nothing.

## The rules

The first row that fits a method decides; every `GET` is a viewer's. Collections stand for their regional twins, too
(`disks` for `regionDisks`); `get…` for every method that begins so.

| Weakest role | Collections | Methods | Because |
|---|---|---|---|
"""


def roles() -> str:
    """docs/roles.md: the rules, and the role that each method of GCE v1 needs by them."""
    rules = [f"| {row.role} | {row.collections or 'every'} | {row.methods or 'every'} | {row.why} |" for row in RULES]
    named = [f"`{verb}` ({role})" for role, verbs in UNMETHODED.items() for verb in verbs.split()]
    lines = [
        *rules, "",
        "`testIamPermissions` answers from the same rules: `compute.disks.create` is had by who may call "
        "`disks.insert`, `update` by who may call `update` or `patch`.",
        f"Permissions without a method, on every collection: {', '.join(named)}.", "",
        "## Every method", "",
        "| Collection | viewer | operator | admin |", "|---|---|---|---|",
    ]  # fmt: skip
    found: dict[str, dict[str, list[str]]] = {}
    for id, method in sorted(table().methods.items()):
        found.setdefault(method.collection, {}).setdefault(needed(id, method.verb), []).append(method.name)
    for collection, held in found.items():
        cells = (", ".join(held.get(role, ())) for role in ("viewer", "operator", "admin"))
        lines.append(f"| {collection} | {' | '.join(cells)} |")
    return ROLES_HEAD + "\n".join(lines) + "\n"


def documents() -> dict[Path, str]:
    """Every generated document as it should be."""
    coverage = subprocess.run(
        [sys.executable, "-m", "gcelib", "coverage", "--format", "md"], capture_output=True, text=True, check=True
    )
    readme = ROOT / "README.md"
    return {
        readme: ABLE.sub(
            lambda match: match[1] + abilities() + match[2],
            SERVED.sub(lambda match: match[1] + served() + match[2], readme.read_text()),
        ),
        ROOT / "docs" / "coverage.md": coverage.stdout,
        ROOT / "docs" / "roles.md": roles(),
        ROOT / "docs" / "monitoring.md": monitoring_page.page(),
        ROOT / "docs" / "errors.md": errors_page.page(),
        ROOT / "docs" / "methods-and-clouds.md": methods.page(),
    }


def main() -> None:
    """Write them."""
    for path, text in documents().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
