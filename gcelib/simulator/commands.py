"""The table of commands: what CloudStack knows, what is simulated, and which function does it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from gcelib.simulator.records import Row, Thing

if TYPE_CHECKING:
    from gcelib.simulator.call import Call

# A job's body yields the share of the job's time that passes next, and returns the jobresult.
Body = Generator[float, None, Row]


@dataclass(kw_only=True)
class Task:
    """What an asynchronous command hands to the job engine: its body, the thing it works on, the event to note.

    The share that a body yields last is at least a half; earlier ones are smaller. A task `beside` others
    neither waits for the other jobs on its thing nor shows on it.
    """

    body: Body
    on: Thing
    event: str = ""
    beside: bool = False


@dataclass(frozen=True)
class Parameter:
    """One parameter: `type` is uuid, string, integer, boolean, list, map or date; `longest` in characters."""

    name: str
    type: str
    required: bool
    longest: int


@dataclass
class Command:
    """One command of the API: `mode` is sync, async or create (asynchronous, but the entity exists at once)."""

    name: str
    mode: str
    job_class: str
    envelope: str
    parameters: dict[str, Parameter]
    act: Callable[[Call], Any] | None = None
    seconds: float = 0.5


TYPES = {"u": "uuid", "s": "string", "i": "integer", "b": "boolean", "l": "list", "m": "map", "d": "date"}
PARAMETER = re.compile(r"([\w]+):([usiblmd])(!?)(\d*)")
# Every command takes these, whatever its own list says.
EVERYWHERE = ("command", "response", "apikey", "signature", "signatureversion", "expires", "customjobid",
              "sessionkey", "ctxaccountid", "ctxuserid", "ctxstarteventid")  # fmt: skip

_acts: dict[str, tuple[Callable[[Any], Any], float]] = {}


def command(name: str, seconds: float = 0.5) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Register the function for a command; `seconds` is how long its job usually takes."""

    def register(act: Callable[[Call], Any]) -> Callable[[Call], Any]:
        _acts[name] = (act, seconds)
        return act

    return register


def _parameters(text: str) -> dict[str, Parameter]:
    found = {}
    for name, letter, required, longest in PARAMETER.findall(text):
        found[name] = Parameter(name, TYPES[letter], bool(required), int(longest or 255))
    return found


@cache
def load() -> tuple[dict[str, Command], frozenset[str]]:
    """All simulated commands by name, and the names of those that exist but are not simulated."""
    text = resources.files("gcelib.simulator").joinpath("command_table.json").read_text(encoding="utf-8")
    table: Row = json.loads(text)
    simulated = {}
    for name, (mode, job_class, envelope, parameters) in table["simulated"].items():
        act, seconds = _acts[name]
        simulated[name] = Command(name, mode, job_class, envelope, _parameters(parameters), act, seconds)
    return simulated, frozenset(table["others"].split())
