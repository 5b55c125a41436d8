"""Paired measurements: ways that are timed in turns, and the table of their figures.

A change of the machine's speed then affects all ways alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Way = Callable[[], object]

HEAD = "| figure | detrdesk | plain way | ratio | target |\n| --- | --- | --- | --- | --- |"


@dataclass(frozen=True, slots=True)
class Spread:
    """Minimum, median and maximum of some runs."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))

    def text(self, unit: str) -> str:
        """Format with a unit; seconds below 1 in milliseconds."""
        if unit == "s" and self.median < 1:
            return Spread(self.min * 1e3, self.median * 1e3, self.max * 1e3).text("ms")
        low, middle, high = map(_number, (self.min, self.median, self.max))
        return f"{middle} {unit}" if self.min == self.max else f"{middle} {unit} ({low} to {high})"

    def as_ratio(self) -> str:
        """Format as a ratio of two ways."""
        return f"{self.median:.2f} ({self.min:.2f} to {self.max:.2f})"


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a figure's median.

    Attributes:
        limit: The bound; in the figure's unit where `of` is `value`.
        of: Whether the ratio to the plain way or the value itself is compared.
        at_least: Whether the limit is a minimum.
    """

    limit: float
    of: Literal["ratio", "value"] = "ratio"
    at_least: bool = False

    def is_met_by(self, reached: float) -> bool:
        """Return whether a median is within the limit."""
        return reached >= self.limit if self.at_least else reached <= self.limit

    def text(self, unit: str) -> str:
        """Format with a unit."""
        bound = f"{self.limit:.2f}" if self.of == "ratio" else Spread.of([self.limit]).text(unit)
        return f"{'≥' if self.at_least else '≤'} {bound}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What is measured.
        ours: Our values, in `unit`.
        plain: Values of the plain way, or of what ours is compared with; `None` where there is nothing.
        ratio: Ours over plain, run by run.
        target: The target, if there is one.
        unit: Unit of the values.
    """

    name: str
    ours: Spread
    plain: Spread | None = None
    ratio: Spread | None = None
    target: Target | None = None
    unit: str = "s"

    @classmethod
    def of(
        cls,
        name: str,
        ours: Sequence[float],
        plain: Sequence[float] = (),
        target: Target | None = None,
        unit: str = "s",
        each: int = 1,
    ) -> Figure:
        """Return the figure of some runs.

        Args:
            name: What is measured.
            ours: Our values.
            plain: Values of the plain way, measured in turns with ours; empty where there are none.
            target: The target, if there is one.
            unit: Unit of the values.
            each: Values per run; the ratio of a run is that of its medians.
        """
        if not plain:
            return cls(name, Spread.of(ours), None, None, target, unit)
        middles = [[statistics.median(way[at : at + each]) for at in range(0, len(way), each)] for way in (ours, plain)]
        ratios = [one / other for one, other in zip(*middles, strict=True)]
        return cls(name, Spread.of(ours), Spread.of(plain), Spread.of(ratios), target, unit)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; `None` without a target."""
        if self.target is None:
            return None
        reached = self.ours if self.target.of == "value" else self.ratio
        return reached is not None and self.target.is_met_by(reached.median)

    def row(self) -> str:
        """Return the line of the Markdown table; see HEAD."""
        plain = "" if self.plain is None else self.plain.text(self.unit)
        ratio = "" if self.ratio is None else self.ratio.as_ratio()
        target = ""
        if self.target is not None:
            target = f"{self.target.text(self.unit)}, {'met' if self.is_met else '**missed**'}"
        return f"| {self.name} | {self.ours.text(self.unit)} | {plain} | {ratio} | {target} |"

    def as_dict(self) -> dict[str, object]:
        """Return the values for JSON."""
        return {**asdict(self), "met": self.is_met}


def ratio_at_most(limit: float) -> Target:
    """Return a target for the ratio of ours to plain."""
    return Target(limit)


def ratio_at_least(limit: float) -> Target:
    """Return a target for the ratio of ours to plain where more is better."""
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    """Return a target for the value itself, in the figure's unit."""
    return Target(limit, of="value")


def in_turns(ways: Mapping[str, Way], runs: int) -> dict[str, list[float]]:
    """Run each way once to warm up, then `runs` times in turns; return the seconds of each run."""
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            times[name].append(seconds(way))
    return times


def compare(name: str, ours: Way, plain: Way, runs: int, target: Target | None = None) -> Figure:
    """Compare the seconds of two ways that are run in turns."""
    times = in_turns({"ours": ours, "plain": plain}, runs)
    return Figure.of(name, times["ours"], times["plain"], target)


def compare_rates(name: str, count: int, ours: Way, plain: Way, runs: int, target: Target | None = None) -> Figure:
    """Compare the images per second of two ways that are run in turns, `count` images a run."""
    times = in_turns({"ours": ours, "plain": plain}, runs)
    ours_rates, plain_rates = ([count / each for each in times[way]] for way in ("ours", "plain"))
    return Figure.of(name, ours_rates, plain_rates, target, "images/s")


def seconds(way: Way) -> float:
    """Return the wall-clock seconds of one run, or the float that a way returns which measures itself."""
    started = time.perf_counter()
    measured = way()
    return measured if isinstance(measured, float) else time.perf_counter() - started


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
