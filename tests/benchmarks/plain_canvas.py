"""The plain way: a QGraphicsView with a pixmap, a rectangle item and a text item for each box."""

from __future__ import annotations

import time
from pathlib import Path

from PyQt5.QtCore import QSize
from PyQt5.QtGui import QColor, QPainter, QPen, QPixmap
from PyQt5.QtWidgets import QApplication, QGraphicsScene, QGraphicsView

from engine.render.palette import label_colour
from tests.benchmarks.canvas import IMAGE, WINDOW, crowd, frame_times, pan, striped


def plain_boxes_panned(count: int = 1000, window: QSize = WINDOW) -> list[float]:
    """Seconds of each frame at 100 %."""
    scene = QGraphicsScene()
    scene.addPixmap(QPixmap.fromImage(striped(IMAGE)))
    for found in crowd(count, IMAGE):
        xmin, ymin, xmax, ymax = found.box
        colour = QColor(*label_colour(found.label))
        scene.addRect(xmin, ymin, xmax - xmin, ymax - ymin, QPen(colour, 2))
        text = scene.addText(f"{found.label} {found.score:.2f}")
        text.setDefaultTextColor(colour)
        text.setPos(xmin, ymin)
    view = _view(scene, window)
    frames = frame_times(view, pan)
    view.close()
    return frames


def plain_file_panned(path: Path, window: QSize = WINDOW) -> tuple[float, list[float]]:
    """Seconds until the image of a file is there to see as a whole, then of each frame at 100 %."""
    started = time.perf_counter()
    scene = QGraphicsScene()
    item = scene.addPixmap(QPixmap(str(path)))
    view = _view(scene, window)
    view.fitInView(item)
    view.viewport().repaint()
    opened = time.perf_counter() - started
    view.resetTransform()
    frames = frame_times(view, pan)
    view.close()
    return opened, frames


def _view(scene: QGraphicsScene, window: QSize) -> QGraphicsView:
    view = QGraphicsView(scene)
    view.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    view.resize(window)
    view.show()
    QApplication.processEvents()
    return view
