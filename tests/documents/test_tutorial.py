"""The tutorial from top to bottom, in one shell of somebody who has nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks
from tests.documents.loaded import Gcloud
from tests.documents.shell import missing, programs, run, script
from tests.live import free_port

PAGE = ROOT / "docs" / "tutorial.md"


def test_ten_minutes_from_nothing_to_a_machine(tmp_path: Path) -> None:
    for name in ("home", "gcloud"):
        (tmp_path / name).mkdir()
    gcloud = Gcloud(tmp_path / "gcloud")
    path = programs(tmp_path / "programs", {"gcloud": gcloud.line} if gcloud.there else {})
    cloud, port = f"127.0.0.1:{free_port()}", free_port()
    places = {"127.0.0.1:8080": cloud, "localhost:5000": f"localhost:{port}"}
    found = []
    for block in blocks(PAGE.read_text()):
        text = block.text
        for old, new in places.items():
            text = text.replace(old, new)
        found.append(replace(block, text=text))
    if lacking := missing(found, path):
        gcloud.close()
        pytest.skip(f"{', '.join(lacking)}: not installed here")
    said = run(script(found), tmp_path, {
        "HOME": str(tmp_path / "home"), "PATH": path, "PYTHONPATH": str(ROOT), "USER": os.environ.get("USER", "ann"),
        "GCELIB_SERVER_LISTEN": f"127.0.0.1:{port}", "GCELIB_SERVER_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
    })
    gcloud.close()
    assert "Zones: CH-GV2, DE-ADV1, FR-SG1" in said
    assert "ann@demo.gcelib.local" in said
    assert "made-by: tutorial" in said
    assert '"name":"web-1"' in said
    assert '"what":"compute.firewalls.delete"' not in said
