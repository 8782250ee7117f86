"""Steering a running simulator over HTTP: its faults, the truth of its books, expunging."""

from __future__ import annotations

import json
from typing import Any

from gcelib.simulator.dispatch import Answer
from gcelib.simulator.faults import FaultPlan
from gcelib.simulator.machine_actions import expunge_destroyed
from gcelib.simulator.world import World


class Control:
    """The paths under /simulator/; they take no keys, for the simulator holds nothing real."""

    def __init__(self, world: World, faults: FaultPlan) -> None:
        self.world = world
        self.faults = faults

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Carry out one request and answer in JSON."""
        try:
            return _json(200, self._act(method, path.rstrip("/"), body))
        except LookupError:
            return _json(404, {"error": f"{method} {path} is not one of the simulator's own paths"})
        except ValueError as error:
            return _json(400, {"error": str(error)})

    def _act(self, method: str, path: str, body: bytes) -> Any:
        match method, path:
            case "GET", "/simulator/faults":
                return {"faults": self.faults.rows()}
            case "POST", "/simulator/faults":
                for row in _rows(body):
                    self.faults.add_row(row)
                return {"faults": self.faults.rows()}
            case "DELETE", "/simulator/faults":
                self.faults.clear()
                return {"faults": []}
            case "GET", "/simulator/machines":
                return {"machines": self.world.machines()}
            case "POST", "/simulator/expunge":
                return {"expunged": expunge_destroyed(self.world)}
        raise LookupError(path)


def _rows(body: bytes) -> list[dict[str, Any]]:
    try:
        sent = json.loads(body)
    except ValueError:
        raise ValueError("the body must be JSON: one fault, or a list of them") from None
    rows = sent if isinstance(sent, list) else [sent]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a fault is a JSON object such as {\"kind\": \"reset\", \"command\": \"listZones\"}")
    return rows


def _json(status: int, value: Any) -> Answer:
    return Answer(status=status, body=json.dumps(value, indent=1).encode() + b"\n", type="application/json")
