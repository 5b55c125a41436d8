"""From the start of a process to the window and to the first answer, beside the plain script."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.bench.paired import Figure, at_most, in_turns, ratio_at_most
from tests.benchmarks.fresh import run_fresh, run_in
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.workspace import STARTER, Workspace

PLAIN_SCRIPT = Path(__file__).with_name("plain_script.py")


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Window, first detection, command: nothing known, the model converted, the detections known from last time."""
    imported: list[float] = []
    with tempfile.TemporaryDirectory() as lived_in:
        ways = {
            "plain": _plain_script,
            "window": lambda: _window(imported),
            "first": lambda: _converted(workspace),
            "never used": lambda: _launched("detection", SAMPLE)["seconds"],
            "known": lambda: _launched("detection", SAMPLE, home=Path(lived_in))["seconds"],
            "command": lambda: _command(workspace),
        }
        times = in_turns(ways, workspace.runs)
    plain = times["plain"]
    yield Figure.of("launch to window", times["window"], plain)
    yield Figure.of("imported by then of torch, transformers, openvino", imported, target=at_most(0), unit="libraries")
    yield Figure.of("launch to first detection, starter", times["first"], plain, ratio_at_most(0.25))
    yield Figure.of("launch to first detection, starter, in seconds", times["first"], target=at_most(2.0))
    yield Figure.of("launch to first detection, model never used before", times["never used"], plain)
    yield Figure.of("launch to detections known from last time", times["known"], plain)
    yield Figure.of("`detrdesk detect`, whole command", times["command"], plain)


def _window(imported: list[float]) -> float:
    seen = _launched("window")
    imported.append(len(seen["imported"]))
    seconds: float = seen["seconds"]
    return seconds


def _converted(workspace: Workspace) -> float:
    with workspace.converted_home() as home:
        seconds: float = _launched("detection", SAMPLE, home=home)["seconds"]
        return seconds


def _launched(until: str, *images: Path, home: Path | None = None) -> dict[str, Any]:
    """What `launched` tells, and the seconds it took; in a new home, unless it is to find what is in `home`."""
    command = [sys.executable, "-m", "tests.benchmarks.launched", until, *map(str, images)]
    started = time.time()
    told: dict[str, Any] = json.loads(run_fresh(command) if home is None else run_in(home, command))
    return {**told, "seconds": told["at"] - started}


def _plain_script() -> None:
    run_fresh([sys.executable, str(PLAIN_SCRIPT), str(STARTER), str(SAMPLE)])


def _command(workspace: Workspace) -> float:
    with workspace.converted_home() as home:
        started = time.perf_counter()
        run_in(home, [sys.executable, "-m", "desktop", "detect", str(SAMPLE), "--quiet", "--fresh"])
        return time.perf_counter() - started
