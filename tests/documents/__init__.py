"""The shell blocks of the pages, with what is said about each in a comment above it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
BLOCK = re.compile(r"(?:^ *<!-- ([^\n]+) -->\n)?^( *)```(\w*)[^\n]*\n(.*?)^\2```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `remark` is the comment on the line above it."""

    language: str
    text: str
    remark: str = ""

    @property
    def unrun(self) -> str:
        """Why it is run nowhere, if it is not."""
        return self.remark.removeprefix("not run: ") if self.remark.startswith("not run: ") else ""


def blocks(text: str, language: str = "sh") -> list[Block]:
    """A text's blocks of one language, in their order; `""` for all."""
    found = [Block(match[3], textwrap.dedent(match[4]), match[1] or "") for match in BLOCK.finditer(text)]
    return [block for block in found if language in ("", block.language)]
