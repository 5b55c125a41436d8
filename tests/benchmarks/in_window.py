"""Measurements in the real window: `python -m tests.benchmarks.in_window NAME ARGUMENT...` prints JSON.

Each runs in a process and a home of its own, so that none finds data of another in memory or cache.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from PyQt5.QtCore import QSize, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from engine.detect.detection import Detections
from tests.benchmarks.canvas import boxes_panned, crowd, large_image_panned
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.plain_canvas import plain_boxes_panned, plain_file_panned
from tests.benchmarks.watched import WatchedWindow

Measured = dict[str, list[float]]

SLIDER_STEPS = 40
DECISIONS = 30
BOXES = 300
SCORES_AN_IMAGE = 20
MEGABYTE = 1e6
REST_SECONDS = 5.0


def launch(folder: str, count: str, started: str) -> Measured:
    """A folder on the command line: seconds from the start of the process at `started`, seconds since the epoch."""
    watched = WatchedWindow([folder])
    before = time.time() - float(started)
    times = _listing(watched, int(count), lambda: None)
    watched.close()
    return {name: [before + seconds] for name, seconds in times.items()}


def open_folder(folder: str, count: str) -> Measured:
    """A folder opened in a window whose model is in memory: seconds."""
    watched = WatchedWindow()
    watched.until(lambda state: state.stage is None and watched.viewer.engine.loaded(state.model) is not None)
    watched.rest(0.5)
    watched.restart()
    times = _listing(watched, int(count), lambda: watched.viewer.browsing.open([folder]))
    busy = watched.longest_wait
    watched.close()
    return {name: [seconds] for name, seconds in times.items()} | {"busy": [busy]}


def next_image(folder: str, turns: str, jump: str) -> Measured:
    """The next image, prefetched, and one `jump` places further, in turns: seconds until its boxes are painted."""
    watched = WatchedWindow([folder])
    times = Measured(prefetched=[], jumped=[])
    for _ in range(int(turns)):
        watched.prefetch()
        times["prefetched"].append(watched.shown_at(_at(watched) + 1, lambda: _press(watched, Qt.Key.Key_D)))
        watched.prefetch()
        times["jumped"].append(
            watched.shown_at(
                _at(watched) + int(jump), lambda: watched.viewer.browsing.show_row(_at(watched) + int(jump))
            )
        )
    watched.close()
    return times


def choose_alone() -> Measured:
    """300 boxes in a single image: see `_choose`."""
    watched = WatchedWindow([SAMPLE])
    watched.until(lambda state: state.detections is not None)
    return _choose(watched)


def choose_in_session(folder: str, count: str) -> Measured:
    """300 boxes, with SCORES_AN_IMAGE cached scores of each of `count` images: see `_choose`."""
    watched = WatchedWindow([folder])
    watched.until(lambda state: len(state.sources) == int(count) and state.detections is not None)
    watched.rest(2.0)
    _fill_tally(watched, int(count))
    return _choose(watched)


def canvas(image: str, runs: str) -> Measured:
    """Frames while boxes and a large image are panned, ours and the plain way in turns."""
    app = QApplication([])
    names = ("boxes", "plain boxes", "large", "plain large", "late")
    times: Measured = {name: [] for name in names}
    for _ in range(int(runs)):
        times["boxes"] += boxes_panned().frames
        times["plain boxes"] += plain_boxes_panned()
        panning = large_image_panned()
        times["large"] += panning.frames
        times["late"].append(panning.late)
        times["plain large"] += plain_file_panned(Path(image))[1]
    app.quit()
    return times


def open_image(path: str) -> Measured:
    """A file opened in a window whose model is in memory: seconds until it is painted."""
    watched = WatchedWindow()
    watched.until(lambda state: state.stage is None and watched.viewer.engine.loaded(state.model) is not None)
    watched.rest(0.5)
    opened = watched.seen(lambda: watched.viewer.browsing.open([path]), lambda state: state.image is not None)
    watched.close()
    return {"opened": [opened]}


def open_image_plainly(path: str) -> Measured:
    """A file opened by the plain way: seconds until it is painted."""
    app = QApplication([])
    opened, _ = plain_file_panned(Path(path))
    app.quit()
    return {"opened": [opened]}


def open_and_rest(image: str) -> Measured:
    """Memory of the process with an image and its detections in the window, MB."""
    watched = WatchedWindow([image])
    watched.until(lambda state: state.detections is not None and state.stage is None)
    watched.rest(REST_SECONDS)
    held = psutil.Process().memory_info().rss / MEGABYTE
    watched.close()
    return {"held": [held]}


def memory(folder: str, first: str, last: str) -> Measured:
    """Memory of the process after `first` and after `last` images shown one after the other, MB."""
    watched = WatchedWindow([folder])
    watched.until(lambda state: len(state.sources) == int(last) and state.detections is not None)
    process, held = psutil.Process(), []
    started = time.perf_counter()
    for at in range(int(last)):
        watched.viewer.browsing.show_row(at)
        watched.until(lambda state, at=at: state.stage is None and state.image.source is state.sources[at])
        if at + 1 in (int(first), int(last)):
            held.append(process.memory_info().rss / MEGABYTE)
    seconds = time.perf_counter() - started
    watched.close()
    return {"held": held, "per image": [seconds / int(last)]}


def _listing(watched: WatchedWindow, count: int, act: Callable[[], object]) -> dict[str, float]:
    """Return seconds until the first image is painted, and until the list is complete."""
    started = time.perf_counter()
    first = watched.seen(act, lambda state: state.image is not None)
    watched.until(lambda state: len(state.sources) == count)
    QApplication.processEvents()
    return {"first": first, "whole": time.perf_counter() - started}


def _choose(watched: WatchedWindow) -> Measured:
    """Move the threshold and accept boxes by key: seconds of each step until it is painted."""
    viewer = watched.viewer
    found = crowd(BOXES, QSize(*watched.state.image.pixels.size))
    viewer.runner.happened.emit(replace(found, model=watched.state.model))
    viewer.choosing.set_threshold(0.0)
    watched.rest(1.0)
    steps = [float(0.5 + 0.45 * np.sin(step / 4)) for step in range(SLIDER_STEPS)]
    slid = [_until_painted(watched, lambda step=step: viewer.choosing.set_threshold(step)) for step in steps]
    viewer.choosing.set_threshold(0.5)
    decided = []
    for _ in range(DECISIONS):
        _press(watched, Qt.Key.Key_J)
        watched.rest(0.1)
        decided.append(_until_painted(watched, lambda: _press(watched, Qt.Key.Key_Return)))
    watched.close()
    return {"slid": slid, "decided": decided}


def _until_painted(watched: WatchedWindow, act: Callable[[], object]) -> float:
    before = watched.state
    return watched.seen(act, lambda state: state is not before)


def _press(watched: WatchedWindow, key: Qt.Key) -> None:
    QTest.keyClick(watched.view, key)


def _at(watched: WatchedWindow) -> int:
    assert watched.state.at is not None
    return watched.state.at


def _fill_tally(watched: WatchedWindow, count: int) -> None:
    """Add scores for every image of the list, as if the model had run on each."""
    known, random = watched.viewer.session.known, np.random.default_rng(3)
    images = known.images
    names = watched.state.detections.names
    ids, boxes = np.array(sorted(names)), np.array([[1, 1, 9, 9]], np.float32).repeat(SCORES_AN_IMAGE, 0)
    for place in range(count):
        if place != watched.state.at:
            scores = (random.random(SCORES_AN_IMAGE) * 0.94 + 0.06).astype(np.float32)
            labels = random.choice(ids, SCORES_AN_IMAGE)
            number, content_hash = images.number(place), f"{place:032x}"
            images.set_read(number, content_hash, is_reviewed=False)
            known.put(content_hash, Detections.from_arrays(scores, labels, boxes, names, 48, 48), ())
    watched.viewer.holder.refresh()
    watched.rest(1.0)


MEASUREMENTS = {
    each.__name__: each
    for each in (
        launch,
        open_folder,
        next_image,
        choose_alone,
        choose_in_session,
        canvas,
        open_image,
        open_image_plainly,
        open_and_rest,
        memory,
    )
}

if __name__ == "__main__":
    print(json.dumps(MEASUREMENTS[sys.argv[1]](*sys.argv[2:])), flush=True)
    os._exit(0)  # as the program does where a thread is held back: importing PyTorch cannot be stopped
