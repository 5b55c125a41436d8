"""Moving and resizing boxes by mouse and key."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QFocusEvent, QImage
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from desktop.canvas.reshaper import QUIET_MS
from desktop.canvas.view import ImageView
from engine.detect.detection import Box
from tests.desktop.canvas.conftest import Hand, MakeDetections

FIRST, SECOND, THIRD = (60.0, 60.0, 160.0, 140.0), (200.0, 100.0, 300.0, 200.0), (330.0, 220.0, 390.0, 280.0)
SHAPES = Qt.CursorShape

Told = list[dict[int, Box]]


@pytest.fixture
def boxed(view: ImageView, make_detections: MakeDetections) -> ImageView:
    """Boxes 0, 1 and 2 side by side at 100 %, the first one selected."""
    view.set_zoom(1.0)
    view.show_detections(make_detections(FIRST, SECOND, THIRD))
    view.select(frozenset({0}))
    return view


@pytest.fixture
def told(view: ImageView) -> Told:
    boxes: Told = []
    view.boxes_reshaped.connect(boxes.append)
    return boxes


def by(box: Box, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> object:
    """`box` with its edges moved, give or take a pixel."""
    return pytest.approx((box[0] + left, box[1] + top, box[2] + right, box[3] + bottom), abs=1)


@pytest.mark.parametrize("zoom", [0.6, 1.0, 2.0, 3.7])
def test_dragging_a_selected_box_moves_it(boxed: ImageView, hand: Hand, told: Told, zoom: float) -> None:
    boxed.set_zoom(zoom)
    boxed.centerOn(QPointF(130, 110))
    hand.drag((110, 100), (140, 120))
    assert told == [{0: pytest.approx((90, 80, 190, 160), abs=1 + 1 / zoom)}]


def test_dragging_another_box_pans(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.set_zoom(4.0)
    boxed.centerOn(QPointF(250, 150))
    before = boxed.mapToScene(QPoint(0, 0))
    hand.pan((250, 150), QPoint(-40, 0))
    assert boxed.mapToScene(QPoint(0, 0)).x() == pytest.approx(before.x() + 10, abs=1)
    assert not told
    assert boxed.selected == {0}


def test_all_selected_boxes_move_together_and_stop_together(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.select(frozenset({0, 1}))
    hand.drag((250, 150), (150, 150))
    assert told == [{0: by(FIRST, -60, 0, -60, 0), 1: by(SECOND, -60, 0, -60, 0)}]


@pytest.mark.parametrize(
    ("grip", "edges", "shape"),
    [
        ((60, 60), (10, 20, 0, 0), SHAPES.SizeFDiagCursor),
        ((110, 60), (0, 20, 0, 0), SHAPES.SizeVerCursor),
        ((160, 60), (0, 20, 10, 0), SHAPES.SizeBDiagCursor),
        ((160, 100), (0, 0, 10, 0), SHAPES.SizeHorCursor),
        ((160, 140), (0, 0, 10, 20), SHAPES.SizeFDiagCursor),
        ((110, 140), (0, 0, 0, 20), SHAPES.SizeVerCursor),
        ((60, 140), (10, 0, 0, 20), SHAPES.SizeBDiagCursor),
        ((60, 100), (10, 0, 0, 0), SHAPES.SizeHorCursor),
    ],
)
@pytest.mark.parametrize("zoom", [1.0, 2.5])
def test_eight_handles_resize(
    boxed: ImageView,
    hand: Hand,
    told: Told,
    zoom: float,
    grip: tuple[float, float],
    edges: tuple[float, float, float, float],
    shape: Qt.CursorShape,
) -> None:
    boxed.set_zoom(zoom)
    boxed.centerOn(QPointF(110, 100))
    hand.move(*grip)
    assert hand.shape() == shape
    hand.drag(grip, (grip[0] + 10, grip[1] + 20))
    assert told == [{0: by(FIRST, *edges)}]


def test_only_the_held_box_is_resized(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.select(frozenset({0, 1}))
    hand.drag((160, 140), (170, 150))
    assert told == [{0: by(FIRST, 0, 0, 10, 10)}]


def test_resizing_stops_at_the_image_and_at_a_pixel(boxed: ImageView, hand: Hand, told: Told) -> None:
    hand.drag((60, 100), (-300, 100))
    assert told[-1][0] == (0, *FIRST[1:])
    boxed.select(frozenset({2}))
    hand.drag((390, 250), (200, 250))
    assert told[-1][2] == (330, 220, 331, 280)


def test_boxes_and_labels_follow_while_dragging(boxed: ImageView, hand: Hand, told: Told) -> None:
    before = boxed.label_rects()
    hand.press(110, 100)
    hand.move(130, 130)
    hand.move(150, 140)
    after = boxed.label_rects()
    assert after[0].topLeft() - before[0].topLeft() == QPointF(40, 40)
    assert after[1] == before[1]
    assert boxed.boxes_under(hand.at(195, 175)) == [0]
    assert not told
    hand.release(150, 140)
    assert len(told) == 1


def test_the_cursor_tells_what_a_press_would_do(boxed: ImageView, hand: Hand) -> None:
    hand.move(110, 100)
    assert hand.shape() == SHAPES.SizeAllCursor
    hand.move(250, 150)
    assert hand.shape() == SHAPES.ArrowCursor


def test_escape_puts_the_box_back(boxed: ImageView, hand: Hand, told: Told) -> None:
    before = boxed.label_rects()
    hand.press(110, 100)
    hand.move(200, 180)
    QTest.keyClick(boxed, Qt.Key.Key_Escape)
    assert boxed.label_rects() == before
    assert boxed.boxes_under(hand.at(70, 70)) == [0]
    hand.move(210, 190)
    hand.release(210, 190)
    assert not told
    assert boxed.selected == {0}


def test_a_click_without_a_drag_still_picks(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.select(frozenset({0, 1}))
    hand.click(110, 100)
    assert boxed.selected == {0}
    assert not told


def test_a_trembling_hand_moves_nothing(boxed: ImageView, hand: Hand, told: Told) -> None:
    hand.press(110, 100)
    hand.move(111, 101)
    hand.release(111, 101)
    assert not told


def test_the_box_behind_can_be_picked_and_moved(
    view: ImageView, hand: Hand, told: Told, make_detections: MakeDetections
) -> None:
    """`O` picks the larger box below; then its inside moves it, though a smaller box lies there."""
    view.set_zoom(1.0)
    large, small = (50.0, 50.0, 350.0, 250.0), (100.0, 100.0, 200.0, 200.0)
    view.show_detections(make_detections(large, small))
    hand.click(150, 150)
    hand.move(150, 150)
    view.next_under_pointer()
    assert view.selected == {0}
    hand.drag((150, 150), (160, 140))
    assert told == [{0: by(large, 10, -10, 10, -10)}]


def test_boxes_of_a_read_only_session_stay(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.set_editable(False)
    hand.move(160, 100)
    assert hand.shape() == SHAPES.ArrowCursor
    hand.drag((110, 100), (140, 120))
    boxed.nudge(1, 0)
    boxed.finish_editing()
    assert not told


def test_hidden_boxes_stay(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.set_boxes_visible(False)
    hand.drag((110, 100), (140, 120))
    boxed.nudge(1, 0)
    boxed.finish_editing()
    assert not told


def test_nudges_are_told_once_when_the_key_is_released(boxed: ImageView, told: Told) -> None:
    boxed.select(frozenset({0, 1}))
    for _ in range(5):
        boxed.nudge(1, 0)
    boxed.nudge(0, -10)
    assert not told
    QTest.keyRelease(boxed, Qt.Key.Key_Up)
    assert told == [{0: (65, 50, 165, 130), 1: (205, 90, 305, 190)}]


def test_nudges_are_told_after_a_while(boxed: ImageView, told: Told) -> None:
    boxed.nudge(-1, 0)
    QTest.qWait(QUIET_MS + 150)
    assert told == [{0: (59, 60, 159, 140)}]


def test_nudges_are_told_when_the_focus_leaves(boxed: ImageView, told: Told) -> None:
    boxed.nudge(0, 1, resize=True)
    QApplication.sendEvent(boxed, QFocusEvent(QFocusEvent.Type.FocusOut))
    assert told == [{0: (60, 60, 160, 141)}]


@pytest.mark.parametrize("key", [Qt.Key.Key_D, Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_nudges_are_told_before_another_key_acts(boxed: ImageView, told: Told, key: Qt.Key) -> None:
    boxed.nudge(3, 0)
    QTest.keyPress(boxed, key)
    assert told == [{0: (63, 60, 163, 140)}]


def test_keys_reach_the_canvas_past_the_shortcuts_of_a_window(
    boxed: ImageView, hand: Hand, told: Told, qtbot: QtBot
) -> None:
    """Escape is the window's, arrows are actions of the view; both work as the hand expects."""
    window, escaped = QMainWindow(), []
    qtbot.addWidget(window)
    window.setCentralWidget(boxed)
    for key, context, slot in (
        ("Esc", Qt.ShortcutContext.WindowShortcut, lambda: escaped.append(1)),
        ("Right", Qt.ShortcutContext.WidgetShortcut, lambda: boxed.nudge(1, 0)),
        ("Alt+Down", Qt.ShortcutContext.WidgetShortcut, lambda: boxed.nudge(0, 1, resize=True)),
    ):
        action = QAction(boxed)
        action.setShortcut(key)
        action.setShortcutContext(context)
        action.triggered.connect(slot)
        boxed.addAction(action)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    boxed.setFocus()
    QTest.keyPress(boxed, Qt.Key.Key_Right)
    QTest.keyPress(boxed, Qt.Key.Key_Right)
    assert not told
    QTest.keyRelease(boxed, Qt.Key.Key_Right)
    QTest.keyClick(boxed, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert told == [{0: (62, 60, 162, 140)}, {0: (62, 60, 162, 141)}]
    boxed.start_drawing()
    QTest.keyClick(boxed, Qt.Key.Key_Escape)
    assert not boxed.is_drawing
    assert not escaped
    QTest.keyClick(boxed, Qt.Key.Key_Escape)
    assert escaped
    window.takeCentralWidget()


def test_a_release_that_went_elsewhere_puts_the_box_back(boxed: ImageView, hand: Hand, told: Told) -> None:
    hand.press(110, 100)
    hand.move(150, 140)
    hand.forget_buttons()
    hand.move(160, 150)
    assert boxed.boxes_under(hand.at(70, 70)) == [0]
    assert not told


def test_nudges_are_told_before_a_click(boxed: ImageView, hand: Hand, told: Told) -> None:
    boxed.nudge(3, 0)
    hand.click(250, 150)
    assert told == [{0: (63, 60, 163, 140)}]
    assert boxed.selected == {1}


def test_a_nudge_and_its_way_back_are_nothing(boxed: ImageView, told: Told) -> None:
    boxed.nudge(1, 0)
    boxed.nudge(-1, 0)
    boxed.finish_editing()
    assert not told


def test_a_nudge_follows_another_before_the_boxes_are_shown_anew(boxed: ImageView, told: Told) -> None:
    boxed.nudge(1, 0)
    boxed.finish_editing()
    boxed.nudge(1, 0)
    boxed.finish_editing()
    assert told[-1] == {0: (62, 60, 162, 140)}


def test_boxes_that_are_shown_anew_stay_in_hand(
    boxed: ImageView, hand: Hand, told: Told, make_detections: MakeDetections
) -> None:
    """The threshold may move while a box is dragged."""
    hand.press(110, 100)
    hand.move(150, 140)
    before = boxed.label_rects()[0]
    boxed.show_detections(make_detections(FIRST, SECOND))
    assert boxed.boxes_under(hand.at(195, 175)) == [0]
    assert boxed.label_rects()[0] == before
    hand.move(151, 140)
    assert boxed.label_rects()[0] == before.translated(1, 0)
    hand.release(151, 140)
    assert told == [{0: by(FIRST, 41, 40, 41, 40)}]


def test_another_image_lets_go(boxed: ImageView, image: QImage, hand: Hand, told: Told, qtbot: QtBot) -> None:
    hand.press(110, 100)
    hand.move(150, 140)
    boxed.show_image(image)
    hand.release(150, 140)
    boxed.finish_editing()
    assert not told


@pytest.mark.parametrize("zoom", [1.0, 2.0])
def test_a_rubber_band_selects_what_lies_within(boxed: ImageView, hand: Hand, told: Told, zoom: float) -> None:
    boxed.set_zoom(zoom)
    boxed.select(frozenset({2}))
    hand.keys = Qt.KeyboardModifiers(Qt.KeyboardModifier.ShiftModifier)
    hand.drag((190, 50), (50, 150))
    assert boxed.selected == {0}
    hand.keys |= Qt.KeyboardModifier.ControlModifier
    hand.drag((190, 90), (310, 210))
    assert boxed.selected == {0, 1}
    assert not told


def test_a_rubber_band_is_drawn_and_can_be_given_up(boxed: ImageView, hand: Hand) -> None:
    hand.keys = Qt.KeyboardModifiers(Qt.KeyboardModifier.ShiftModifier)
    hand.press(10, 10)
    before = boxed.grab().toImage()
    hand.move(320, 210)
    assert boxed.grab().toImage() != before
    assert boxed.cancel_drawing()
    hand.release(320, 210)
    assert boxed.selected == {0}
