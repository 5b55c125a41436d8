"""RelabelBox: choosing a class by typing a part of its name."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QApplication, QLineEdit, QListView, QMainWindow
from pytestqt.qtbot import QtBot

from desktop.review.relabel_box import RelabelBox
from desktop.style.theme import apply_theme
from tests.desktop.results.conftest import find

LABELS = ["cat", "狗", "Scat", "qr_code", "二维码"]


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> QMainWindow:
    """A window that has the keyboard in a field of its own."""
    apply_theme(qapp, "light")
    shown = QMainWindow()
    shown.setCentralWidget(QLineEdit())
    shown.resize(600, 400)
    qtbot.addWidget(shown)
    with qtbot.waitActive(shown):
        shown.show()
        shown.activateWindow()
    shown.centralWidget().setFocus()
    return shown


@pytest.fixture
def box(window: QMainWindow) -> RelabelBox:
    return RelabelBox(window)


def opened(box: RelabelBox, current: str = "") -> QLineEdit:
    box.open_at(box.parentWidget().mapToGlobal(QPoint(50, 50)), LABELS, current)
    return find(box, "relabelEdit", QLineEdit)


def test_any_part_in_any_case_is_found_the_best_first(box: RelabelBox) -> None:
    edit = opened(box)
    assert edit.hasFocus()
    assert box.offers() == LABELS
    for typed, offers in (("CAT", ["cat", "Scat"]), ("维", ["二维码", "维"]), ("cod", ["qr_code", "cod"])):
        edit.setText(typed)
        assert box.offers() == offers


def test_return_chooses_and_gives_the_keyboard_back(qtbot: QtBot, box: RelabelBox, window: QMainWindow) -> None:
    chosen = Mock()
    box.label_chosen.connect(chosen)
    edit = opened(box)
    qtbot.keyClicks(edit, "cat")
    qtbot.keyClick(edit, Qt.Key.Key_Down)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    chosen.assert_called_once_with("Scat")
    assert not box.isVisible()
    assert window.centralWidget().hasFocus()


def test_what_is_unknown_becomes_a_new_class(qtbot: QtBot, box: RelabelBox) -> None:
    chosen = Mock()
    box.label_chosen.connect(chosen)
    edit = opened(box)
    edit.setText("  狐狸 ")
    shown = find(box, "relabelList", QListView).model()
    assert [shown.index(row, 0).data() for row in range(shown.rowCount())] == ["New class “狐狸”"]
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    chosen.assert_called_once_with("狐狸")


def test_escape_leaves_and_is_not_the_windows(qtbot: QtBot, box: RelabelBox, window: QMainWindow) -> None:
    escaped, chosen = Mock(), Mock()
    action = QAction(window)
    action.setShortcut(QKeySequence("Esc"))
    action.triggered.connect(escaped)
    window.addAction(action)
    box.label_chosen.connect(chosen)
    qtbot.keyClick(opened(box), Qt.Key.Key_Escape)
    assert not box.isVisible()
    escaped.assert_not_called()
    chosen.assert_not_called()


def test_the_last_used_come_first_else_the_present_one_is_marked(qtbot: QtBot, box: RelabelBox) -> None:
    chosen = Mock()
    box.label_chosen.connect(chosen)
    edit = opened(box, "Scat")
    assert edit.placeholderText() == "Scat"
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    chosen.assert_called_with("Scat")
    for label in ("狗", "qr_code"):
        opened(box).setText(label)
        qtbot.keyClick(edit, Qt.Key.Key_Return)
    opened(box)
    assert box.offers() == ["qr_code", "狗", "Scat", "cat", "二维码"]
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    chosen.assert_called_with("qr_code")


def test_a_click_chooses(qtbot: QtBot, box: RelabelBox) -> None:
    opened(box)
    view = find(box, "relabelList", QListView)
    with qtbot.waitSignal(box.label_chosen) as chosen:
        at = view.visualRect(view.model().index(1, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert chosen.args == ["狗"]


@pytest.mark.parametrize("point", [QPoint(-500, -500), QPoint(5000, 5000), QPoint(300, 200)])
def test_the_box_stays_inside_the_window(box: RelabelBox, window: QMainWindow, point: QPoint) -> None:
    box.open_at(window.mapToGlobal(point), LABELS)
    assert window.rect().contains(box.geometry())


def test_the_box_closes_when_the_keyboard_goes_elsewhere(box: RelabelBox, window: QMainWindow) -> None:
    opened(box)
    window.centralWidget().setFocus()
    assert not box.isVisible()
