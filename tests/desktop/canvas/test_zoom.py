"""Zooming and moving the canvas."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QImage, QMouseEvent, QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.canvas.minimap import Minimap
from desktop.canvas.view import ImageView
from tests.desktop.canvas.conftest import MakeDetections


def wheel(view: ImageView, at: QPoint, notches: float, *, ctrl: bool) -> None:
    modifiers = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        QPointF(at),
        QPointF(view.viewport().mapToGlobal(at)),
        QPoint(),
        QPoint(0, round(notches * 120)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def drag(view: ImageView, start: QPoint, end: QPoint, button: Qt.MouseButton) -> None:
    viewport = view.viewport()
    QTest.mousePress(viewport, button, Qt.KeyboardModifier.NoModifier, start)
    for at in (start + (end - start) / 2, end):
        move = QMouseEvent(
            QEvent.Type.MouseMove, QPointF(at), Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(viewport, move)
    QTest.mouseRelease(viewport, button, Qt.KeyboardModifier.NoModifier, end)


def on_screen(view: ImageView, x: float, y: float) -> QPointF:
    return view.viewportTransform().map(QPointF(x, y))


def shown_part(view: ImageView) -> tuple[float, float]:
    middle = view.viewportTransform().inverted()[0].map(QPointF(view.viewport().rect().center()))
    return middle.x(), middle.y()


def test_a_new_image_fits(view: ImageView) -> None:
    corner, end = on_screen(view, 0, 0), on_screen(view, 400, 300)
    assert 0 <= corner.x() <= 40
    assert 0 <= corner.y() <= 40
    assert view.viewport().width() - 40 <= end.x() <= view.viewport().width()
    assert corner.x() == pytest.approx(view.viewport().width() - end.x(), abs=2)


def test_stays_fitted_when_the_window_changes_its_size(view: ImageView) -> None:
    before = view.zoom
    view.resize(400, 300)
    assert view.zoom < before
    assert on_screen(view, 400, 300).x() <= view.viewport().width()
    assert not view.findChild(Minimap).isVisible()


def test_keeps_its_zoom_when_the_window_changes_its_size(view: ImageView) -> None:
    view.set_zoom(3.0)
    view.resize(500, 400)
    assert view.zoom == 3.0


def test_fits_the_width(view: ImageView, qtbot: QtBot) -> None:
    view.show_image(QImage(100, 2000, QImage.Format.Format_RGB32))
    view.fit_width()
    assert (view.viewport().width() - 40) / 100 <= view.zoom <= view.viewport().width() / 100
    view.resize(400, 600)
    assert view.zoom <= 4.0


@pytest.mark.parametrize("notches", [1, 3, -1, 0.25])
@pytest.mark.parametrize("at", [QPoint(120, 90), QPoint(400, 300), QPoint(700, 500)])
def test_ctrl_wheel_keeps_what_is_under_the_pointer(view: ImageView, at: QPoint, notches: float) -> None:
    before = view.viewportTransform().inverted()[0].map(QPointF(at))
    zoom = view.zoom
    wheel(view, at, notches, ctrl=True)
    after = on_screen(view, before.x(), before.y())
    assert view.zoom == pytest.approx(zoom * 1.25**notches)
    assert (after - QPointF(at)).manhattanLength() <= 2


def test_zoom_has_limits(view: ImageView) -> None:
    view.set_zoom(1000)
    assert view.zoom == 40
    view.set_zoom(0.000001)
    assert view.zoom == 0.02


def test_an_image_wider_than_the_smallest_zoom_still_fits(view: ImageView) -> None:
    view.show_image(QImage(60_000, 10, QImage.Format.Format_Grayscale8))
    assert 60_000 * view.zoom <= view.viewport().width()


def test_zooms_in_and_out_around_the_middle(view: ImageView, qtbot: QtBot) -> None:
    view.set_zoom(2.0)
    middle = shown_part(view)
    with qtbot.waitSignal(view.zoom_changed) as told:
        view.zoom_in()
    assert told.args == [2.5]
    assert shown_part(view) == pytest.approx(middle, abs=1)
    view.zoom_out()
    assert view.zoom == pytest.approx(2.0)


def test_plain_wheel_scrolls(view: ImageView) -> None:
    view.set_zoom(8.0)
    x, y = shown_part(view)
    wheel(view, QPoint(400, 300), -1, ctrl=False)
    assert view.zoom == 8.0
    assert shown_part(view)[0] == pytest.approx(x)
    assert shown_part(view)[1] > y


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_dragging_moves_the_image(view: ImageView, button: Qt.MouseButton) -> None:
    view.set_zoom(8.0)
    before = on_screen(view, 200, 150)
    drag(view, QPoint(400, 300), QPoint(340, 260), button)
    moved = on_screen(view, 200, 150) - before
    assert (moved.x(), moved.y()) == (-60, -40)


@pytest.mark.parametrize("zoom", [0.5, 1.0, 6.0])
def test_focusing_a_tiny_box_makes_it_large_in_the_middle(
    view: ImageView, make_detections: MakeDetections, zoom: float
) -> None:
    view.show_detections(make_detections((300, 200, 312, 210), (10, 10, 390, 290)))
    view.set_zoom(zoom)
    view.focus_box(0)
    side = 12 * view.zoom
    assert 60 <= side <= 300
    assert shown_part(view) == pytest.approx((306, 205), abs=2)


def test_focusing_a_large_box_shows_it_whole(view: ImageView, make_detections: MakeDetections) -> None:
    view.show_detections(make_detections((300, 200, 312, 210), (10, 10, 390, 290)))
    view.set_zoom(20.0)
    view.focus_box(1)
    corner, end = on_screen(view, 10, 10), on_screen(view, 390, 290)
    assert view.viewport().rect().contains(corner.toPoint())
    assert view.viewport().rect().contains(end.toPoint())


def test_focusing_a_box_that_is_well_seen_keeps_the_zoom(view: ImageView, make_detections: MakeDetections) -> None:
    view.show_detections(make_detections((100, 100, 200, 200)))
    zoom = view.zoom
    view.focus_box(0)
    view.focus_box(99)
    assert view.zoom == zoom
    assert on_screen(view, 0, 0).x() >= 0


def test_a_double_click_on_the_background_fits(view: ImageView) -> None:
    fitted = view.zoom
    view.set_zoom(8.0)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(300, 300))
    assert view.zoom == fitted


def test_without_an_image_nothing_is_shown_and_nothing_breaks(view: ImageView, qtbot: QtBot) -> None:
    view.show_image(None)
    with qtbot.assertNotEmitted(view.zoom_changed):
        view.fit()
        view.fit_width()
        view.zoom_in()
        view.resize(300, 200)
    assert not view.findChild(Minimap).isVisible()
    assert view.grab().toImage().pixelColor(150, 100) == view.grab().toImage().pixelColor(20, 20)


def test_the_minimap_shows_itself_when_a_part_is_out_of_sight(view: ImageView) -> None:
    minimap = view.findChild(Minimap)
    assert not minimap.isVisible()
    view.set_zoom(6.0)
    assert minimap.isVisible()
    assert view.viewport().rect().contains(minimap.geometry())
    view.fit()
    assert not minimap.isVisible()


def test_clicking_the_minimap_moves_the_view(view: ImageView) -> None:
    view.set_zoom(10.0)
    minimap = view.findChild(Minimap)
    quarter = QPoint(minimap.width() // 4, minimap.height() // 4)
    QTest.mouseClick(minimap, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, quarter)
    assert shown_part(view) == pytest.approx((100, 75), abs=4)


def test_drops_are_left_to_the_window(view: ImageView) -> None:
    assert not view.acceptDrops()
    assert not view.viewport().acceptDrops()


def test_input_methods_do_not_swallow_letters(view: ImageView) -> None:
    view.setFocus()
    assert not view.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
