"""What docs/monitoring.md has from the code: the figures of /metrics, and the alerts with their cures."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from gcelib.server import metrics

ROOT = Path(__file__).parent.parent
FIGURES = re.compile(r"(<!-- figures: .*? -->\n).*?(<!-- end -->)", re.DOTALL)
ALERTS = re.compile(r"(<!-- alerts: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def figures() -> str:
    """Every figure of /metrics."""
    lines = ["| Figure | Type | Labels | What it says |", "|---|---|---|---|"]
    for name, (kind, labels, help) in metrics.reference().items():
        lines.append(f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels) or '–'} | {help} |")
    return "\n".join(lines) + "\n"


def alerts() -> str:
    """A section for each alert: what it says, when it rings, what to do."""
    def plain(text: str) -> str:
        return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: match[1].upper(), text)

    sections = []
    for group in yaml.safe_load((ROOT / "packaging" / "prometheus" / "gcelib.rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            said = rule["annotations"]
            sections.append(
                f"#### {rule['alert']}\n\n{plain(said['summary'])} ({rule['labels']['severity']}, after {rule['for']})"
                f"\n\n```promql\n{rule['expr'].strip()}\n```\n\n{plain(said['cure'])}\n"
            )
    return "\n" + "\n".join(sections) + "\n"


def page() -> str:
    """docs/monitoring.md with its tables."""
    text = (ROOT / "docs" / "monitoring.md").read_text()
    text = FIGURES.sub(lambda match: match[1] + figures() + match[2], text)
    return ALERTS.sub(lambda match: match[1] + alerts() + match[2], text)
