"""ClassList: counts, hidden classes, search, thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PyQt5.QtCore import QModelIndex, QPoint, Qt
from PyQt5.QtWidgets import QDoubleSpinBox, QLineEdit, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from desktop.results.class_list import ClassList
from desktop.results.class_model import HERE, NAME, SESSION, THRESHOLD
from desktop.state.viewer import ViewerState, refine
from engine.detect.detection import Detections
from engine.review.refine import Refinement
from engine.review.tally import Tally
from tests.desktop.results.conftest import find

Show = Callable[[ClassList], ClassList]


@pytest.fixture
def classes(show: Show, state: ViewerState) -> ClassList:
    """The list, which shows again what it chooses."""
    shown = show(ClassList())
    held = [state]

    def choose(refinement: Refinement) -> None:
        held[0] = refine(held[0], refinement)
        shown.show_state(held[0])

    shown.refinement_chosen.connect(choose)
    shown.show_state(state)
    return shown


def cell(classes: ClassList, row: int, column: int) -> QModelIndex:
    return classes.table.model().index(row, column)


def text(classes: ClassList, row: int, column: int) -> str:
    return str(cell(classes, row, column).data())


def names(classes: ClassList) -> list[str]:
    return [text(classes, row, NAME) for row in range(classes.table.model().rowCount())]


def click(qtbot: QtBot, classes: ClassList, at: QModelIndex, dx: int = 60, **keys: object) -> None:
    corner = classes.table.visualRect(at).topLeft()
    modifier = keys.get("modifier", Qt.KeyboardModifier.NoModifier)
    qtbot.mouseClick(classes.table.viewport(), Qt.MouseButton.LeftButton, modifier, corner + QPoint(dx, 8))


def test_each_class_has_its_counts_and_the_unseen_come_last(classes: ClassList) -> None:
    assert names(classes) == ["cat", "qr_code", "狗", "zebra"]
    assert [text(classes, row, HERE) for row in range(4)] == ["2", "1", "1", "0"]
    assert [text(classes, row, SESSION) for row in range(4)] == ["3", "2", "1", "0"]
    assert {text(classes, row, THRESHOLD) for row in range(4)} == {"as all"}
    quiet, plain = (cell(classes, row, NAME).data(Qt.ItemDataRole.ForegroundRole) for row in (3, 0))
    assert quiet != plain


def test_the_check_box_hides_and_shows(qtbot: QtBot, classes: ClassList) -> None:
    with qtbot.waitSignal(classes.refinement_chosen) as hidden:
        click(qtbot, classes, cell(classes, 0, NAME), dx=16)
    assert hidden.args == [Refinement(hidden=frozenset({"cat"}))]
    assert cell(classes, 0, NAME).data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Unchecked
    assert text(classes, 0, HERE) == "2", "one sees how many are hidden"
    classes.table.setCurrentIndex(cell(classes, 0, NAME))
    with qtbot.waitSignal(classes.refinement_chosen) as shown:
        qtbot.keyClick(classes.table, Qt.Key.Key_Space)
    assert shown.args == [Refinement()]


def test_alt_click_shows_a_class_alone_and_show_all_all(qtbot: QtBot, classes: ClassList) -> None:
    with qtbot.waitSignal(classes.refinement_chosen) as alone:
        click(qtbot, classes, cell(classes, 2, NAME), modifier=Qt.KeyboardModifier.AltModifier)
    assert alone.args == [Refinement(solo="狗")]
    states = [cell(classes, row, NAME).data(Qt.ItemDataRole.CheckStateRole) for row in range(4)]
    assert states == [Qt.CheckState.Unchecked, Qt.CheckState.Unchecked, Qt.CheckState.Checked, Qt.CheckState.Unchecked]
    everything = find(classes, "classAllButton", QToolButton)
    with qtbot.waitSignal(classes.refinement_chosen) as all_again:
        qtbot.mouseClick(everything, Qt.MouseButton.LeftButton)
    assert all_again.args == [Refinement()]
    assert not everything.isEnabled()


def test_the_button_shows_the_selected_class_alone(qtbot: QtBot, classes: ClassList) -> None:
    button = find(classes, "classSoloButton", QToolButton)
    assert not button.isEnabled()
    with qtbot.waitSignal(classes.class_selected) as selected:
        click(qtbot, classes, cell(classes, 1, NAME))
    assert selected.args == ["qr_code"]
    for solo in ("qr_code", None):
        with qtbot.waitSignal(classes.refinement_chosen) as chosen:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert chosen.args == [Refinement(solo=solo)]
        assert button.isChecked() == (solo is not None)
    with qtbot.waitSignal(classes.class_selected) as deselected:
        click(qtbot, classes, cell(classes, 1, NAME))
    assert deselected.args == [None]


def test_the_search_finds_any_part_in_any_case(classes: ClassList) -> None:
    search = find(classes, "classSearch", QLineEdit)
    for typed, found in (("C", ["cat", "qr_code"]), ("狗", ["狗"]), ("EB", ["zebra"]), ("x", []), ("", None)):
        search.setText(typed)
        assert names(classes) == (["cat", "qr_code", "狗", "zebra"] if found is None else found)


def test_a_class_gets_a_threshold_of_its_own_and_loses_it(qtbot: QtBot, classes: ClassList) -> None:
    chosen: list[Refinement] = []
    classes.refinement_chosen.connect(chosen.append)
    click(qtbot, classes, cell(classes, 0, THRESHOLD), dx=20)
    spin = find(classes, "classThresholdSpin", QDoubleSpinBox)
    assert spin.value() == 0.5
    spin.stepUp()
    spin.stepUp()
    assert [dict(each.class_thresholds) for each in chosen] == [{"cat": 0.55}, {"cat": 0.6}]
    assert text(classes, 0, THRESHOLD) == "0.60"
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    classes.table.setCurrentIndex(cell(classes, 0, THRESHOLD))
    qtbot.keyClick(classes.table, Qt.Key.Key_Delete)
    assert chosen[-1] == Refinement()
    assert text(classes, 0, THRESHOLD) == "as all"


def test_looking_at_a_threshold_does_not_make_it_the_classs_own(qtbot: QtBot, classes: ClassList) -> None:
    classes.table.setCurrentIndex(cell(classes, 0, NAME))
    with qtbot.assertNotEmitted(classes.refinement_chosen):
        qtbot.keyClick(classes.table, Qt.Key.Key_F2)
        qtbot.keyClick(find(classes, "classThresholdSpin", QDoubleSpinBox), Qt.Key.Key_Return)


def test_the_lowest_step_is_the_same_as_all(qtbot: QtBot, classes: ClassList, state: ViewerState) -> None:
    classes.show_state(refine(state, Refinement(class_thresholds={"cat": 0.0})))
    click(qtbot, classes, cell(classes, 0, THRESHOLD), dx=20)
    with qtbot.waitSignal(classes.refinement_chosen) as chosen:
        find(classes, "classThresholdSpin", QDoubleSpinBox).stepDown()
    assert chosen.args == [Refinement()]


def test_the_menu_does_what_the_mouse_does(qtbot: QtBot, classes: ClassList) -> None:
    chosen: list[Refinement] = []
    classes.refinement_chosen.connect(chosen.append)
    actions = classes.table.menu_of(2).actions()
    assert not actions[3].isEnabled()
    actions[0].trigger()
    actions[1].trigger()
    assert chosen == [Refinement(solo="狗"), Refinement(hidden=frozenset({"狗"}))]


def test_the_selection_stays_with_its_class(classes: ClassList, state: ViewerState) -> None:
    classes.table.select_name("狗")
    find(classes, "classSearch", QLineEdit).setText("狗")
    assert (names(classes), classes.selected) == (["狗"], "狗")


def test_an_unchanged_state_costs_nothing(classes: ClassList, state: ViewerState) -> None:
    model = classes.table.model()
    changes: list[object] = []
    model.dataChanged.connect(lambda *_: changes.append("data"))
    model.modelReset.connect(lambda: changes.append("reset"))
    classes.show_state(replace(state, selected=frozenset({1})))
    assert changes == []
    classes.show_state(replace(state, chosen=replace(state.chosen, threshold=0.1)))
    assert changes == ["data"]


def test_six_hundred_classes_are_rows_and_not_widgets(show: Show, state: ViewerState) -> None:
    names_of_many = {number: f"class {number:03}" for number in range(600)}
    rng = np.random.default_rng(0)
    found = Detections.from_arrays(
        rng.uniform(0.1, 1, 900).astype(np.float32),
        rng.integers(0, 600, 900),
        np.tile(np.array([0, 0, 9, 9], np.float32), (900, 1)),
        names_of_many,
        400,
        300,
    )
    tally = Tally()
    tally.put(0, found)
    classes = show(ClassList())
    classes.show_state(replace(state, detections=found, scores=tally.scores()))
    table = find(classes, "classList", QTableView)
    assert len(names(classes)) == 600
    assert len(table.viewport().children()) < 5
