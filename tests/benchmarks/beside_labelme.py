"""Launch to window beside labelme's: `python -m tests.benchmarks.beside_labelme PYTHON`, one line of the table.

PYTHON is that of an environment of its own: `python -m venv FOLDER && FOLDER/bin/pip install labelme`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engine.bench.machine import this_machine
from engine.bench.paired import HEAD, Figure, in_turns, ratio_at_most
from tests.benchmarks.fresh import run_fresh, run_in

PLAIN = Path(__file__).with_name("plain_labelme.py")
RUNS = 10


def figure(python: str) -> Figure:
    """Seconds from the start of each process to its window's first paint; labelme keeps its settings, ours has none."""
    with tempfile.TemporaryDirectory() as home:
        ways = {
            "ours": lambda: _until_painted([sys.executable, "-m", "tests.benchmarks.launched", "window"]),
            "labelme": lambda: _until_painted([python, str(PLAIN)], Path(home)),
        }
        times = in_turns(ways, RUNS)
    return Figure.of("launch to window; beside it labelme", times["ours"], times["labelme"], ratio_at_most(1.0))


def _until_painted(command: Sequence[str], home: Path | None = None) -> float:
    started = time.time()
    told = json.loads(run_fresh(command) if home is None else run_in(home, command))
    return float(told["at"]) - started


if __name__ == "__main__":
    print(f"{this_machine()}\n\n{HEAD}\n{figure(sys.argv[1]).row()}")
