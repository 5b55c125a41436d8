"""From the start of a process to the window, the first detections or the end of a command, beside the plain script."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.bench.paired import Figure, at_most, in_turns, ratio_at_most
from tests.benchmarks.fresh import Home, fresh_home, run_fresh
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.workspace import STARTER, Workspace

PLAIN_SCRIPT = Path(__file__).with_name("plain_script.py")
DETRDESK = [sys.executable, "-m", "desktop"]
LONGEST_CONVERSION = 600.0
"""Seconds."""


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Window, first detections and command with the model converted before, or the detections cached."""
    imported: list[float] = []
    with fresh_home() as used_home:
        ways = {
            "plain": lambda: plain_seconds(STARTER, SAMPLE),
            "window": lambda: _window(imported),
            "converted": lambda: _converted(workspace),
            "cached": lambda: _cached(used_home),
            "command": lambda: _command(workspace),
        }
        times = in_turns(ways, workspace.runs)
    plain = times["plain"]
    yield Figure.of("launch to window, fresh HOME", times["window"], plain)
    yield Figure.of("imported by then of torch, transformers, openvino", imported, target=at_most(0), unit="libraries")
    name = "launch to first detection, starter, converted before"
    yield Figure.of(name, times["converted"], plain, ratio_at_most(0.25))
    yield Figure.of(f"{name}, in seconds", times["converted"], target=at_most(2.0))
    yield Figure.of("launch to detections cached by an earlier launch", times["cached"], plain)
    yield Figure.of("`detrdesk detect`, whole command, starter, converted before", times["command"], plain)


def launched(home: Home, until: str, *images: Path) -> dict[str, Any]:
    """Launch the window in a home; return the output of `launched.py` with `seconds`, measured from the start.

    Args:
        home: The home.
        until: `window` (its first paint) or `detection`.
        images: The images to open.
    """
    command = [sys.executable, "-m", "tests.benchmarks.launched", until, *map(str, images)]
    started = time.time()
    output: dict[str, Any] = json.loads(home.run(command).output)
    return {**output, "seconds": output["at"] - started}


def plain_seconds(checkpoint: Path, image: Path) -> float:
    """Return the seconds of the plain script, from the start of its process to its end, in an empty home."""
    return run_fresh([sys.executable, str(PLAIN_SCRIPT), str(checkpoint), str(image)]).seconds


def _window(imported: list[float]) -> float:
    with fresh_home() as home:
        seen = launched(home, "window")
    imported.append(len(seen["imported"]))
    seconds: float = seen["seconds"]
    return seconds


def _converted(workspace: Workspace) -> float:
    with workspace.converted_home() as home:
        seconds: float = launched(home, "detection", SAMPLE)["seconds"]
        return seconds


def _cached(home: Home) -> float:
    seconds: float = launched(home, "detection", SAMPLE)["seconds"]
    home.wait_for_conversions(LONGEST_CONVERSION)
    return seconds


def _command(workspace: Workspace) -> float:
    with workspace.converted_home() as home:
        return home.run([*DETRDESK, "detect", str(SAMPLE), "--quiet", "--fresh"]).seconds
