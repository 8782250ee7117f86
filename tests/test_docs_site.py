"""The pages make a site: Sphinx warns of nothing, every link and every anchor inside leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import PAGES

ROOT = Path(__file__).parent.parent
pytest.importorskip("myst_parser", reason="Sphinx with myst-parser is not installed: pip install -e '.[docs]'")
pytest.importorskip("furo", reason="the theme furo is not installed: pip install -e '.[docs]'")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A Python program, in the root of the project."""
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` builds it."""
    folder = tmp_path_factory.mktemp("site") / "site"
    made = run("-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs/site", ".", str(folder))
    assert made.returncode == 0, made.stderr + "\nIs a new page missing in the lists of docs/index.md?"
    return folder


def test_every_page_is_in_it_and_no_link_or_anchor_leads_nowhere(site: Path) -> None:
    for page in PAGES:
        assert (site / page.relative_to(ROOT)).with_suffix(".html").exists(), page
    done = run("docs/site/links.py", str(site))
    assert done.returncode == 0, done.stdout
    assert "https://libcloud.apache.org" in (site / "external-links.txt").read_text()


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    links = '<a href="two.html"></a><a href="#there"></a><a href="#here"></a>'
    (tmp_path / "one.html").write_text(f'<p id="here"></p>{links}')
    done = run("docs/site/links.py", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "one.html: #there leads to no such place in the page", "one.html: two.html leads to no file",
    ]


def test_its_front_page_leads_to_the_list_of_pages(site: Path) -> None:
    assert "docs/index.html" in (site / "index.html").read_text()
    listed = (site / "docs" / "index.html").read_text()
    assert 'class="toctree-l1"' in listed
    assert "clients/gcloud.html" in listed
