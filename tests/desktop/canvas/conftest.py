"""A view of 800 x 600 pixels, an image of 400 x 300, and boxes on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QColor, QImage, QMouseEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.canvas.view import ImageView
from engine.detect.detection import Box, Detections

NAMES = {0: "qr_code", 1: "二维码", 2: "parcel"}

MakeDetections = Callable[..., Detections]

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


class Hand:
    """A mouse over a view; places are pixels of the image, as real events at the nearest pixel of the screen."""

    def __init__(self, view: ImageView) -> None:
        self._view = view
        self._down = Qt.MouseButtons(Qt.MouseButton.NoButton)
        self.keys = Qt.KeyboardModifiers(Qt.KeyboardModifier.NoModifier)

    def at(self, x: float, y: float) -> QPoint:
        return self._view.mapFromScene(QPointF(x, y))

    def press(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        self._down |= button
        self._send(QEvent.Type.MouseButtonPress, self.at(x, y), button)

    def move(self, x: float, y: float) -> None:
        self._send(QEvent.Type.MouseMove, self.at(x, y), Qt.MouseButton.NoButton)

    def release(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        self._down &= ~button
        self._send(QEvent.Type.MouseButtonRelease, self.at(x, y), button)

    def click(self, x: float, y: float) -> None:
        self.press(x, y)
        self.release(x, y)

    def drag(self, start: tuple[float, float], end: tuple[float, float], button: Qt.MouseButton = LEFT) -> None:
        """By way of the middle, as a hand does."""
        self.press(*start, button)
        self.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self.move(*end)
        self.release(*end, button)

    def pan(self, start: tuple[float, float], by: QPoint, button: Qt.MouseButton = LEFT) -> None:
        """So many pixels of the screen; the image comes along, so its places are no use."""
        at = self.at(*start)
        self.press(*start, button)
        for part in (at + by / 2, at + by):
            self._send(QEvent.Type.MouseMove, part, Qt.MouseButton.NoButton)
        self._down &= ~button
        self._send(QEvent.Type.MouseButtonRelease, at + by, button)

    def forget_buttons(self) -> None:
        """Another window got the releases."""
        self._down = Qt.MouseButtons(Qt.MouseButton.NoButton)

    def shape(self) -> Qt.CursorShape:
        """Of the pointer."""
        return self._view.viewport().cursor().shape()

    def _send(self, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton) -> None:
        event = QMouseEvent(kind, QPointF(at), button, self._down, self.keys)
        QApplication.sendEvent(self._view.viewport(), event)


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
def hand(view: ImageView) -> Hand:
    return Hand(view)


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
