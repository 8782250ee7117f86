"""The commands and the Python shown in docs/simulator.md do what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands use curl")
def test_the_shell_lines_of_the_page_work_as_shown(tmp_path):
    port = free_port()
    for name, module in (("gcelib", "gcelib"), ("cs", "cs")):
        shim = tmp_path / name
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        shim.chmod(0o755)
    # Should a line fail, the simulator must not outlive the shell.
    lines = ["set -em", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", *blocks("sh")]
    script = "\n".join(lines).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    for expected in ("CH-GV2", "Windows Server 2012", "refused once", '"faults": []', '"machines": []'):
        assert expected in done.stdout


def test_the_python_of_the_page_works_as_shown():
    (text,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", text], env=os.environ | {"PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[]\n")


def test_the_page_names_every_fault_and_option():
    from gcelib.simulator.faults import KINDS

    assert all(f"| `{kind}` |" in PAGE for kind in KINDS)
    options = (ROOT / "gcelib" / "cli" / "simulator.py").read_text(encoding="utf-8")
    for option in re.findall(r'"(--[a-z-]+)"', options):
        assert f"| `{option}" in PAGE
