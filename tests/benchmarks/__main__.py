"""`make bench`: one table, and the same as JSON in `build/bench.json`."""

from __future__ import annotations

import itertools
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import figures, reviewing

PACKAGES = ("torch", "transformers", "pillow", "numpy", "PyQt5")
RUNS, FEW_RUNS = 5, 3


def main() -> int:
    """Measure everything, print as it comes, write the JSON."""
    print(f"{_machine()}\n\n| figure | detrdesk | plain way | ratio | target |", flush=True)
    print("| --- | --- | --- | --- | --- |", flush=True)
    measured = []
    for figure in itertools.chain(figures.figures(RUNS), reviewing.figures(FEW_RUNS)):
        print(figure.row(), flush=True)
        measured.append(figure.as_dict())
    out = Path("build", "bench.json")
    out.parent.mkdir(exist_ok=True)
    versions = {name: version(name) for name in PACKAGES}
    out.write_text(json.dumps({"machine": _machine(), "versions": versions, "figures": measured}, indent=2), "utf-8")
    print(f"\nwritten: {out}")
    return 0


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}"


if __name__ == "__main__":
    sys.exit(main())
