"""A launch of the window: `python -m tests.benchmarks.launched window|detection IMAGE...` prints JSON.

It holds the time of the first paint or of the first detections, and the heavy libraries imported at the first paint.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time

gc.disable()  # as desktop.__main__

from PyQt5.QtCore import QEvent, QObject, QTimer  # noqa: E402
from PyQt5.QtWidgets import QApplication  # noqa: E402

from desktop.app import build, freeze_start_up  # noqa: E402

HEAVY = ("torch", "transformers", "openvino")


class FirstPaint(QObject):
    """Event filter that notes the first paint.

    Attributes:
        at: When it was done, seconds since the epoch; `None` before.
        imported: The libraries of HEAVY that were imported when it began.
    """

    def __init__(self) -> None:
        super().__init__()
        self.at: float | None = None
        self.imported: list[str] = []
        self._has_begun = False

    def eventFilter(self, target: QObject, event: QEvent) -> bool:
        # the event comes before the painting; the next turn of the event loop comes after it
        if event.type() == QEvent.Type.Paint and not self._has_begun:
            self._has_begun = True
            self.imported = [name for name in HEAVY if name in sys.modules]
            QTimer.singleShot(0, self._on_painted)
        return False

    def _on_painted(self) -> None:
        self.at = time.time()


def launch(until: str, images: list[str]) -> None:
    """Open the window, print when the first paint (`window`) or the first detections were there, and exit."""
    paint = FirstPaint()
    window = build(images)
    window.view.viewport().installEventFilter(paint)
    window.panels.welcome.installEventFilter(paint)
    window.show()
    freeze_start_up()

    def look() -> None:
        if paint.at is None or (until == "detection" and window.viewer.state.detections is None):
            return
        at = paint.at if until == "window" else time.time()
        import psutil

        memory = psutil.Process().memory_info().rss / 1e6
        print(json.dumps({"at": at, "imported": paint.imported, "MB": memory}), flush=True)
        window.close()
        os._exit(0)  # as the program does where a thread is held back: importing PyTorch cannot be stopped

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(5)
    QApplication.exec()


if __name__ == "__main__":
    launch(sys.argv[1], sys.argv[2:])
