"""`python -m tools.starter_model`: renders, trains, exports, evaluates and paints the samples, or one of these."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import cv2

from .calibrate import calibrate
from .dataset import SHARD_SCENES, TRAIN_SEED, render_shard
from .evaluate import Finder, describe, evaluate, write_card
from .export import export
from .lettering import Typesetter
from .samples import render_samples
from .train import Plan, train

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
CLUTTER_EVERY = 8
STAGES = ("all", "render", "train", "export", "evaluate", "samples")


def render(scenes: Path, shards: int, workers: int, part: int | None) -> None:
    """Renders the shards that are missing, in `workers` processes; `part` says which of them this process is.

    Every CLUTTER_EVERY-th shard holds no code at all.
    """
    if part is None and workers > 1:
        command = [sys.executable, "-m", __package__, "render", "--scenes", scenes, "--shards", str(shards)]
        own = [subprocess.Popen([*command, "--workers", str(workers), "--part", str(n)]) for n in range(workers)]
        codes = [process.wait() for process in own]
        if any(codes):
            raise SystemExit("rendering failed")
        return
    cv2.setNumThreads(1)
    type_ = Typesetter()
    for number in range(part or 0, shards, workers):
        empty = True if number % CLUTTER_EVERY == CLUTTER_EVERY - 1 else None
        print(render_shard(scenes, TRAIN_SEED, number, type_, empty), flush=True)


def main() -> None:
    """Reads the command line and runs one stage, or all of them in order."""
    parser = argparse.ArgumentParser(prog="python -m tools.starter_model", description=__doc__)
    parser.add_argument("stage", nargs="?", choices=STAGES, default="all")
    parser.add_argument("--scratch", type=Path, default=Path("train-scratch"), help="for scenes and checkpoints")
    parser.add_argument("--scenes", type=Path, help="the rendered shards (default: SCRATCH/scenes)")
    parser.add_argument("--checkpoint", type=Path, help="what training resumes from (default: SCRATCH/last.pt)")
    parser.add_argument("--model", type=Path, default=RESOURCES / "starter", help="the folder that ships")
    parser.add_argument("--shards", type=int, default=60, help=f"training shards of {SHARD_SCENES} scenes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="rendering and training processes")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=Plan.steps, help="train up to this step")
    parser.add_argument("--cooldown", type=int, default=Plan.cooldown, help="steps at the end in which the rate falls")
    options = parser.parse_args()
    scenes = options.scenes or options.scratch / "scenes"
    checkpoint = options.checkpoint or options.scratch / "last.pt"
    stages = STAGES[1:] if options.stage == "all" else (options.stage,)
    if "render" in stages:
        render(scenes, options.shards, options.workers, options.part)
    if "train" in stages:
        train(scenes, checkpoint, Plan(steps=options.steps, cooldown=options.cooldown, workers=options.workers))
    if "export" in stages:
        print(export(checkpoint, options.model))
        print("temperature {}, lift {}".format(*calibrate(options.model)))
    if "evaluate" in stages:
        figures = evaluate(Finder(options.model))
        write_card(options.model, figures)
        print(describe(figures))
    if "samples" in stages:
        print(*render_samples(RESOURCES / "samples"), sep="\n")


if __name__ == "__main__":
    main()
