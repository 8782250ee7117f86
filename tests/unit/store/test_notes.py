"""A note that is changed by what it says is changed by one writer at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from gcelib.store import Store
from gcelib.store.notes import Notes


def test_changes_at_once_take_turns(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/notes.sqlite")
    notes = Notes(store)

    def grow(note: dict[str, Any]) -> dict[str, Any]:
        return {"seen": [*note.get("seen", []), len(note.get("seen", []))]}

    threads = [threading.Thread(target=notes.change, args=("project:p", "zones", "p", grow)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert notes.get("project:p", "zones", "p") == {"seen": list(range(8))}
    before = notes.version
    assert notes.change("project:p", "zones", "p", lambda note: {"seen": note["seen"][:1]}) == {"seen": [0]}
    assert notes.version != before
    store.close()
