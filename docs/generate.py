"""Writes the tables of README and docs/ that come from the code: `make docs`; tests check that they are current."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from gcelib.server.resources import offered, table

ROOT = Path(__file__).parent.parent
SERVED = re.compile(r"(<!-- served: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def served() -> str:
    """Every collection with a served method, and those methods."""
    rows: dict[str, list[str]] = {}
    for id in sorted(offered()):
        method = table().methods[id]
        rows.setdefault(method.collection, []).append(method.name)
    lines = ["| Collection | Methods |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {', '.join(methods)} |" for name, methods in rows.items())]) + "\n"


def documents() -> dict[Path, str]:
    """Every generated document as it should be."""
    coverage = subprocess.run(
        [sys.executable, "-m", "gcelib", "coverage", "--format", "md"], capture_output=True, text=True, check=True
    )
    readme = ROOT / "README.md"
    return {
        readme: SERVED.sub(lambda match: match[1] + served() + match[2], readme.read_text()),
        ROOT / "docs" / "coverage.md": coverage.stdout,
    }


def main() -> None:
    """Write them."""
    for path, text in documents().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
