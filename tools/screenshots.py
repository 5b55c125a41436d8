"""Make the README's pictures: the program, on its samples, in both themes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_SCALE_FACTOR"] = "1.5"
os.environ["LANGUAGE"] = "en"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication, QTabWidget

from desktop.app import build
from desktop.theme import Scheme, apply_theme
from engine.paths import resource

OUT = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE = (1280, 760)


def picture(name: str, sample: str, scheme: Scheme, tab: int) -> None:
    """Open a sample, wait for its detections, and save the window as a PNG."""
    window = build([str(resource("samples", sample))])
    apply_theme(QApplication.instance(), scheme)
    window.resize(*SIZE)
    window.findChild(QTabWidget).setCurrentIndex(tab)
    window.show()

    def look() -> None:
        state = window._viewer.state
        if state.detections is None or state.stage is not None:
            QTimer.singleShot(50, look)
            return
        QTimer.singleShot(500, save)

    def save() -> None:
        OUT.mkdir(parents=True, exist_ok=True)
        window.grab().save(str(OUT / f"{name}.png"))
        window.close()
        QApplication.quit()

    QTimer.singleShot(50, look)
    QApplication.exec()


if __name__ == "__main__":
    picture("window-light", "parcels.jpg", "light", 0)
    picture("window-dark", "poster.jpg", "dark", 1)
