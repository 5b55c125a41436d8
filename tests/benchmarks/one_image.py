"""One image from its file to its detections, the model converted before and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from engine.bench.paired import Figure, Way, at_most, in_turns, ratio_at_most
from engine.detect.detection import Timing
from engine.runtimes.plain import PlainDetector
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.workspace import R50_FLOP, STARTER, Workspace

SQUARE = 4096
STARTER_RUNS = 4
"""Runs of the starter per run of the large model."""


def figures(workspace: Workspace) -> Iterator[Figure]:
    """The large model and the starter; time outside the model as a share of the model's time."""
    name = "one image, DETR-R50 shape, 800 x 1066, converted before"
    ours, plain, bound, around, runtime = _measured(workspace, workspace.detr_r50, workspace.photo, workspace.runs)
    yield Figure.of(f"{name} ({runtime})", ours, plain, ratio_at_most(0.50))
    yield Figure.of(f"{name}; beside it 157 GFLOP of bare matrix multiply", ours, bound, ratio_at_most(1.25))
    yield Figure.of(f"{name}: all but the model, of the model's time", around, target=at_most(10), unit="%")
    runs = STARTER_RUNS * workspace.runs
    ours, plain, _, around, runtime = _measured(workspace, STARTER, SAMPLE, runs)
    yield Figure.of(f"one image, starter, converted before ({runtime})", ours, plain)
    yield Figure.of("one image, starter, converted before: all but the model, of the model's time", around, unit="%")


def matrix_multiply() -> Way:
    """Return a way that times the R50's arithmetic as matrix products of the faster of torch and numpy, seconds."""
    one, other = (torch.rand(SQUARE, SQUARE) for _ in range(2))
    square, out = (np.empty((SQUARE, SQUARE), np.float32) for _ in range(2))
    square[:] = other.numpy()
    ways = {"torch": lambda: torch.mm(one, other), "numpy": lambda: np.matmul(square, square, out=out)}
    times = in_turns(ways, 2)
    quicker = min(ways, key=lambda name: min(times[name]))

    def measured() -> float:
        return in_turns({"": ways[quicker]}, 1)[""][0] * R50_FLOP / (2 * SQUARE**3)

    return measured


def _measured(
    workspace: Workspace, checkpoint: Path, path: Path, runs: int
) -> tuple[list[float], list[float], list[float], list[float], str]:
    """Return seconds of ours, of the plain way and of the bare arithmetic; percent outside the model; the runtime."""
    plain, timings = PlainDetector(checkpoint), list[Timing]()
    with workspace.engine(checkpoint) as (engine, model):

        def detect() -> None:
            timings.append(engine.detect(path, model).timing)

        detect()
        runtime = engine.load(model).runtime.name
        ways = {"ours": detect, "plain": lambda: _plain(plain, path)}
        if checkpoint != STARTER:
            ways["bound"] = matrix_multiply()
        timings.clear()
        times = in_turns(ways, runs)
    model_seconds = [timing.model / 1e3 for timing in timings[-runs:]]
    around = [(whole / model - 1) * 100 for whole, model in zip(times["ours"], model_seconds, strict=True)]
    return times["ours"], times["plain"], times.get("bound", []), around, runtime


def _plain(detector: PlainDetector, path: Path) -> None:
    with Image.open(path) as opened:
        detector.detect(ImageOps.exif_transpose(opened).convert("RGB"), 0.5)
