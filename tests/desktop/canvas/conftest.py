"""A view of 800 x 600 pixels, an image of 400 x 300, and boxes on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PyQt5.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop.canvas.view import ImageView
from engine.detect.detection import Box, Detections

NAMES = {0: "qr_code", 1: "二维码", 2: "parcel"}

MakeDetections = Callable[..., Detections]


@pytest.fixture
def image() -> QImage:
    drawn = QImage(400, 300, QImage.Format.Format_RGB888)
    drawn.fill(QColor("#336699"))
    return drawn


@pytest.fixture
def view(qtbot: QtBot, image: QImage) -> ImageView:
    shown = ImageView()
    qtbot.addWidget(shown)
    shown.resize(800, 600)
    shown.show()
    qtbot.waitExposed(shown)
    shown.show_image(image)
    return shown


@pytest.fixture
def make_detections() -> MakeDetections:
    """From boxes, best score first; or so many at random."""

    def make(*boxes: Box, size: tuple[int, int] = (400, 300)) -> Detections:
        scores = np.linspace(0.99, 0.5, len(boxes), dtype=np.float32)
        ids = np.arange(len(boxes), dtype=np.int64) % len(NAMES)
        return Detections.from_arrays(scores, ids, np.array(boxes, np.float32), NAMES, *size)

    return make


@pytest.fixture
def crowd() -> Callable[[int], Detections]:
    """So many detections at random places."""

    def make(count: int) -> Detections:
        random = np.random.default_rng(7)
        middle, half = random.random((count, 2)) * (400, 300), random.random((count, 2)) * (40, 30) + 2
        boxes = np.concatenate([middle - half, middle + half], 1).astype(np.float32)
        scores, ids = random.random(count).astype(np.float32), random.integers(0, len(NAMES), count)
        return Detections.from_arrays(scores, ids, boxes, NAMES, 400, 300)

    return make
