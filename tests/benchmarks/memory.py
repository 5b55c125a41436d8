"""Memory: one image in a process of its own, and the window with a model open."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from engine.bench.paired import Figure, at_most, ratio_at_most
from tests.benchmarks.fresh import run_fresh
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.reviewing import measure
from tests.benchmarks.workspace import STARTER, Workspace

RUNS = 3


def figures(workspace: Workspace) -> Iterator[Figure]:
    """Peak for one image with the large model and with the starter; the window with the starter open."""
    for name, checkpoint, photo, target in (
        (
            "memory peak, one image, DETR-R50 shape, converted before",
            workspace.detr_r50,
            workspace.photo,
            ratio_at_most(0.7),
        ),
        ("memory peak, one image, starter, converted before", STARTER, SAMPLE, None),
    ):
        turns = [(_ours(workspace, checkpoint, photo), _plain(checkpoint, photo)) for _ in range(RUNS)]
        ours, plain = zip(*turns, strict=True)
        yield Figure.of(name, ours, plain, target, "MB")
    held = []
    for _ in range(RUNS):
        with workspace.converted_home() as home:
            held += measure("open_and_rest", SAMPLE, home=home)["held"]
    yield Figure.of("memory, the window with the starter open, converted before", held, target=at_most(500), unit="MB")


def _ours(workspace: Workspace, checkpoint: Path, photo: Path) -> float:
    with workspace.converted_home(checkpoint) as home:
        command = [sys.executable, "-m", "tests.benchmarks.one_process", str(checkpoint), str(photo)]
        return float(home.run(command).output)


def _plain(checkpoint: Path, photo: Path) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.plain_process", str(checkpoint), str(photo)]
    return float(run_fresh(command).output)
