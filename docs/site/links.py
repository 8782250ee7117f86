"""Looks after every link of the built site: `python docs/site/links.py build/site`.

A link inside the site must lead to a file, and to an anchor in it; those that lead nowhere are told, and the exit code
is 1. Links to other places are not followed: they are written to `external-links.txt` beside the pages.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit


class Page(HTMLParser):
    """What a page links to and what in it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag's link and its anchor."""
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.links.add(value)
            elif value and name in ("id", "name"):
                self.anchors.add(value)


def looked_at(site: Path) -> tuple[list[str], set[str]]:
    """The links of a site that lead nowhere, with the pages they stand on; and those that lead out of it."""
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    lost, outside = [], set()
    for path, page in pages.items():
        for link in sorted(page.links):
            if urlsplit(link).scheme or link.startswith("//"):
                outside.add(link)
                continue
            name, anchor = urldefrag(link)
            at = (path.parent / unquote(urlsplit(name).path)).resolve() if name else path
            if not at.exists():
                lost.append(f"{path.relative_to(site)}: {link} leads to no file")
            elif anchor and at in pages and unquote(anchor) not in pages[at].anchors:
                lost.append(f"{path.relative_to(site)}: {link} leads to no such place in the page")
    return lost, {link for link in outside if not link.startswith("data:")}


def main() -> int:
    """Tell about a site."""
    site = Path(sys.argv[1]).resolve()
    lost, outside = looked_at(site)
    (site / "external-links.txt").write_text("".join(f"{link}\n" for link in sorted(outside)))
    print(*lost, sep="\n", end="\n" if lost else "")
    print(f"{len(lost)} links lead nowhere; {len(outside)} lead to other places, are listed in "
          "external-links.txt, and were not followed.")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
