"""The panel of detections with the review bar below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from PyQt5.QtCore import QModelIndex, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QShortcut, QWidget
from pytestqt.qtbot import QtBot

from desktop.results.detection_columns import BOX, LABEL, STATUS
from desktop.results.detections_panel import DetectionsPanel
from desktop.results.json_panel import JsonPanel
from desktop.review.bar import ReviewBar
from desktop.state.viewer import SessionState, ViewerState, choose_threshold, refine, select
from engine.detect.detection import Detections
from engine.review.decision import Decision, Original, Status
from engine.review.image_review import ImageReview, accept, add, forget, reject, relabel
from engine.review.refine import Refinement
from tests.desktop.fonts import why_cut
from tests.desktop.results.conftest import NAMES, detections, find

PARTS = ["scoreHistogram", "suppressToggle", "suppressSpin", "suppressAcross", "classSearch", "classList"]
BAR = ["acceptButton", "rejectButton", "relabelButton", "forgetButton", "noteEdit", "reviewedButton"]


class PanelWithBar(DetectionsPanel):
    """The panel with the bar that the window puts below it."""

    def __init__(self) -> None:
        self.bar = ReviewBar()
        super().__init__(self.bar)

    def show_state(self, state: ViewerState) -> None:
        super().show_state(state)
        self.bar.show_state(state)


@pytest.fixture
def panel(show: Callable[[PanelWithBar], PanelWithBar], state: ViewerState) -> PanelWithBar:
    shown = show(PanelWithBar())
    shown.show_state(state)
    return shown


@pytest.fixture
def decided(state: ViewerState) -> ViewerState:
    """Accepted, rejected, relabelled, added, and one that the model no longer finds."""
    seen = state.reviewed
    assert seen is not None
    kept = relabel(reject(accept(ImageReview(), seen, {0}, 1), seen, {1}, 2), seen, {2}, "狐狸", 3)
    kept = add(kept, "cat", (300, 200, 340, 240), 4)
    gone = Decision(5, Status.ACCEPTED, "cat", (200, 200, 240, 240), Original("cat", 0.65, (200, 200, 240, 240)))
    return replace(state, decided=replace(kept, decisions=(*kept.decisions, gone)))


def cell(panel: PanelWithBar, row: int, column: int) -> QModelIndex:
    return panel.table.model().index(row, column)


def words(panel: QWidget) -> str:
    return " | ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


@pytest.mark.parametrize("name", [*PARTS, *BAR, "detectionTable"])
def test_scripts_and_screen_readers_find_every_part(panel: PanelWithBar, name: str) -> None:
    assert find(panel, name, QWidget).accessibleName()


def test_before_an_image_is_open_only_the_hint_is_there(
    show: Callable[[PanelWithBar], PanelWithBar],
) -> None:
    panel = show(PanelWithBar())
    panel.show_state(ViewerState())
    assert not any(find(panel, name, QWidget).isVisible() for name in PARTS + BAR)
    assert "What the model finds" in words(panel)


def test_the_table_tells_what_was_decided(panel: PanelWithBar, decided: ViewerState) -> None:
    panel.show_state(decided)
    said = {}
    for row in range(panel.table.model().rowCount()):
        index = decided.shown.indices[row] if decided.shown is not None else 0
        said[int(index)] = cell(panel, row, STATUS).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == {
        -4: "Added",
        0: "Accepted",
        1: "Rejected",
        2: "Accepted",
        -5: "Accepted; the present model does not find it",
        3: "Undecided",
    }
    rows = {index: row for row, index in enumerate(said)}
    struck = [cell(panel, row, LABEL).data(Qt.ItemDataRole.FontRole).strikeOut() for row in range(len(rows))]
    assert struck == [index == 1 for index in rows]
    assert cell(panel, rows[2], BOX).data(Qt.ItemDataRole.ToolTipRole) == "狐狸 (was cat 0.70)"
    assert cell(panel, rows[-5], STATUS).data() == "?"
    signs = [cell(panel, row, STATUS).data(Qt.ItemDataRole.DecorationRole) is not None for row in range(len(rows))]
    assert signs == [index not in (-5, 3) for index in rows]


def test_the_bar_acts_on_what_is_selected(qtbot: QtBot, panel: PanelWithBar, state: ViewerState) -> None:
    buttons = [find(panel, name, QPushButton) for name in BAR if name.endswith("Button")]
    assert [button.isEnabled() for button in buttons] == [False, False, False, False, True]
    panel.show_state(select(state, frozenset({0, 2})))
    assert [button.text() for button in buttons] == ["Accept 2", "Reject 2", "Relabel 2", "", "Reviewed, next"]
    asked = Mock()
    signals = panel.bar.accept_asked, panel.bar.reject_asked, panel.bar.relabel_asked, panel.bar.reviewed_asked
    for number, signal in enumerate(signals):
        signal.connect(lambda number=number: asked(number))
    for button in buttons:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [call.args for call in asked.call_args_list] == [(0,), (1,), (2,), (3,)]


def test_a_session_that_another_window_has_cannot_be_decided_in(panel: PanelWithBar, state: ViewerState) -> None:
    panel.show_state(replace(select(state, frozenset({0})), session=SessionState(is_read_only=True)))
    assert not any(find(panel, name, QWidget).isEnabled() for name in BAR)


def test_a_note_is_told_when_it_is_finished(qtbot: QtBot, panel: PanelWithBar, state: ViewerState) -> None:
    edit, told = find(panel, "noteEdit", QLineEdit), Mock()
    panel.bar.note_changed.connect(told)
    edit.setFocus()
    qtbot.keyClicks(edit, "left shelf")
    panel.show_state(select(state, frozenset({0})))
    assert edit.text() == "left shelf"
    told.assert_not_called()
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    told.assert_called_once_with("left shelf")
    qtbot.keyClicks(edit, ".")
    panel.table.setFocus()
    told.assert_called_with("left shelf.")
    qtbot.keyClicks(edit, ".")
    panel.bar.note.finish()
    panel.bar.note.finish()
    assert [call.args for call in told.call_args_list] == [("left shelf",), ("left shelf.",), ("left shelf..",)]
    panel.show_state(replace(state, decided=ImageReview(note="货架")))
    assert edit.text() == "货架"


def test_the_words_say_what_is_held_back_and_why(panel: PanelWithBar, state: ViewerState) -> None:
    assert "4 detections, 2 more hidden" in words(panel)
    panel.show_state(refine(state, Refinement(hidden=frozenset({"cat"}))))
    assert "2 detections; 2 below the threshold, 2 hidden by class" in words(panel)
    twice = replace(detections((0.9, 0), (0.8, 0)), boxes=np.tile(np.array([0, 0, 9, 9], np.float32), (2, 1)))
    panel.show_state(refine(replace(state, detections=twice), Refinement(suppress_iou=0.7)))
    assert "1 detection; 1 suppressed as duplicate" in words(panel)


def test_what_was_accepted_is_not_said_to_be_held_back(panel: PanelWithBar, state: ViewerState) -> None:
    seen = state.reviewed
    assert seen is not None
    kept = accept(ImageReview(), seen, {0}, 1)
    strict = Refinement(class_thresholds={"cat": 0.95}, hidden=frozenset({"狗"}))
    panel.show_state(refine(replace(state, decided=kept), strict))
    assert "2 detections; 3 below the threshold, 1 hidden by class" in words(panel)


def test_an_empty_table_offers_what_would_fill_it(qtbot: QtBot, panel: PanelWithBar, state: ViewerState) -> None:
    panel.show_state(refine(state, Refinement(hidden=frozenset(NAMES.values()))))
    assert "Nothing is shown: 2 below the threshold, 4 hidden by class." in words(panel)
    assert not find(panel, "lowerThresholdButton", QPushButton).isVisible()
    with qtbot.waitSignal(panel.classes.refinement_chosen) as chosen:
        qtbot.mouseClick(find(panel, "showAllClassesButton", QPushButton), Qt.MouseButton.LeftButton)
    assert chosen.args == [Refinement()]
    own = Refinement(class_thresholds={"cat": 0.95, "狗": 0.95})
    panel.show_state(choose_threshold(refine(state, own), 0.7))
    assert "Nothing above the thresholds of the classes. 6 detections are below." in words(panel)
    with qtbot.waitSignal(panel.empty_page.threshold_chosen) as lower:
        qtbot.mouseClick(find(panel, "lowerThresholdButton", QPushButton), Qt.MouseButton.LeftButton)
    assert lower.args == [0.6], "the class without a threshold of its own"


def test_the_histogram_shows_and_cuts_the_class_that_is_chosen(
    qtbot: QtBot, panel: PanelWithBar, state: ViewerState
) -> None:
    panel.classes.table.selectRow(0)
    assert panel.histogram.label == "cat"
    with qtbot.waitSignal(panel.threshold_chosen) as general:
        panel.histogram.setValue(40)
    assert general.args == [0.4]
    panel.show_state(refine(state, Refinement(class_thresholds={"cat": 0.6})))
    with qtbot.waitSignal(panel.classes.refinement_chosen) as own:
        panel.histogram.setValue(70)
    assert own.args == [Refinement(class_thresholds={"cat": 0.7})]
    panel.show_state(refine(state, Refinement(solo="狗")))
    assert panel.histogram.label == "狗"


def test_arrow_keys_go_through_the_table_while_the_state_changes(
    qtbot: QtBot, panel: PanelWithBar, state: ViewerState
) -> None:
    panel.table.rows_selected.connect(lambda indices: panel.show_state(select(state, indices)))
    panel.show_state(select(state, frozenset({0})))
    panel.table.setFocus()
    for _ in range(2):
        qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert [at.row() for at in panel.table.selectionModel().selectedRows()] == [2]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_is_cut(
    show: Callable[[PanelWithBar], PanelWithBar],
    decided: ViewerState,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
    qapp: QApplication,
) -> None:
    from desktop.style.i18n import install_language

    install_language(language)
    try:
        panel = show(PanelWithBar())
        panel.resize(panel.minimumSizeHint().width(), 575)
        panel.show_state(select(refine(decided, Refinement(suppress_iou=0.7)), frozenset({0, 2})))
        qapp.processEvents()
        shown = [each for each in panel.findChildren(QWidget) if each.isVisible()]
        assert [cut for widget in shown if (cut := why_cut(widget))] == []
    finally:
        install_language("en")


def test_the_json_says_where_the_answer_of_the_server_differs(
    show: Callable[[JsonPanel], JsonPanel], state: ViewerState, decided: ViewerState
) -> None:
    panel = show(JsonPanel())
    hint = find(panel, "jsonDifference", QLabel)
    panel.show_state(state)
    answer = panel.view.toPlainText()
    assert not hint.isVisible()
    for other in (decided, refine(state, Refinement(solo="cat"))):
        panel.show_state(other)
        assert hint.isVisible()
        assert "ignores" in hint.text()
        assert panel.view.toPlainText() == answer
    panel.show_state(state)
    assert not hint.isVisible()


def test_a_thousand_rows_are_refiltered_without_touching_each(
    panel: PanelWithBar, state: ViewerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = detections(*((0.1 + at / 2000, at % 4) for at in range(1000)))
    built = Mock(side_effect=Detections.__getitem__)
    panel.show_state(replace(state, detections=found))
    monkeypatch.setattr(Detections, "__getitem__", lambda self, at: built(self, at))
    panel.show_state(replace(choose_threshold(state, 0.2), detections=found))
    assert built.call_count < 100


def test_a_button_can_be_pressed_where_it_would_change_something(panel: PanelWithBar, decided: ViewerState) -> None:
    seen, before = decided.reviewed, decided.decided
    assert seen is not None
    enabled = set()
    for index in seen.shown.indices.tolist():
        panel.show_state(select(decided, frozenset({index})))
        after = {
            "acceptButton": accept(before, seen, {index}, 9),
            "rejectButton": reject(before, seen, {index}, 9),
            "forgetButton": forget(before, seen, {index}),
        }
        for name, kept in after.items():
            assert find(panel, name, QPushButton).isEnabled() == (kept != before), (index, name)
            enabled.add((name, kept != before))
    assert len(enabled) == 6


def test_taking_back_can_be_asked_for(panel: PanelWithBar, decided: ViewerState, qtbot: QtBot) -> None:
    panel.show_state(select(decided, frozenset({0})))
    with qtbot.waitSignal(panel.bar.forget_asked):
        find(panel, "forgetButton", QPushButton).click()
    panel.show_state(decided)
    assert not find(panel, "forgetButton", QPushButton).isEnabled()


def test_escape_empties_the_search_before_it_is_anything_else(panel: PanelWithBar, qtbot: QtBot) -> None:
    search, left = find(panel, "classSearch", QLineEdit), []
    shortcut = QShortcut(QKeySequence("Esc"), panel)
    shortcut.activated.connect(lambda: left.append(search.text()))
    panel.activateWindow()
    search.setFocus()
    qtbot.keyClicks(search, "cat")
    assert search.text() == "cat"
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert (search.text(), left) == ("", [])
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert left == [""]
