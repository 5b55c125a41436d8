"""Times two ways in turns, so that a machine that changes its speed changes both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

Way = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest of some runs."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """The spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.min:.3g} to {self.max:.3g})"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What is timed.
        ours, plain: Seconds of each run.
        ratio: Ours over plain, run by run; below 1 is faster.
    """

    name: str
    ours: Spread
    plain: Spread
    ratio: Spread

    def row(self) -> str:
        """The figure as a line of a Markdown table."""
        low, middle, high = (f"{value:.2f}" for value in (self.ratio.min, self.ratio.median, self.ratio.max))
        return f"| {self.name} | {self.ours} | {self.plain} | **{middle}** ({low} to {high}) |"

    def as_dict(self) -> dict[str, object]:
        """The figure for JSON."""
        return asdict(self)


def compare(name: str, ours: Way, plain: Way, runs: int) -> Figure:
    """Run each way once to warm up, then `runs` times in turns."""
    ours(), plain()
    pairs = [(seconds(ours), seconds(plain)) for _ in range(runs)]
    ratios = [one / other for one, other in pairs]
    return Figure(name, Spread.of([p[0] for p in pairs]), Spread.of([p[1] for p in pairs]), Spread.of(ratios))


def seconds(way: Way) -> float:
    """How long one run takes on the wall clock; a way that measures itself returns its own seconds."""
    started = time.perf_counter()
    measured = way()
    return measured if isinstance(measured, float) else time.perf_counter() - started
