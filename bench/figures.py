"""What a measurement gives: a figure beside its target, with what it was made of."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. `targets` is what the value must be at least, or at most where `most` is set.

    `gate` is what its best round must be on any machine, None for a figure that says nothing there: milliseconds
    depend on the machine, ratios and counts do not.
    """

    work: str
    unit: str
    values: Sequence[float]
    target: float
    most: bool = True
    gate: float | None = None
    beside: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self._within(self.target, self.value)

    @property
    def open_gate(self) -> bool:
        """Whether it may pass the gate: by its best round, for what else a machine does makes only worse."""
        best = min(self.values) if self.most else max(self.values)
        return self.gate is None or self._within(self.gate, best)

    def _within(self, limit: float, value: float) -> bool:
        return value <= limit if self.most else value >= limit

    def row(self) -> str:
        """The line in Markdown."""
        spread = f"{_short(min(self.values))} – {_short(max(self.values))}" if len(self.values) > 1 else ""
        sign = "≤" if self.most else "≥"
        return (
            f"| {self.work} | {_short(self.value)} {self.unit}".rstrip()
            + f" | {spread} | {sign} {_short(self.target)} | {'yes' if self.met else '**no**'} | {self.beside} |"
        )


HEAD = "| work | median | spread | target | met | measured beside |\n|---|---|---|---|---|---|"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def ratios(
    ours: Callable[[], float], reference: Callable[[], float], rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Ours divided by the reference, round by round, and both by themselves; each round has both, one after the other.

    What else the machine does meanwhile falls on both.
    """
    pairs = [(ours(), reference()) for _ in range(rounds)]
    return [a / b for a, b in pairs], [a for a, _ in pairs], [b for _, b in pairs]
