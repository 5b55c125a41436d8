"""TilingRow, and the progress of tiles in the status bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QComboBox, QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from desktop.results.tiling_row import SIDES, TilingRow
from desktop.state.viewer import Stage, ViewerState, at_tile, choose_tiling, paced, waiting
from desktop.window.status_line import StatusLine
from engine.detect.tiling import Pace, Tiling
from tests.desktop.results.conftest import find

LARGE, TAKES = (4000, 3000), (1066, 800)


@pytest.fixture
def row(show: Callable[[TilingRow], TilingRow], state: ViewerState) -> TilingRow:
    shown = show(TilingRow())
    shown.show_state(state)
    return shown


def texts(row: TilingRow) -> list[str]:
    picker = find(row, "tilingPicker", QComboBox)
    return [picker.itemText(at) for at in range(picker.count())]


def test_images_are_not_cut_until_it_is_chosen(row: TilingRow, qtbot: QtBot) -> None:
    chosen: list[Tiling | None] = []
    row.tiling_chosen.connect(chosen.append)
    picker = find(row, "tilingPicker", QComboBox)
    assert picker.currentText() == "off"
    picker.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Up):
        qtbot.keyClick(picker, key)
    assert chosen == [Tiling(SIDES[0]), Tiling(SIDES[1]), Tiling(SIDES[0]), None]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, "48 tiles"),
        (180.0, "48 tiles, about 9 s an image"),
        (2.0, "48 tiles, about 1 s an image"),
        (3500.0, "48 tiles, about 3 min an image"),
    ],
)
def test_each_choice_says_what_it_costs_before_it_is_made(
    row: TilingRow, state: ViewerState, milliseconds: float | None, words: str
) -> None:
    assert texts(row)[3] == "640 px"
    row.show_state(paced(state, Pace(*LARGE, TAKES, milliseconds)))
    assert texts(row)[3] == f"640 px: {words}"


def test_it_says_where_an_image_is_small_enough_without(row: TilingRow, state: ViewerState) -> None:
    row.show_state(paced(state, Pace(1500, 1000, (1066, 800), 100.0)))
    assert texts(row)[1:] == [f"{side} px: this image is small enough without" for side in SIDES]


def test_showing_what_is_chosen_chooses_nothing(row: TilingRow, state: ViewerState, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(row.tiling_chosen):
        row.show_state(choose_tiling(state, Tiling(480)))
        assert find(row, "tilingPicker", QComboBox).currentText() == "480 px"
        row.show_state(choose_tiling(state, Tiling(700)))
        assert find(row, "tilingPicker", QComboBox).currentText() == "700 px"
        assert len(texts(row)) == 2 + len(SIDES)
        row.show_state(state)
    assert texts(row) == ["off", *(f"{side} px" for side in SIDES)]
    assert find(row, "tilingPicker", QComboBox).currentText() == "off"


def test_the_status_line_counts_the_tiles(show: Callable[[StatusLine], StatusLine], state: ViewerState) -> None:
    line = show(StatusLine())
    stage, progress = find(line, "stageLabel", QLabel), line.findChildren(QProgressBar)[0]
    detecting = waiting(state, Stage.DETECTING)
    line.show_state(detecting)
    assert (stage.text(), progress.maximum()) == ("Detecting…", 0)
    line.show_state(at_tile(detecting, 3, 24))
    assert stage.text() == "Detecting, tile 3 of 24…"
    assert (progress.value(), progress.maximum()) == (3, 24)
    line.show_state(waiting(at_tile(detecting, 24, 24), None))
    assert (stage.text(), progress.isVisible()) == ("", False)
    line.show_state(replace(detecting, stage=Stage.OPENING))
    assert progress.maximum() == 0
