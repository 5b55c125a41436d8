"""The histogram and the row of suppression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QCheckBox, QDoubleSpinBox
from pytestqt.qtbot import QtBot

from desktop.results.histogram import ScoreHistogram
from desktop.results.refine_row import RefineRow
from desktop.state.viewer import ViewerState, choose_threshold, refine
from desktop.style.theme import THEMES
from engine.render.palette import label_colour
from engine.review.refine import Refinement
from tests.desktop.results.conftest import find


@pytest.fixture
def histogram(show: Callable[[ScoreHistogram], ScoreHistogram], state: ViewerState) -> ScoreHistogram:
    shown = show(ScoreHistogram())
    shown.resize(216, shown.height())
    shown.show_scores(state, None)
    shown.clearFocus()
    return shown


def colours(histogram: ScoreHistogram) -> set[str]:
    drawn = histogram.grab().toImage()
    row = drawn.height() - 6
    return {QColor(drawn.pixel(x, row)).name() for x in range(drawn.width())}


def test_the_tool_tip_counts_what_is_above(histogram: ScoreHistogram, state: ViewerState) -> None:
    assert histogram.summary() == "6 above 0.50"
    histogram.show_scores(refine(state, Refinement(class_thresholds={"cat": 0.75})), "cat")
    assert histogram.summary() == "cat: 2 above 0.75"


def test_bars_above_have_the_accent_or_the_classs_colour(histogram: ScoreHistogram, state: ViewerState) -> None:
    theme, of_class = THEMES["light"], QColor(*label_colour("cat")).name()
    assert {theme.accent, theme.scroll_bar} <= colours(histogram)
    histogram.show_scores(state, "cat")
    assert of_class in colours(histogram)
    assert theme.accent not in colours(histogram)
    histogram.show_scores(choose_threshold(state, 1.0), None)
    assert theme.accent not in colours(histogram)


def test_the_line_follows_pointer_and_keys(qtbot: QtBot, histogram: ScoreHistogram, state: ViewerState) -> None:
    chosen: list[float] = []
    histogram.threshold_chosen.connect(chosen.append)
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(8 + 50, 30))
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(8 + 50, 30))
    assert chosen == [0.25]
    histogram.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Home, Qt.Key.Key_End):
        qtbot.keyClick(histogram, key)
    assert chosen[1:] == [0.26, 0.27, 0.26, 0.31, 0.0, 1.0]


def test_showing_a_threshold_chooses_nothing(qtbot: QtBot, histogram: ScoreHistogram, state: ViewerState) -> None:
    with qtbot.assertNotEmitted(histogram.threshold_chosen):
        histogram.show_scores(choose_threshold(state, 0.81), None)
    assert histogram.value() == 81


def test_suppression_is_off_until_it_is_asked_for(
    qtbot: QtBot, show: Callable[[RefineRow], RefineRow], state: ViewerState
) -> None:
    row = show(RefineRow())
    chosen: list[Refinement] = []
    row.refinement_chosen.connect(chosen.append)
    toggle, across = find(row, "suppressToggle", QCheckBox), find(row, "suppressAcross", QCheckBox)
    spin = find(row, "suppressSpin", QDoubleSpinBox)
    hiding = refine(state, Refinement(hidden=frozenset({"cat"})))
    row.show_state(hiding)
    assert [toggle.isChecked(), spin.isEnabled(), across.isEnabled()] == [False] * 3
    assert not chosen
    toggle.click()
    assert chosen == [replace(hiding.refinement, suppress_iou=0.7)]
    row.show_state(refine(state, chosen[-1]))
    spin.setValue(0.4)
    row.show_state(refine(state, chosen[-1]))
    across.click()
    assert chosen[1:] == [
        replace(hiding.refinement, suppress_iou=0.4),
        replace(hiding.refinement, suppress_iou=0.4, across_classes=True),
    ]
    assert (spin.minimum(), spin.maximum()) == (0.1, 0.95)
