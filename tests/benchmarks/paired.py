"""Times two ways in turns, so that a machine that changes its speed changes both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

Way = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest of some runs."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))

    def told(self, unit: str) -> str:
        """In words; what lasts less than a second in milliseconds."""
        if unit == "s" and self.median < 1:
            return Spread(self.min * 1e3, self.median * 1e3, self.max * 1e3).told("ms")
        return f"{self.median:.3g} {unit} ({self.min:.3g} to {self.max:.3g})"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What is measured.
        ours: Of each run, in `unit`.
        plain: The same by the plain way, if there is one.
        ratio: Ours over plain, run by run; below 1 is faster.
        target: What the middle should not exceed, in `unit`, if anything was promised.
        unit: Seconds, unless something else is measured.
    """

    name: str
    ours: Spread
    plain: Spread | None = None
    ratio: Spread | None = None
    target: float | None = None
    unit: str = "s"

    @classmethod
    def of(
        cls,
        name: str,
        ours: Sequence[float],
        plain: Sequence[float] = (),
        target: float | None = None,
        unit: str = "s",
        each: int = 1,
    ) -> Figure:
        """The figure of some runs; those of the plain way were made in turns with ours, or there are none.

        `each` run gave so many values; its ratio is that of the medians.
        """
        if not plain:
            return cls(name, Spread.of(ours), None, None, target, unit)
        middles = [[statistics.median(way[at : at + each]) for at in range(0, len(way), each)] for way in (ours, plain)]
        ratios = [one / other for one, other in zip(*middles, strict=True)]
        return cls(name, Spread.of(ours), Spread.of(plain), Spread.of(ratios), target, unit)

    def row(self) -> str:
        """The figure as a line of a Markdown table."""
        plain = "" if self.plain is None else self.plain.told(self.unit)
        ratio = "" if self.ratio is None else _ratio(self.ratio)
        target = "" if self.target is None else f"{self.target * 1e3:.0f} ms" if self.unit == "s" else str(self.target)
        return f"| {self.name} | {self.ours.told(self.unit)} | {plain} | {ratio} | {target} |"

    def as_dict(self) -> dict[str, object]:
        """The figure for JSON."""
        return asdict(self)


def compare(name: str, ours: Way, plain: Way, runs: int, target: float | None = None) -> Figure:
    """Run each way once to warm up, then `runs` times in turns."""
    ours(), plain()
    pairs = [(seconds(ours), seconds(plain)) for _ in range(runs)]
    return Figure.of(name, [p[0] for p in pairs], [p[1] for p in pairs], target)


def seconds(way: Way) -> float:
    """How long one run takes on the wall clock; a way that measures itself returns its own seconds."""
    started = time.perf_counter()
    measured = way()
    return measured if isinstance(measured, float) else time.perf_counter() - started


def _ratio(ratio: Spread) -> str:
    low, middle, high = (f"{value:.2f}" for value in (ratio.min, ratio.median, ratio.max))
    return f"**{middle}** ({low} to {high})"
