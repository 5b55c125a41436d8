"""Seconds per frame of the canvas: many boxes that are panned, and an image of 100 megapixels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PyQt5.QtCore import QPointF, QSize
from PyQt5.QtGui import QColor, QImage, QPainter
from PyQt5.QtWidgets import QApplication, QGraphicsView

from desktop.canvas.display import DisplaySettings
from desktop.canvas.scene import ImageScene
from desktop.canvas.view import ImageView
from desktop.style.theme import apply_theme
from engine.detect.detection import Detections

WINDOW = QSize(1600, 1000)
IMAGE = QSize(4000, 3000)
LARGE_IMAGE = QSize(12_500, 8_000)
CLASSES = 20
STEPS = 60
STEP = 6


@dataclass(frozen=True, slots=True)
class Panning:
    """Frame times while the image is panned.

    Attributes:
        frames: Each frame, from the move of the scroll bar to the last pixel, seconds.
        late: The longest that the window's events had to wait while smaller copies were made, seconds.
    """

    frames: list[float]
    late: float = 0.0


def boxes_panned(count: int = 1000, zoom: float | None = 1.0, window: QSize = WINDOW) -> Panning:
    """Pan `count` boxes of 20 classes with labels, fitted to the view where `zoom` is `None`, else at that zoom."""
    view = _shown_view(window)
    view.show_image(striped(IMAGE))
    view.show_detections(crowd(count, IMAGE))
    if zoom is not None:
        view.set_zoom(zoom)
    _settle(view)
    frames = frame_times(view, _redraw if zoom is None else pan)
    view.close()
    return Panning(frames)


def large_image_panned(size: QSize = LARGE_IMAGE, window: QSize = WINDOW, brightness: int = 0) -> Panning:
    """Pan an image of 100 megapixels at 100 % after its smaller copies are made.

    Args:
        size: Size of the image, pixels.
        window: Size of the canvas.
        brightness: For the eye, -100..100; anything but 0 adjusts each part when it is first seen.
    """
    view = _shown_view(window)
    view.set_display(DisplaySettings(brightness=brightness))
    view.show_image(striped(size))
    view.viewport().repaint()
    late = _settle(view)
    view.set_zoom(1.0)
    frames = frame_times(view, pan)
    view.close()
    return Panning(frames, late)


def crowd(count: int, size: QSize) -> Detections:
    """Return random boxes, 1/20 to 1/10 of the image wide, with classes of every line style."""
    random = np.random.default_rng(7)
    whole = np.array([size.width(), size.height()])
    middle, half = random.random((count, 2)) * whole, (random.random((count, 2)) + 1) * whole / 40
    boxes = np.concatenate([middle - half, middle + half], 1).astype(np.float32)
    names = {label_id: f"class {label_id}" for label_id in range(CLASSES)}
    scores, ids = random.random(count).astype(np.float32), random.integers(0, CLASSES, count)
    return Detections.from_arrays(scores, ids, boxes, names, size.width(), size.height())


def _shown_view(window: QSize) -> ImageView:
    app = QApplication.instance()
    assert isinstance(app, QApplication), "the caller makes the application"
    apply_theme(app, "light")
    view = ImageView()
    view.resize(window)
    view.show()
    app.processEvents()
    return view


def striped(size: QSize) -> QImage:
    """Return an image with a pattern."""
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor(50, 100, 150))
    painter = QPainter(image)
    for left in range(0, size.width(), 64):
        painter.fillRect(left, 0, 32, size.height(), QColor(150, 170, 100))
    painter.end()
    return image


def _settle(view: ImageView) -> float:
    """Wait until copies are made and labels placed; return the longest wait between two events, seconds."""
    scene = view.scene()
    assert isinstance(scene, ImageScene)
    pyramid = scene.image.pyramid
    assert pyramid is not None
    until, late, last = time.perf_counter() + 0.2, 0.0, time.perf_counter()
    while time.perf_counter() < until or not pyramid.complete:
        QApplication.processEvents()
        now = time.perf_counter()
        late, last = max(late, now - last), now
    return late


def frame_times(view: QGraphicsView, move: Callable[[QGraphicsView, int], None]) -> list[float]:
    """Return the seconds from each of STEPS moves until it is painted."""
    times = []
    for step in range(STEPS):
        started = time.perf_counter()
        move(view, step)
        view.viewport().repaint()
        times.append(time.perf_counter() - started)
        QApplication.processEvents()
    return times


def pan(view: QGraphicsView, step: int) -> None:
    """Scroll one step: to the right in the first half of the steps, then to the left."""
    forth = 1 if step < STEPS // 2 else -1
    bar = view.horizontalScrollBar()
    bar.setValue(bar.value() + forth * STEP)


def _redraw(view: QGraphicsView, step: int) -> None:
    view.centerOn(QPointF(view.sceneRect().center()))
