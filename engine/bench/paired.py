"""Times ways in turns, so that a machine that changes its speed changes them all; and what comes of it as a table."""

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
        low, middle, high = map(_number, (self.min, self.median, self.max))
        return f"{middle} {unit}" if self.min == self.max else f"{middle} {unit} ({low} to {high})"

    def as_ratio(self) -> str:
        """In words, as one of two ways."""
        return f"{self.median:.2f} ({self.min:.2f} to {self.max:.2f})"


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised of the middle of a figure.

    Attributes:
        limit: The bound, in the figure's unit where `of` is the value.
        of: What is bound.
        at_least: Whether more is better.
    """

    limit: float
    of: Literal["ratio", "value"] = "ratio"
    at_least: bool = False

    def is_met_by(self, reached: float) -> bool:
        """Whether that is within the bound."""
        return reached >= self.limit if self.at_least else reached <= self.limit

    def told(self, unit: str) -> str:
        """In words."""
        bound = f"{self.limit:.2f}" if self.of == "ratio" else Spread.of([self.limit]).told(unit)
        return f"{'≥' if self.at_least else '≤'} {bound}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What is measured.
        ours: Of each run, in `unit`.
        plain: The same by the plain way, or what else ours is compared with, if there is anything.
        ratio: Ours over plain, run by run.
        target: What was promised, if anything was.
        unit: Seconds, unless something else is measured.
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
        """The figure of some runs; those of the plain way were made in turns with ours, or there are none.

        `each` run gave so many values; its ratio is that of the medians.
        """
        if not plain:
            return cls(name, Spread.of(ours), None, None, target, unit)
        middles = [[statistics.median(way[at : at + each]) for at in range(0, len(way), each)] for way in (ours, plain)]
        ratios = [one / other for one, other in zip(*middles, strict=True)]
        return cls(name, Spread.of(ours), Spread.of(plain), Spread.of(ratios), target, unit)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; `None` where nothing was promised."""
        if self.target is None:
            return None
        reached = self.ours if self.target.of == "value" else self.ratio
        return reached is not None and self.target.is_met_by(reached.median)

    def row(self) -> str:
        """The figure as a line of a Markdown table; see HEAD."""
        plain = "" if self.plain is None else self.plain.told(self.unit)
        ratio = "" if self.ratio is None else self.ratio.as_ratio()
        target = ""
        if self.target is not None:
            target = f"{self.target.told(self.unit)}, {'met' if self.is_met else '**missed**'}"
        return f"| {self.name} | {self.ours.told(self.unit)} | {plain} | {ratio} | {target} |"

    def as_dict(self) -> dict[str, object]:
        """The figure for JSON."""
        return {**asdict(self), "met": self.is_met}


def ratio_at_most(limit: float) -> Target:
    """A target for ours over plain."""
    return Target(limit)


def ratio_at_least(limit: float) -> Target:
    """A target for ours over plain, where more is better."""
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    """A target for the figure itself, in its unit."""
    return Target(limit, of="value")


def in_turns(ways: Mapping[str, Way], runs: int) -> dict[str, list[float]]:
    """Seconds of each way: once each to warm up, then `runs` times in turns."""
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            times[name].append(seconds(way))
    return times


def compare(name: str, ours: Way, plain: Way, runs: int, target: Target | None = None) -> Figure:
    """Seconds of two ways that were run in turns."""
    times = in_turns({"ours": ours, "plain": plain}, runs)
    return Figure.of(name, times["ours"], times["plain"], target)


def compare_rates(name: str, count: int, ours: Way, plain: Way, runs: int, target: Target | None = None) -> Figure:
    """Images a second of two ways that were run in turns, each through `count` images."""
    times = in_turns({"ours": ours, "plain": plain}, runs)
    ours_rates, plain_rates = ([count / each for each in times[way]] for way in ("ours", "plain"))
    return Figure.of(name, ours_rates, plain_rates, target, "images/s")


def seconds(way: Way) -> float:
    """How long one run takes on the wall clock; a way that measures itself returns its own seconds."""
    started = time.perf_counter()
    measured = way()
    return measured if isinstance(measured, float) else time.perf_counter() - started


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
