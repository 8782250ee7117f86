"""Which methods the clients of tests/contract had answered, and whether these are the ones `gcelib coverage` lists.

The servers of tests/contract write every request into their audit log. When one ends, the methods it answered are
kept in the folder that ANSWERED names; `python -m tests.answered FOLDER` judges them after the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = "ANSWERED"
CLIENTS = Path(__file__).parent / "contract"

NOTHING_HERE = frozenset({
    "compute.globalAddresses.delete", "compute.globalAddresses.get", "compute.globalAddresses.setLabels",
    "compute.globalAddresses.testIamPermissions", "compute.instanceGroupManagers.delete",
    "compute.instanceGroupManagers.get", "compute.instances.getGuestAttributes",
    "compute.regionInstanceGroupManagers.delete", "compute.regionInstanceGroupManagers.get",
    "compute.regionInstanceGroups.get", "compute.regionInstanceGroups.testIamPermissions",
    "compute.regionInstanceTemplates.delete", "compute.regionInstanceTemplates.get",
})
"""Methods about things that no cloud here has: that there is none is all they can answer."""


def succeeded(lines: Iterable[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """The methods that an audit log's lines say were answered well, and those answered 404.

    A change counts when its operation ended without error, not when it was accepted.
    """
    well: set[str] = set()
    missing: set[str] = set()
    begun: dict[str, set[str]] = {}
    ended: set[str] = set()
    for line in lines:
        if line["event"] == "operation" and line["outcome"] == "done":
            ended.add(line["operation"])
        elif line["event"] == "request" and line.get("what"):
            if line["status"] == 404:
                missing.add(line["what"])
            elif 200 <= line["status"] < 300 and line.get("operation"):
                begun.setdefault(line["operation"], set()).add(line["what"])
            elif 200 <= line["status"] < 300:
                well.add(line["what"])
    return well.union(*(methods for name, methods in begun.items() if name in ended)), missing


def _keep(what: dict[str, Any]) -> None:
    folder = os.environ.get(FOLDER)
    if folder:
        (Path(folder) / f"{uuid.uuid4().hex}.json").write_text(json.dumps(what))


def keep_server(state: Path) -> None:
    """Keep what a server that has ended answered, by its audit log."""
    log = state / "audit.log"
    well, missing = succeeded(json.loads(line) for line in log.read_text().splitlines())
    _keep({"well": sorted(well), "missing": sorted(missing)})


def keep_session(files: set[Path], cut: set[Path]) -> None:
    """Keep which files of tests/contract a session of pytest runs, but for those it leaves some tests out of."""
    _keep({"files": sorted(path.name for path in files - cut if path.parent == CLIENTS)})


def served() -> set[str]:
    """What `gcelib coverage` lists as served."""
    command = [sys.executable, "-m", "gcelib", "coverage", "--format", "json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {method["id"] for method in json.loads(said.stdout)["methods"] if method["served"]}


def judged(folder: Path, methods: set[str], files: set[str]) -> tuple[int, list[str]]:
    """An exit code and what to say: 0 when the clients had exactly `methods` answered, or not all `files` were run."""
    kept = [json.loads(each.read_text()) for each in folder.glob("*.json")]
    if not any(files <= set(each["files"]) for each in kept if "files" in each):
        return 0, ["Coverage was not judged: only a part of tests/contract was run."]
    servers = [each for each in kept if "well" in each]
    well = {method for each in servers for method in each["well"]}
    missing = {method for each in servers for method in each["missing"]}
    said = [f"{method} is served, and no client's call of it succeeded." for method in
            sorted(methods - well - (missing & NOTHING_HERE))]
    said += [f"{method} was answered, and `gcelib coverage` does not list it." for method in sorted(well - methods)]
    said += [f"{method} was answered well: take it out of NOTHING_HERE." for method in sorted(well & NOTHING_HERE)]
    return (1, said) if said else (0, [f"Each of the {len(methods)} methods served was called by a client."])


def main() -> int:
    """Judge the folder given."""
    code, said = judged(Path(sys.argv[1]), served(), {each.name for each in CLIENTS.glob("test_*.py")})
    print("\n".join(said))
    return code


if __name__ == "__main__":
    sys.exit(main())
