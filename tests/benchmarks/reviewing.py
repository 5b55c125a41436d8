"""Reviewing: a folder of 50,000 images, the next image, the threshold, panning, decisions, memory."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from engine.bench.paired import Figure, at_most
from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview
from engine.review.session import Session, Step
from tests.benchmarks.canvas import STEPS
from tests.benchmarks.fresh import Home, run_fresh
from tests.benchmarks.images import MANY, fill_folder, write_large
from tests.benchmarks.workspace import Workspace

TWELVE_MEGAPIXELS, HUNDRED_MEGAPIXELS = (4_000, 3_000), (12_500, 8_000)
NEXT_IMAGES, JUMP = 8, 3
MEMORY_AFTER = 200, 1_000
DECISIONS = 200
SECOND, NEXT, TICK, FRAME = at_most(1.0), at_most(0.1), at_most(0.016), at_most(0.033)
"""Targets in seconds: first image of a folder, next image, threshold moved, frame."""

PLAIN_FOLDER = Path(__file__).with_name("plain_folder.py")

Measured = dict[str, list[float]]


def opening(workspace: Workspace) -> Iterator[Figure]:
    """A folder of 50,000 opened, beside a list widget filled with its names."""
    many = workspace.many
    first, whole, busy, launched, plain, plain_launched = ([] for _ in range(6))
    for _ in range(1 + _few(workspace)):
        opened = measure("open_folder", many, MANY)
        first += opened["first"]
        whole += opened["whole"]
        busy += opened["busy"]
        started = time.time()
        launched += measure("launch", many, MANY, started)["first"]
        started = time.time()
        began, ended = map(float, run_fresh([sys.executable, str(PLAIN_FOLDER), str(many)]).output.split())
        plain.append(ended - began)
        plain_launched.append(ended - started)
    for each in (first, whole, busy, launched, plain, plain_launched):
        del each[0]
    yield Figure.of("folder of 50,000: first image is shown", first, plain, SECOND)
    yield Figure.of("folder of 50,000: list is whole", whole, plain)
    yield Figure.of("folder of 50,000: longest the window was busy meanwhile", busy)
    yield Figure.of("`detrdesk FOLDER`, 50,000: launch to first image", launched, plain_launched)


def next_image(workspace: Workspace) -> Iterator[Figure]:
    """The next image, prefetched, beside one that is not."""
    folder = workspace.folder / "photos"
    folder.mkdir()
    for number in range((1 + JUMP) * NEXT_IMAGES + JUMP):
        write_large(folder / f"image {number}.jpg", TWELVE_MEGAPIXELS, number)
    times = measure("next_image", folder, NEXT_IMAGES, JUMP)
    yield Figure.of(
        "next image and its boxes, 12 megapixels, by `D`; plain: not prefetched",
        times["prefetched"],
        times["jumped"],
        NEXT,
    )


def choosing(workspace: Workspace) -> Iterator[Figure]:
    """The threshold moved and boxes accepted, in a single image and in a large session."""
    alone, session = measure("choose_alone"), measure("choose_in_session", workspace.many, MANY)
    yield Figure.of("threshold moved, 300 boxes", alone["slid"], target=TICK)
    scores = "in a session of 50,000 images and 1,000,000 scores"
    yield Figure.of(f"threshold moved, 300 boxes, {scores}", session["slid"], target=TICK)
    yield Figure.of("box accepted by key, until it is kept and seen", alone["decided"])
    yield Figure.of(f"box accepted by key, {scores}", session["decided"])


def deciding(workspace: Workspace) -> Iterator[Figure]:
    """A decision saved in a session of many images, beside a small file that is written and synced."""
    folder = workspace.folder
    box, plain = (1.0, 2.0, 30.0, 40.0), []
    session = Session.open(folder / "many.detrdesk")
    original = Original("parcel", 0.9, box, "starter")
    hashes = [f"{number:032x}" for number in range(MANY)]
    for number, content_hash in enumerate(hashes):
        session.note_image(f"/images/{number}.jpg", content_hash, f"{number}.jpg", 48, 48)
    ours = []
    for number, content_hash in enumerate(hashes[:: MANY // DECISIONS]):
        after = ImageReview((Decision(number + 1, Status.ACCEPTED, "parcel", box, original),))
        started = time.perf_counter()
        session.do(Step(content_hash, "accept", ImageReview(), after))
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        with (folder / "decision.json").open("w", encoding="utf-8") as file:
            json.dump({"label": "parcel", "box": box, "status": "accepted"}, file)
            file.flush()
            os.fsync(file.fileno())
        plain.append(time.perf_counter() - started)
    session.close()
    yield Figure.of(
        "decision on the disk, 50,000 images; plain: a small file, synced", ours, plain, each=DECISIONS // 4
    )


def canvas(workspace: Workspace) -> Iterator[Figure]:
    """Frames while panning, and an image of 100 megapixels, beside graphics items and a pixmap."""
    large, runs = write_large(workspace.folder / "large.jpg", HUNDRED_MEGAPIXELS), _few(workspace)
    frames = measure("canvas", large, runs)
    turns = [[measure(way, large)["opened"][0] for way in ("open_image", "open_image_plainly")] for _ in range(runs)]
    opened, plainly = zip(*turns, strict=True)
    boxes = "frame, 1,000 boxes panned at 1600 x 1000"
    yield Figure.of(boxes, frames["boxes"], frames["plain boxes"], FRAME, each=STEPS)
    yield Figure.of("100 megapixels: opened and shown whole", opened, plainly)
    panned = "100 megapixels: frame while panned"
    yield Figure.of(panned, frames["large"], frames["plain large"], FRAME, each=STEPS)
    yield Figure.of("100 megapixels: longest the window was busy meanwhile", frames["late"])


def walking(workspace: Workspace) -> Iterator[Figure]:
    """Memory of the process after many images."""
    early, late = MEMORY_AFTER
    held = measure("memory", fill_folder(workspace.folder / "walk", late), early, late)["held"]
    yield Figure.of(f"memory after {late:,} images; plain: after {early}", held[1:], held[:1], unit="MB")


def _few(workspace: Workspace) -> int:
    return (workspace.runs + 1) // 2


def measure(name: str, *arguments: object, home: Home | None = None) -> Measured:
    """Run a measurement of `in_window.py` in a process of its own, in an empty home unless one is given."""
    command = [sys.executable, "-m", "tests.benchmarks.in_window", name, *map(str, arguments)]
    measured: Measured = json.loads((run_fresh(command) if home is None else home.run(command)).output)
    return measured
