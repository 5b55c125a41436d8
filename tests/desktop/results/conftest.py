"""States to show in a panel, without an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.state.viewer import ViewerState
from desktop.style.theme import apply_theme
from engine.detect.detection import Detections, Filter
from engine.image.opened import OpenedImage
from engine.image.source import Source
from engine.review.tally import Tally

WidgetT = TypeVar("WidgetT", bound=QWidget)
NAMES = {0: "cat", 1: "狗", 2: "qr_code", 3: "zebra"}
SHOWN = ((0.9, 0), (0.8, 1), (0.7, 0), (0.6, 2), (0.3, 0), (0.2, 1))


def detections(*found: tuple[float, int]) -> Detections:
    """One box a detection, side by side."""
    boxes = [[10.0 * at, 0, 10.0 * at + 8, 20] for at in range(len(found))]
    return Detections.from_arrays(
        np.array([score for score, _ in found], np.float32),
        np.array([label_id for _, label_id in found], np.int64),
        np.array(boxes, np.float32).reshape(-1, 4),
        NAMES,
        400,
        300,
    )


@pytest.fixture
def state() -> ViewerState:
    """Six detections in an image, four above the threshold; the session has a second image like it."""
    found, tally = detections(*SHOWN), Tally()
    tally.put(0, found)
    tally.put(1, detections((0.95, 0), (0.55, 2), (0.1, 2)))
    source = Source("path", "图.jpg", "/图.jpg")
    image = OpenedImage(source, Image.new("RGB", (400, 300)), 0.0)
    return replace(ViewerState(chosen=Filter(threshold=0.5)), image=image, detections=found, scores=tally.scores())


@pytest.fixture
def show(qtbot: QtBot, qapp: QApplication) -> Callable[[WidgetT], WidgetT]:
    """Show a panel in the size that the window gives it."""
    apply_theme(qapp, "light")

    def shown(panel: WidgetT) -> WidgetT:
        qtbot.addWidget(panel)
        panel.resize(400, 600)
        with qtbot.waitExposed(panel):
            panel.show()
        return panel

    return shown


def find(panel: QWidget, name: str, kind: type[WidgetT]) -> WidgetT:
    """The part of a panel that has this name."""
    found = panel.findChild(kind, name)
    assert found is not None, name
    return found
