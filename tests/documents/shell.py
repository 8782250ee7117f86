"""A page's blocks as one shell script: what somebody does who reads it from top to bottom."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.contract import gcutil, installed
from tests.documents import Block

PRELUDE = """\
set -euo pipefail
set -m
finish() { for each in $(jobs -p); do kill -- "-$each" || true; wait "$each" || true; done 2> /dev/null; }
trap finish EXIT
"""
WAITS = """\
for _ in $(seq 600); do
  if grep -qE 'ready|serving' {out}; then break; fi
  kill -0 $! || {{ cat {out}; exit 1; }}
  sleep 0.1
done
grep -qE 'ready|serving' {out} || {{ cat {out}; exit 1; }}
"""


KEPT = ("CLOUDSDK_PYTHON", "PIP_CONFIG_FILE", "PIP_INDEX_URL")
"""Where programs and packages are had from here."""


def script(blocks: Iterable[Block]) -> str:
    """The blocks that are run, in one shell. Of what runs on the end is not waited for: it ends with the shell.

    A block's remark: "runs on" until the reader ends it, when it has said "ready" or "serving" the next begins; "asks"
    and is answered from the file `typed`; "ends with N: WORDS" says the exit code of its last command and
    what it tells.
    """
    parts = [PRELUDE]
    for number, block in enumerate(blocks):
        if block.unrun:
            continue
        if block.remark == "runs on":
            out = f"running.{number}"
            parts.append(f"(\n{block.text}) > {out} 2>&1 &\n{WAITS.format(out=out)}")
        elif block.remark == "asks":
            parts.append(f"{{\n{block.text}}} < typed\n")
        elif ends := re.fullmatch(r"ends with (\d+): (.+)", block.remark):
            told = f"grep -F {shlex.quote(ends[2])} refused || {{ cat refused >&2; exit 1; }}"
            parts.append(f"code=0; ( {block.text.strip()} ) > refused 2>&1 || code=$?; [ $code = {ends[1]} ]\n{told}\n")
        else:
            parts.append(block.text)
    return "\n".join(parts)


def programs(folder: Path, more: Mapping[str, str] | None = None) -> str:
    """A PATH with gcelib, python3, gcutil and Ansible as pages call them, and `more` shell lines by name."""
    return installed.programs(folder, {
        **installed.ansible_lines(),
        "gcelib": f'exec {shlex.quote(sys.executable)} -m gcelib "$@"',
        "python3": f'exec {shlex.quote(sys.executable)} "$@"',
        "cs": f'exec {shlex.quote(sys.executable)} -m cs "$@"',
        "gcutil": f'exec {shlex.quote(gcutil.python())} {shlex.quote(gcutil.executable())} "$@"',
        **(more or {}),
    })


def missing(blocks: Iterable[Block], path: str) -> list[str]:
    """The programs that blocks begin lines with and that are not installed here."""
    text = "\n".join(block.text for block in blocks if not block.unrun)
    named = set(re.findall(r"^(?:[A-Z_]+=\S* )*(gcloud|jq|curl|cs|nginx|openssl|gcutil|psql)\b", text, re.MULTILINE))
    return sorted(name for name in named if not shutil.which(name, path=path))


def run(text: str, folder: Path, environment: Mapping[str, str], seconds: int = 120) -> str:
    """What a shell says to a script, which must end well."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    done = subprocess.run(["bash", "-c", text], cwd=folder, env={**kept, "LC_ALL": "C.UTF-8", **environment}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert "Traceback" not in said, said
    return done.stdout
