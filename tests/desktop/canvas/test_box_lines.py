"""Lines of boxes: whole pixels at any zoom and pixel ratio."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QImage, QPainter

from desktop.canvas.view import ImageView
from engine.detect.detection import Detections
from engine.render.palette import LINE_STYLES, label_colour, line_style

SIDE = 100


def label_with_style(style: int) -> str:
    return next(name for name in (f"class {number}" for number in range(500)) if line_style(name) == style)


def one_box(label: str) -> Detections:
    box = np.array([[100, 80, 300, 220]], np.float32)
    return Detections.from_arrays(np.array([0.9], np.float32), np.zeros(1, np.int64), box, {0: label}, 400, 300)


def painted(view: ImageView, ratio: int) -> QImage:
    """The view as a screen with so many pixels for each logical one shows it."""
    shot = QImage(view.viewport().size() * ratio, QImage.Format.Format_RGB32)
    shot.setDevicePixelRatio(ratio)
    painter = QPainter(shot)
    view.render(painter, QRectF(view.viewport().rect()), view.viewport().rect())
    painter.end()
    return shot


def run_lengths(shot: QImage, row: int, colour: QColor) -> list[int]:
    """How many pixels of `colour` follow each other in a row, run by run."""
    runs = [0]
    for column in range(shot.width()):
        if shot.pixelColor(column, row) == colour:
            runs[-1] += 1
        elif runs[-1]:
            runs.append(0)
    return [run for run in runs if run]


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("zoom", [0.7, 1.0, 1.37, 2.0])
def test_lines_are_two_logical_pixels_wide(view: ImageView, zoom: float, ratio: int) -> None:
    label = label_with_style(0)
    view.show_detections(one_box(label))
    view.set_zoom(zoom)
    shot = painted(view, ratio)
    middle = view.mapFromScene(200, 150).y() * ratio
    assert run_lengths(shot, middle, QColor(*label_colour(label))) == [2 * ratio, 2 * ratio]


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("style", [1, 2, 3])
def test_broken_lines_have_their_pattern(view: ImageView, style: int, ratio: int) -> None:
    label = label_with_style(style)
    view.show_detections(one_box(label))
    view.set_zoom(2.0)
    shot = painted(view, ratio)
    bottom = view.mapFromScene(200, 220).y() * ratio
    runs = run_lengths(shot, bottom, QColor(*label_colour(label)))
    strokes = {round(length * 2 * ratio) for length in LINE_STYLES[style][::2]}
    assert set(runs[2:-2]) == strokes


def test_lines_move_with_the_image_by_whole_pixels(view: ImageView) -> None:
    view.show_detections(one_box("parcel"))
    view.set_zoom(3.3)
    before = painted(view, 1)
    bar = view.horizontalScrollBar()
    bar.setValue(bar.value() + 7)
    after = painted(view, 1)
    middle = view.mapFromScene(200, 150).y()
    colour = QColor(*label_colour("parcel"))
    left = [next(x for x in range(800) if shot.pixelColor(x, middle) == colour) for shot in (before, after)]
    assert left[0] - left[1] == 7


def test_boxes_far_outside_the_view_are_no_trouble(view: ImageView) -> None:
    image = QImage(40_000, 60, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    view.show_image(image)
    boxes = np.array([[0, 0, 40_000, 60], [39_990, 10, 39_999, 50]], np.float32)
    names = {0: "parcel", 1: label_with_style(1)}
    view.show_detections(
        Detections.from_arrays(np.array([0.9, 0.8], np.float32), np.arange(2), boxes, names, 40_000, 60)
    )
    view.select(frozenset({0, 1}))
    view.set_zoom(40.0)
    view.centerOn(39_994, 30)
    shot = view.viewport().grab().toImage()
    seen = {shot.pixelColor(x, view.mapFromScene(0, 30).y()).name() for x in range(shot.width())}
    assert QColor(*label_colour(names[1])).name() in seen
