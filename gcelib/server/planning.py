"""Plans the steps that `late` put down once their operation's turn has come, from what the clouds hold then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib.server import grouped, late, noted, subnets
from gcelib.server.operations.plan import Step
from gcelib.server.view import View


@dataclass(frozen=True, slots=True)
class Standing:
    """A `Ground` without a request."""

    view: View
    tenancy: str


class Planner:
    """Callable: (tenancy, what, arguments) to steps. `look` gives the view of a tenancy. Raises Faults."""

    def __init__(self, look: Callable[[str], View]) -> None:
        self._look = look

    def __call__(self, tenancy: str, what: str, args: Mapping[str, Any]) -> Sequence[Step]:
        view = self._look(tenancy)
        cloud = str(args.get("cloud", ""))
        # What was not looked at would count as not there.
        view.need(*([cloud] if cloud else [each.name for each in view.clouds]))
        ground = Standing(view, tenancy)
        if what == late.NETWORK:
            return noted.steps(ground, str(args["name"]), cloud)
        if what == late.SUBNETWORK:
            return subnets.making(ground, subnets.Wish(**args["wish"]))
        if what == late.MACHINE:
            return grouped.copies_of(ground, cloud, str(args["id"]))
        return grouped.steps(ground, args["verb"], args["name"], args["network"], args["definition"], args["created"])
