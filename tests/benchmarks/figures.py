"""What is measured: each figure beside the plain way."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

from engine.detect.runtimes.plain import PlainDetector
from engine.engine import Engine
from engine.paths import resource
from tests.benchmarks.fresh import run_fresh, run_in
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.load import CLIENTS, api_figure
from tests.benchmarks.paired import Figure, Spread, Way, compare

STARTER = resource("starter")
PLAIN_SCRIPT = Path(__file__).with_name("plain_script.py")

WINDOW = """
import os, sys, time
from PyQt5.QtCore import QEvent, QObject, QTimer
from PyQt5.QtWidgets import QApplication
from desktop.app import build

class FirstPaint(QObject):
    def eventFilter(self, target, event):
        if event.type() == QEvent.Paint and not painted:
            QTimer.singleShot(0, lambda: painted or painted.append(time.time()))
        return False

def look():
    state = window._viewer.state
    done = state.detections is not None if sys.argv[1] == "detection" else bool(painted)
    if done:
        print(painted[0] if sys.argv[1] == "window" else time.time(), flush=True)
        window.close()
        os._exit(0)  # as the program does where a thread is held back: importing PyTorch cannot be stopped

painted = []
window = build(sys.argv[2:])
watch = FirstPaint()
window.view.viewport().installEventFilter(watch)
window.welcome.installEventFilter(watch)
window.show()
timer = QTimer(); timer.timeout.connect(look); timer.start(5)
QApplication.exec()
"""


def figures(runs: int) -> Iterator[Figure]:
    """Every figure of the table, one after the other."""
    yield compare("launch to window", _window("window"), _plain_script, runs)
    yield compare("launch to first detection in the window", _window("detection", SAMPLE), _plain_script, runs)
    with tempfile.TemporaryDirectory() as home:
        known = _window("detection", SAMPLE, home=Path(home))
        yield compare("launch to detections known from last time", known, _plain_script, runs)
    yield compare("`detrdesk detect`, whole command", _command, _plain_script, runs)
    yield _detection("one image, starter", STARTER, SAMPLE, runs * 4)
    with tempfile.TemporaryDirectory() as folder:
        large, photo = _random_detr_r50(Path(folder)), Path(folder, "photo.jpg")
        with Image.open(SAMPLE) as opened:
            opened.resize((1066, 800)).save(photo, quality=92)
        yield _detection("one image, DETR-R50 shape, 800 x 1066", large, photo, runs)
        yield from _api(large, photo)


def _detection(name: str, checkpoint: Path, path: Path, runs: int) -> Figure:
    """One image, file to detections, model in memory."""
    engine, plain = Engine(), PlainDetector(checkpoint)
    try:
        return compare(name, _ours(engine, path, checkpoint), _plain(plain, path), runs)
    finally:
        engine.close()


def _api(checkpoint: Path, photo: Path) -> Iterator[Figure]:
    """Eight clients, and how long `/health` takes meanwhile."""
    images, runs = 2 * CLIENTS, 2
    figure, ours, plain = api_figure(
        f"API, 8 clients, {images} images, DETR-R50 shape", checkpoint, photo, images, runs
    )
    yield figure
    waits = [Spread(min(w.times) / 1e3, w.p99 / 1e3, max(w.times) / 1e3) for w in (ours, plain)]
    ratios = Spread.of([ours.p99 / plain.p99])
    yield Figure("`/health` meanwhile: 99th percentile (fastest to slowest)", *waits, ratios)


def _ours(engine: Engine, path: Path, checkpoint: Path) -> Way:
    return lambda: engine.detect(path, str(checkpoint))


def _plain(detector: PlainDetector, path: Path) -> Way:
    def detect() -> None:
        with Image.open(path) as opened:
            detector.detect(ImageOps.exif_transpose(opened).convert("RGB"), 0.5)

    return detect


def _window(until: str, *given: Path, home: Path | None = None) -> Way:
    """The window, launched; in a new home each time, unless it is to find what it left in `home`."""
    command = [sys.executable, "-c", WINDOW, until, *map(str, given)]

    def launch() -> float:
        started = time.time()
        return float(run_fresh(command) if home is None else run_in(home, command)) - started

    return launch


def _plain_script() -> None:
    run_fresh([sys.executable, str(PLAIN_SCRIPT), str(STARTER), str(SAMPLE)])


def _command() -> None:
    run_fresh([sys.executable, "-m", "desktop", "detect", str(SAMPLE), "--quiet", "--fresh"])


def _random_detr_r50(folder: Path) -> Path:
    """A checkpoint of DETR-R50's shape with random weights."""
    import torch
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

    torch.manual_seed(0)
    backbone = ResNetConfig(out_features=["stage4"])
    config = DetrConfig(use_timm_backbone=False, backbone_config=backbone, num_labels=91)
    DetrForObjectDetection(config).save_pretrained(folder / "detr-r50")
    (folder / "detr-r50" / "preprocessor_config.json").write_text('{"image_processor_type": "DetrImageProcessor"}')
    return folder / "detr-r50"
