"""ImageItem: images of every size at every zoom."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop.canvas.pyramid import Pyramid
from desktop.canvas.scene import ImageScene
from desktop.canvas.view import ImageView


def halves(width: int, height: int, image_format: QImage.Format = QImage.Format.Format_RGB32) -> QImage:
    """Red on the left, blue on the right."""
    image = QImage(width, height, image_format)
    image.fill(QColor("red"))
    painter = QPainter(image)
    painter.fillRect(QRectF(width / 2, 0, width / 2, height), QColor("blue"))
    painter.end()
    return image


def complete(qtbot: QtBot, view: ImageView) -> Pyramid:
    scene = view.scene()
    assert isinstance(scene, ImageScene)
    pyramid = scene.image.pyramid
    assert pyramid is not None
    qtbot.waitUntil(lambda: pyramid.complete, timeout=60_000)
    return pyramid


def colour_at(view: ImageView, x: float, y: float) -> QColor:
    at = view.mapFromScene(x, y)
    return view.viewport().grab().toImage().pixelColor(at)


@pytest.mark.parametrize("image_format", [QImage.Format.Format_RGB32, QImage.Format.Format_RGB888])
@pytest.mark.parametrize("size", [(2, 1), (3, 5), (641, 479), (5001, 3003)])
def test_shows_the_image_before_and_after_its_copies_are_made(
    view: ImageView, qtbot: QtBot, size: tuple[int, int], image_format: QImage.Format
) -> None:
    width, height = size
    view.show_image(halves(width, height, image_format))
    for _ in range(2):
        assert colour_at(view, width * 0.8, height / 2) == QColor("blue")
        assert colour_at(view, width * 0.2, height / 2) == QColor("red")
        complete(qtbot, view)


def test_two_hundred_megapixels(view: ImageView, qtbot: QtBot) -> None:
    image = QImage(20_000, 10_000, QImage.Format.Format_Grayscale8)
    image.fill(90)
    view.show_image(image)
    assert colour_at(view, 10_000, 5_000) == QColor(90, 90, 90)
    pyramid = complete(qtbot, view)
    assert pyramid.at_scale(0.05).width() == 1250
    for zoom in (0.06, 0.5, 1.0, 10.0):
        view.set_zoom(zoom)
        view.centerOn(19_980, 9_980)
        assert colour_at(view, 19_990, 9_990) == QColor(90, 90, 90)


def test_wider_than_qt_can_paint(view: ImageView, qtbot: QtBot) -> None:
    row = b"\x00" * 40_000 + b"\xff" * 40_000
    image = QImage(row * 400, 80_000, 400, 80_000, QImage.Format.Format_Grayscale8)
    view.show_image(image.convertToFormat(QImage.Format.Format_RGB32))
    for _ in range(2):
        assert colour_at(view, 20_000, 200) == QColor("black")
        assert colour_at(view, 70_000, 200) == QColor("white")
        complete(qtbot, view)
    for zoom in (0.7, 1.0, 1.3, 5.0):
        view.set_zoom(zoom)
        for x, colour in ((79_900, "white"), (40_010, "white"), (39_990, "black"), (33_000, "black")):
            view.centerOn(x, 200)
            assert colour_at(view, x, 200) == QColor(colour)


def test_copies_have_no_seams(qtbot: QtBot) -> None:
    image = QImage(3001, 4001, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    pyramid = Pyramid(image)
    qtbot.waitUntil(lambda: pyramid.complete, timeout=20_000)
    level = pyramid.at_scale(0.1)
    colours = {level.pixel(level.width() // 2, row) for row in range(level.height())}
    assert colours == {QColor(10, 200, 30).rgb()}


@pytest.mark.parametrize(("scale", "width"), [(2.0, 4096), (1.0, 4096), (0.51, 4096), (0.5, 2048), (0.2, 1024)])
def test_no_more_pixels_than_the_screen_shows(qtbot: QtBot, scale: float, width: int) -> None:
    pyramid = Pyramid(QImage(4096, 1024, QImage.Format.Format_RGB32))
    qtbot.waitUntil(lambda: pyramid.complete, timeout=20_000)
    assert pyramid.at_scale(scale).width() == width


@pytest.mark.parametrize(("zoom", "crisp"), [(2.0, False), (3.0, True), (10.0, True)])
def test_single_pixels_are_crisp_from_three_times_on(view: ImageView, zoom: float, crisp: bool) -> None:
    image = QImage(100, 100, QImage.Format.Format_RGB32)
    for x in range(100):
        for y in range(100):
            image.setPixelColor(x, y, QColor("white" if (x + y) % 2 else "black"))
    view.show_image(image)
    view.set_zoom(zoom)
    shot = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    middle = view.viewport().rect().center()
    seen = {shot.pixel(middle.x() + x, middle.y()) for x in range(-40, 40)}
    assert (seen <= {QColor("white").rgb(), QColor("black").rgb()}) is crisp


def test_transparent_parts_show_the_canvas(view: ImageView) -> None:
    image = QImage(100, 100, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    view.show_image(image)
    assert colour_at(view, 50, 50) == view.viewport().grab().toImage().pixelColor(2, 2)
