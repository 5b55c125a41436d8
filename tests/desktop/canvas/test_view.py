"""ImageView: signals of the mouse, and what is drawn."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PyQt5.QtGui import QImage, QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.canvas.labels import opacity_at
from desktop.canvas.view import ImageView
from engine.detect.detection import Detections, Filter

MakeDetections = Callable[..., Detections]

LARGE, MIDDLE, SMALL, APART = (20, 20, 300, 280), (40, 40, 200, 200), (60, 60, 100, 100), (320, 200, 390, 290)

PATIENCE = 3
"""Machines that test are slower than machines that people use."""


def at(view: ImageView, x: float, y: float) -> QPoint:
    return view.mapFromScene(QPointF(x, y))


def point_to(view: ImageView, x: float, y: float) -> None:
    nothing, none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at(view, x, y)), nothing, nothing, none)
    QApplication.sendEvent(view.viewport(), event)


def click(view: ImageView, x: float, y: float, *, ctrl: bool = False) -> None:
    modifiers = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifiers, at(view, x, y))


def drawn(view: ImageView) -> QImage:
    return view.grab().toImage()


@pytest.fixture
def stacked(view: ImageView, make_detections: MakeDetections) -> ImageView:
    """Boxes 0, 1 and 2 within each other, from large to small, and 3 beside them."""
    view.show_detections(make_detections(LARGE, MIDDLE, SMALL, APART))
    return view


def test_a_click_selects_the_smallest_box(stacked: ImageView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(stacked.selection_changed) as told:
        click(stacked, 80, 80)
    assert told.args == [frozenset({2})]
    assert stacked.selected == {2}


def test_ctrl_click_adds_and_takes_away(stacked: ImageView) -> None:
    click(stacked, 80, 80)
    click(stacked, 350, 250, ctrl=True)
    assert stacked.selected == {2, 3}
    click(stacked, 80, 80, ctrl=True)
    assert stacked.selected == {3}


def test_a_click_on_the_background_selects_nothing(stacked: ImageView) -> None:
    click(stacked, 80, 80)
    click(stacked, 395, 5)
    assert stacked.selected == frozenset()


def test_selecting_from_outside_is_not_told_back(stacked: ImageView, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(stacked.selection_changed):
        stacked.select(frozenset({1}))
    assert stacked.selected == {1}


def test_a_selected_box_looks_different(stacked: ImageView) -> None:
    before = drawn(stacked)
    stacked.select(frozenset({3}))
    assert drawn(stacked) != before


def test_hovering_is_told_and_drawn(stacked: ImageView, qtbot: QtBot) -> None:
    before = drawn(stacked)
    with qtbot.waitSignal(stacked.hovered) as told:
        point_to(stacked, 350, 250)
    assert told.args == [3]
    assert drawn(stacked) != before
    with qtbot.waitSignal(stacked.hovered) as told:
        point_to(stacked, 310, 150)
    assert told.args == [None]


def test_leaving_ends_the_hover(stacked: ImageView, qtbot: QtBot) -> None:
    point_to(stacked, 350, 250)
    with qtbot.waitSignal(stacked.hovered) as told:
        QApplication.sendEvent(stacked.viewport(), QEvent(QEvent.Type.Leave))
    assert told.args == [None]


def test_a_hovered_box_that_is_filtered_out_is_hovered_no_more(
    stacked: ImageView, make_detections: MakeDetections, qtbot: QtBot
) -> None:
    point_to(stacked, 350, 250)
    with qtbot.waitSignal(stacked.hovered) as told:
        stacked.show_detections(make_detections(LARGE))
    assert told.args == [None]


def test_a_highlight_from_the_table_is_drawn_and_not_told(stacked: ImageView, qtbot: QtBot) -> None:
    before = drawn(stacked)
    with qtbot.assertNotEmitted(stacked.hovered):
        stacked.highlight(3)
    assert drawn(stacked) != before


def test_cycles_through_the_boxes_under_the_pointer(stacked: ImageView) -> None:
    point_to(stacked, 80, 80)
    picked = []
    for _ in range(4):
        stacked.next_under_pointer()
        picked.append(set(stacked.selected))
    assert picked == [{2}, {1}, {0}, {2}]


def test_cycling_over_the_background_keeps_the_selection(stacked: ImageView) -> None:
    stacked.select(frozenset({1}))
    point_to(stacked, 395, 5)
    stacked.next_under_pointer()
    assert stacked.selected == {1}


def test_a_double_click_on_a_box_activates_it(stacked: ImageView, qtbot: QtBot) -> None:
    zoom = stacked.zoom
    with qtbot.waitSignal(stacked.activated) as told:
        QTest.mouseDClick(
            stacked.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(stacked, 350, 250)
        )
    assert told.args == [3]
    assert stacked.zoom == zoom


def test_hidden_boxes_are_neither_drawn_nor_clicked(stacked: ImageView, image: QImage) -> None:
    with_boxes = drawn(stacked)
    stacked.set_boxes_visible(False)
    assert not stacked.boxes_visible
    assert drawn(stacked) != with_boxes
    click(stacked, 80, 80)
    assert stacked.selected == frozenset()
    stacked.set_boxes_visible(True)
    assert stacked.boxes_visible


def test_indices_name_detections_after_filtering(stacked: ImageView, make_detections: MakeDetections) -> None:
    everything = make_detections(LARGE, MIDDLE, SMALL, APART)
    stacked.show_detections(everything.keep(Filter(labels=frozenset({"parcel"}))))
    click(stacked, 80, 80)
    assert stacked.selected == {2}


def test_a_new_image_has_no_boxes_and_no_selection(stacked: ImageView, image: QImage) -> None:
    click(stacked, 80, 80)
    stacked.show_image(image)
    assert stacked.selected == frozenset()
    assert stacked.boxes_under(at(stacked, 80, 80)) == []


def test_marks_are_drawn(stacked: ImageView) -> None:
    before = drawn(stacked)
    stacked.mark(frozenset({0}), frozenset())
    rejected = drawn(stacked)
    stacked.mark(frozenset(), frozenset({0}))
    added = drawn(stacked)
    assert before != rejected
    assert before != added
    assert rejected != added


def test_brings_a_box_into_view(stacked: ImageView) -> None:
    stacked.set_zoom(10.0)
    stacked.centre_on(2)
    assert stacked.viewport().rect().contains(at(stacked, 80, 80))
    stacked.centre_on(3)
    assert stacked.viewport().rect().contains(at(stacked, 355, 245))
    stacked.centre_on(99)


def test_labels_do_not_cover_each_other(view: ImageView, make_detections: MakeDetections) -> None:
    near = [(50.0 + 4 * step, 80.0 + 3 * step, 150.0 + 4 * step, 160.0 + 3 * step) for step in range(6)]
    view.show_detections(make_detections(*near))
    rects = list(view.label_rects().values())
    assert len(rects) == 6
    assert not any(one.intersects(other) for at, one in enumerate(rects) for other in rects[:at])


@pytest.mark.parametrize("zoom", [0.5, 1.0, 7.0])
def test_labels_stay_in_the_window(stacked: ImageView, zoom: float) -> None:
    stacked.set_zoom(zoom)
    window = QRectF(stacked.viewport().rect()).adjusted(-0.01, -0.01, 0.01, 0.01)
    rects = stacked.label_rects()
    assert rects
    assert all(window.contains(rect) for rect in rects.values())


def test_labels_keep_their_size_at_every_zoom(stacked: ImageView) -> None:
    before = stacked.label_rects()[0].size()
    stacked.set_zoom(1.0)
    assert stacked.label_rects()[0].size() == before


def test_labels_move_with_the_image_and_settle(view: ImageView, crowd: Callable[[int], Detections]) -> None:
    view.show_detections(crowd(200))
    view.set_zoom(8.0)
    view.select(frozenset())
    QTest.qWait(150)
    before = view.label_rects()
    bar = view.horizontalScrollBar()
    bar.setValue(bar.value() + 30)
    moved = view.label_rects()
    some = next(iter(before))
    assert moved[some].x() == pytest.approx(before[some].x() - 30)
    QTest.qWait(150)
    window = QRectF(view.viewport().rect()).adjusted(-0.01, -0.01, 0.01, 0.01)
    assert all(window.contains(rect) for rect in view.label_rects().values())


def test_a_selected_box_has_its_label_in_any_crowd(view: ImageView, crowd: Callable[[int], Detections]) -> None:
    view.show_detections(crowd(900))
    view.select(frozenset({899}))
    assert 899 in view.label_rects()


def test_labels_fade_where_the_image_is_tiny() -> None:
    assert opacity_at(QRectF(0, 0, 800, 600)) == 1.0
    assert 0 < opacity_at(QRectF(0, 0, 200, 150)) < 1
    assert opacity_at(QRectF(0, 0, 80, 60)) == 0.0


@pytest.mark.alone
def test_three_hundred_boxes_follow_a_slider(view: ImageView, crowd: Callable[[int], Detections]) -> None:
    everything = crowd(300)
    steps = [everything.above(step / 20) for step in range(20)]
    view.show_detections(everything)
    took = []
    for step in steps:
        start = time.perf_counter()
        view.show_detections(step)
        took.append(time.perf_counter() - start)
    assert sorted(took)[10] < 0.016 * PATIENCE


def test_a_thousand_boxes_pan_smoothly(view: ImageView, crowd: Callable[[int], Detections]) -> None:
    view.show_detections(crowd(1000))
    view.set_zoom(4.0)
    bar = view.horizontalScrollBar()
    start = time.perf_counter()
    for _ in range(20):
        bar.setValue(bar.value() + 2)
        view.viewport().repaint()
    assert (time.perf_counter() - start) / 20 < 1 / 30 * PATIENCE
