"""Make the README's pictures: the program, on its samples, in both themes and languages."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_SCALE_FACTOR"] = "1.5"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from desktop.app import build
from desktop.window.main_window import MainWindow
from engine.paths import resource

OUT = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE = (1360, 820)
PATIENCE_MS = 60_000
Step = Callable[[MainWindow], object]


def picture(name: str, shown: str, *steps: Step, **preferences: object) -> None:
    """Open the samples, go to one, do each step once the window is at rest, and save the window as a PNG."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["DETRDESK_HOME"] = home
        folder = shutil.copytree(resource("samples"), Path(home) / "samples")
        window = build([str(folder)])
        window._store.change(hints_seen=frozenset({"accept", "threshold", "keys"}), **preferences)
        window.resize(*SIZE)
        window.show()
        for step in (go_to(shown), *steps):
            rest(window)
            step(window)
        rest(window)
        OUT.mkdir(parents=True, exist_ok=True)
        window.grab().save(str(OUT / f"{name}.png"))
        window.close()


def rest(window: MainWindow) -> None:
    """Wait until nothing is being waited for, and a moment longer for thumbnails and labels."""
    waited = 0
    while waited < PATIENCE_MS:
        wait(100)
        waited += 100
        state = window.viewer.state
        if state.stage is None and state.detections is not None:
            break
    wait(700)


def wait(milliseconds: int) -> None:
    """Let the window live."""
    app = QApplication.instance()
    QTimer.singleShot(milliseconds, app.quit)
    app.exec()


def go_to(name: str) -> Step:
    """Show an image of the list."""

    def step(window: MainWindow) -> None:
        viewer = window.viewer
        viewer.browsing.show(next(source for source in viewer.state.sources if source.name == name))

    return step


def decide(window: MainWindow) -> None:
    """Accept all boxes but the last, and select that."""
    viewer = window.viewer
    *accepted, last = viewer.state.shown.indices.tolist()
    viewer.choosing.select(frozenset(accepted))
    viewer.reviewing.accept()
    viewer.choosing.select(frozenset({last}))


def lower_threshold(window: MainWindow) -> None:
    """The starter's scores run low."""
    window.viewer.choosing.set_threshold(0.4)


def all_detected(window: MainWindow) -> None:
    """Detect in all images, so that the list and the histogram tell of them."""
    window.viewer.detect_all()
    wait(4000)
    window.panels.batch.show_batch(None)


def mark_reviewed(window: MainWindow) -> None:
    """The image before was reviewed."""
    window.viewer.reviewing.toggle_reviewed()


if __name__ == "__main__":
    reviewed = (all_detected, lower_threshold, mark_reviewed, go_to("parcels.jpg"), decide)
    picture("window-light", "empty.jpg", *reviewed, language="en", scheme="light")
    picture("window-dark", "poster.jpg", all_detected, lower_threshold, language="zh_CN", scheme="dark")
