"""Launch to window beside labelme: `python -m tests.benchmarks.beside_labelme PYTHON` prints one line of the table.

PYTHON belongs to an environment with labelme: `python -m venv FOLDER && FOLDER/bin/pip install labelme`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from engine.bench.machine import this_machine
from engine.bench.paired import HEAD, Figure, in_turns, ratio_at_most
from tests.benchmarks.fresh import Home, fresh_home

PLAIN = Path(__file__).with_name("plain_labelme.py")
RUNS = 10


def figure(python: str) -> Figure:
    """Seconds from the start of each process to its window's first paint; labelme keeps its settings, ours has none."""
    with fresh_home() as labelme_home:
        ways = {
            "ours": _ours,
            "labelme": lambda: _until_painted(labelme_home, [python, str(PLAIN)]),
        }
        times = in_turns(ways, RUNS)
    return Figure.of("launch to window; beside it labelme", times["ours"], times["labelme"], ratio_at_most(1.0))


def _ours() -> float:
    with fresh_home() as home:
        return _until_painted(home, [sys.executable, "-m", "tests.benchmarks.launched", "window"])


def _until_painted(home: Home, command: Sequence[str]) -> float:
    started = time.time()
    return float(json.loads(home.run(command).output)["at"]) - started


if __name__ == "__main__":
    print(f"{this_machine()}\n\n{HEAD}\n{figure(sys.argv[1]).row()}")
