"""`make bench`: all figures as a table and as JSON; `python -m tests.benchmarks GROUP...` measures some groups."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.bench.machine import this_machine
from engine.bench.paired import HEAD, Figure
from tests.benchmarks import cold, folder, gpu, launch, load, memory, one_image, reviewing
from tests.benchmarks.workspace import Workspace, opened_workspace

GROUPS: dict[str, Callable[[Workspace], Iterator[Figure]]] = {
    "cold": cold.figures,
    "one-image": one_image.figures,
    "api": load.figures,
    "folder": folder.figures,
    "launch": launch.figures,
    "memory": memory.figures,
    "gpu": gpu.figures,
    "opening": reviewing.opening,
    "next-image": reviewing.next_image,
    "choosing": reviewing.choosing,
    "deciding": reviewing.deciding,
    "canvas": reviewing.canvas,
    "walking": reviewing.walking,
}


def main() -> int:
    """Measure the groups, print each figure, write the JSON; return 0 also where targets are missed."""
    arguments = _parser().parse_args()
    machine, measured, skipped = this_machine(), [], {}
    print(f"{machine}\n\n{HEAD}", flush=True)
    with opened_workspace(arguments.runs) as workspace:
        for name in arguments.groups or GROUPS:
            reason = gpu.reason_to_skip() if name == "gpu" else ""
            if reason:
                skipped[name] = reason
                continue
            started = time.perf_counter()
            for figure in GROUPS[name](workspace):
                print(figure.row(), flush=True)
                measured.append({"group": name, **figure.as_dict()})
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    for name, reason in skipped.items():
        print(f"\n{name} is not measured: {reason}.")
    results = {"machine": machine.as_dict(), "figures": measured, "skipped": skipped}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    print(f"\nwritten: {arguments.json}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"what to measure (default: all): {', '.join(GROUPS)}"
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="how often each way is measured (default: 5)")
    parser.add_argument("--json", type=Path, default=Path("build", "bench.json"), metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
