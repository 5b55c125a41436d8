"""Brightness, contrast and opacity: on what is displayed only, and fast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import QRect, Qt
from PyQt5.QtGui import QColor, QImage

from desktop.canvas.display import AdjustedTiles, DisplaySettings, adjusted, lookup_table
from desktop.canvas.view import ImageView
from tests.desktop.canvas.conftest import MakeDetections

percent = st.integers(-100, 100)


def colour_at(view: ImageView, x: float, y: float) -> QColor:
    return view.viewport().grab().toImage().pixelColor(view.mapFromScene(x, y))


@given(percent, percent)
def test_no_level_overtakes_another(brightness: int, contrast: int) -> None:
    levels = np.frombuffer(lookup_table(brightness, contrast), np.uint8).astype(int)
    assert len(levels) == 256
    assert (np.diff(levels) >= 0).all()


def test_nothing_set_changes_nothing() -> None:
    assert lookup_table(0, 0) == bytes(range(256))


@pytest.mark.parametrize(
    ("brightness", "contrast", "dark", "light"),
    [(100, 0, 255, 255), (-100, 0, 0, 0), (0, -100, 128, 128), (0, 100, 0, 255), (20, 0, 115, 242)],
)
def test_ends_of_the_sliders(brightness: int, contrast: int, dark: int, light: int) -> None:
    table = lookup_table(brightness, contrast)
    assert (table[64], table[191]) == (dark, light)


@pytest.mark.parametrize(
    "image_format",
    [QImage.Format.Format_RGB32, QImage.Format.Format_RGB888, QImage.Format.Format_Grayscale8],
)
def test_levels_are_replaced_in_any_format(image_format: QImage.Format) -> None:
    image = QImage(7, 5, image_format)
    image.fill(QColor(64, 64, 64))
    shown = adjusted(image, lookup_table(20, 0))
    assert shown.size() == image.size()
    assert shown.pixelColor(6, 4) == QColor(115, 115, 115)


def test_transparency_stays() -> None:
    image = QImage(4, 4, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor(200, 100, 40, 0))
    image.setPixelColor(1, 1, QColor(64, 64, 64, 255))
    shown = adjusted(image, lookup_table(100, 0))
    assert shown.pixelColor(0, 0).alpha() == 0
    assert shown.pixelColor(1, 1) == QColor(255, 255, 255, 255)


@pytest.mark.parametrize("zoom", [0.3, 1.0, 5.0])
def test_the_image_is_adjusted_and_the_given_one_is_not(view: ImageView, image: QImage, zoom: float) -> None:
    before = image.copy()
    view.set_zoom(zoom)
    view.set_display(DisplaySettings(brightness=20))
    assert colour_at(view, 200, 150) == QColor(0x33 + 51, 0x66 + 51, 0x99 + 51)
    assert image == before
    view.set_display(DisplaySettings())
    assert colour_at(view, 200, 150) == QColor("#336699")


def test_tiles_have_no_seams_and_cover_large_images(view: ImageView) -> None:
    image = QImage(40_000, 2_500, QImage.Format.Format_RGB32)
    image.fill(QColor(64, 64, 64))
    view.show_image(image)
    view.set_display(DisplaySettings(brightness=20))
    for zoom, x, y in ((0.02, 20_000, 1_250), (0.37, 35_000, 1_000), (1.0, 39_500, 2_048), (3.3, 512, 512)):
        view.set_zoom(zoom)
        view.centerOn(x, y)
        shot = view.viewport().grab().toImage()
        beside_minimap = shot.rect().adjusted(0, 0, 0, -200)
        area = view.mapFromScene(0, 0, 40_000, 2_500).boundingRect().intersected(beside_minimap).adjusted(2, 2, -2, -2)
        assert area.isValid()
        seen = shot.copy(area).convertToFormat(QImage.Format.Format_RGB32)
        colours = {seen.pixel(column, row) for column in range(seen.width()) for row in range(0, seen.height(), 7)}
        assert colours == {QColor(115, 115, 115).rgb()}


def test_only_what_is_painted_is_adjusted_and_kept_for_the_next_time() -> None:
    tiles = AdjustedTiles()
    tiles.set_display(DisplaySettings(contrast=30))
    image = QImage(10_000, 10_000, QImage.Format.Format_Grayscale8)
    image.fill(Qt.GlobalColor.gray)
    first = tiles.covering(image, QRect(500, 500, 100, 100))
    assert [place.topLeft().x() for place, _ in first] == [0, 512, 0, 512]
    again = tiles.covering(image, QRect(520, 520, 20, 20))
    assert again[0][1].cacheKey() == first[3][1].cacheKey()


def test_the_edge_of_an_image_has_smaller_tiles() -> None:
    tiles = AdjustedTiles()
    image = QImage(600, 100, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.gray)
    places = [place for place, _ in tiles.covering(image, image.rect())]
    assert places == [QRect(0, 0, 512, 100), QRect(512, 0, 88, 100)]


def test_boxes_and_labels_fade(view: ImageView, make_detections: MakeDetections) -> None:
    plain = view.grab().toImage()
    view.show_detections(make_detections((100, 80, 300, 220)))
    full = view.grab().toImage()
    view.set_display(DisplaySettings(box_opacity=0.4, label_opacity=0.4))
    faint = view.grab().toImage()
    view.set_display(DisplaySettings(box_opacity=0.0, label_opacity=0.0))
    assert faint not in (plain, full)
    assert view.grab().toImage() == plain
    assert view.boxes_under(view.mapFromScene(200, 150)) == [0]
