"""How Sphinx makes the pages of README, docs/ and examples/ into a site: `make site`.

The Markdown is what people read in the repository, so nothing in it is Sphinx's own: the tree of pages follows from the
lists of links in docs/index.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

from gcelib import __version__

HERE = Path(__file__).parent

project = "gcelib"
release = version = __version__
copyright = "the people who wrote it"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "examples/**.md"]
exclude_patterns = [".venv*", ".git", "build", "gcelib", "tests", "bench/results"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 6
myst_enable_extensions: list[str] = []
html_theme = "furo"
html_title = f"gcelib {release}"
html_static_path = [str(HERE / "static")]
html_css_files = ["wide.css"]
html_extra_path = [str(HERE / "root")]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"source_repository": "", "top_of_page_buttons": []}

SECTION = re.compile(r"^## (.+)\n", re.MULTILINE)
LINK = re.compile(r"^[-*] .*?\[[^]]+\]\(([^)#]+)\.md\)", re.MULTILINE)


def tree(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the page of all pages a hidden table of contents for each of its sections, of the links in its lists."""
    if name != root_doc:
        return
    pieces = SECTION.split(source[0])
    made = [pieces[0]]
    for heading, text in zip(pieces[1::2], pieces[2::2], strict=True):
        pages = LINK.findall(text)
        listed = ["```{toctree}", ":hidden:", f":caption: {heading}", "", *pages, "```"] if pages else []
        made.append("\n".join([f"## {heading}", text, *listed, "", ""]))
    source[0] = "".join(made)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", tree)
