"""Drawing a box with the mouse."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QImage
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.canvas.pointer_tip import PointerTip
from desktop.canvas.view import ImageView
from engine.detect.detection import Box
from tests.desktop.canvas.conftest import LEFT, MIDDLE, Hand, MakeDetections


@pytest.fixture
def drawn(view: ImageView) -> list[Box]:
    """What the view tells of."""
    boxes: list[Box] = []
    view.box_drawn.connect(boxes.append)
    return boxes


def near(box: Box, zoom: float) -> object:
    """The mouse has pixels of the screen, and drawn boxes whole ones of the image."""
    return pytest.approx(box, abs=0.5 + 1 / zoom)


@pytest.mark.parametrize("zoom", [0.5, 1.0, 2.0, 7.3])
def test_a_drag_draws_a_box_at_any_zoom(view: ImageView, hand: Hand, drawn: list[Box], zoom: float) -> None:
    view.set_zoom(zoom)
    view.centerOn(QPointF(200, 150))
    view.start_drawing()
    hand.drag((230, 170), (180, 130))
    assert len(drawn) == 1
    assert drawn[0] == near((180, 130, 230, 170), zoom)
    assert all(edge == round(edge) for edge in drawn[0])
    assert not view.is_drawing


def test_two_clicks_draw_a_box(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.start_drawing()
    hand.click(100, 100)
    hand.move(150, 120)
    assert not drawn
    hand.click(200, 180)
    assert drawn == [near((100, 100, 200, 180), view.zoom)]


def test_a_double_click_is_no_box_and_does_not_fit(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.set_zoom(3.0)
    view.start_drawing()
    QTest.mouseDClick(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, hand.at(200, 150))
    assert view.zoom == 3.0
    assert view.is_drawing
    assert not drawn


def test_what_is_drawn_beyond_the_image_is_cut(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.set_zoom(1.0)
    view.start_drawing()
    hand.drag((300, 200), (500, 400))
    assert drawn == [near((300, 200, 400, 300), 1.0)]


def test_less_than_two_pixels_is_no_box(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.set_zoom(10.0)
    view.start_drawing()
    hand.drag((200, 150), (201, 160))
    assert not drawn
    assert view.is_drawing
    hand.click(210, 160)
    assert drawn == [near((200, 150, 210, 160), 10.0)]


def test_drawing_is_told_and_can_be_given_up(view: ImageView, hand: Hand, drawn: list[Box], qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.drawing_changed) as told:
        view.start_drawing()
    assert told.args == [True]
    hand.press(100, 100)
    hand.move(200, 200)
    with qtbot.waitSignal(view.drawing_changed) as told:
        assert view.cancel_drawing()
    assert told.args == [False]
    hand.release(200, 200)
    assert not drawn
    assert not view.cancel_drawing()


def test_escape_gives_up(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.start_drawing()
    hand.click(100, 100)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not view.is_drawing
    hand.click(200, 200)
    assert not drawn


def test_the_pointer_is_a_cross_and_has_guides(view: ImageView, hand: Hand) -> None:
    hand.move(100, 100)
    before = view.viewport().grab().toImage()
    view.start_drawing()
    assert hand.shape() == Qt.CursorShape.CrossCursor
    guided = view.viewport().grab().toImage()
    assert guided.pixelColor(hand.at(100, 250)) != before.pixelColor(hand.at(100, 250))
    assert guided.pixelColor(hand.at(300, 100)) != before.pixelColor(hand.at(300, 100))
    view.cancel_drawing()
    assert hand.shape() == Qt.CursorShape.ArrowCursor
    assert view.viewport().grab().toImage() == before


def test_the_size_stands_beside_the_pointer(view: ImageView, hand: Hand) -> None:
    tip = view.findChild(PointerTip)
    view.set_zoom(1.0)
    view.start_drawing()
    hand.press(100, 100)
    hand.move(220, 180)
    assert tip.isVisible()
    assert tip.text == "120 × 80 px"
    view.cancel_drawing()
    assert not tip.isVisible()


def test_the_middle_button_pans_meanwhile(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.set_zoom(4.0)
    view.centerOn(QPointF(200, 150))
    view.start_drawing()
    hand.click(200, 150)
    before = view.mapToScene(QPoint(0, 0))
    hand.pan((210, 160), QPoint(-80, -80), MIDDLE)
    assert view.mapToScene(QPoint(0, 0)).x() == pytest.approx(before.x() + 20, abs=1)
    hand.click(250, 200)
    assert drawn == [near((200, 150, 250, 200), 4.0)]


def test_the_space_bar_pans_meanwhile(view: ImageView, hand: Hand, drawn: list[Box]) -> None:
    view.set_zoom(4.0)
    view.centerOn(QPointF(200, 150))
    view.start_drawing()
    hand.click(200, 150)
    before = view.mapToScene(QPoint(0, 0))
    QTest.keyPress(view, Qt.Key.Key_Space)
    assert hand.shape() == Qt.CursorShape.OpenHandCursor
    hand.pan((210, 160), QPoint(-80, -80))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.mapToScene(QPoint(0, 0)).x() == pytest.approx(before.x() + 20, abs=1)
    assert view.is_drawing
    hand.click(250, 200)
    assert drawn == [near((200, 150, 250, 200), 4.0)]


def test_drawing_over_a_selected_box_leaves_it(
    view: ImageView, hand: Hand, drawn: list[Box], make_detections: MakeDetections, qtbot: QtBot
) -> None:
    view.show_detections(make_detections((50, 50, 350, 250)))
    view.select(frozenset({0}))
    view.start_drawing()
    with qtbot.assertNotEmitted(view.boxes_reshaped):
        hand.drag((100, 100), (200, 200))
    assert len(drawn) == 1
    assert view.selected == {0}


def test_nothing_is_drawn_where_nothing_may_be_changed(view: ImageView, image: QImage) -> None:
    view.start_drawing()
    view.set_editable(False)
    assert not view.is_drawing
    view.start_drawing()
    assert not view.is_drawing
    view.set_editable(True)
    view.show_image(None)
    view.start_drawing()
    assert not view.is_drawing


def test_another_image_ends_it(view: ImageView, image: QImage, hand: Hand) -> None:
    view.start_drawing()
    hand.click(100, 100)
    view.show_image(image)
    assert not view.is_drawing
