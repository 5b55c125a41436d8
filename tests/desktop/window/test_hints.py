"""Hints: when they are shown, one an image, each once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.state.viewer import Stage, ViewerState, choose_threshold, detected, opened, waiting
from desktop.window.hints import ACCEPT, DONE_BY, KEYS, THRESHOLD, HintStrip, hint_for
from engine.detect.detection import Detections
from engine.image.opened import OpenedImage
from engine.image.source import parse_source

KEY_TEXTS = {"acceptAll": "Space", "thresholdDown": "[", "thresholdUp": "]", "keys": "F1"}


def detections(*scores: float) -> Detections:
    boxes = np.tile(np.array([1.0, 1.0, 9.0, 9.0], np.float32), (len(scores), 1))
    return Detections.from_arrays(
        np.array(scores, np.float32), np.zeros(len(scores), np.int64), boxes, {0: "code"}, 10, 10
    )


def image() -> OpenedImage:
    return OpenedImage(parse_source("a.png"), Image.new("RGB", (10, 10)), 1.0)


def state_with(*scores: float, threshold: float = 0.5) -> ViewerState:
    return choose_threshold(detected(opened(ViewerState(), image(), None), detections(*scores)), threshold)


def name_of(state: ViewerState, *seen: str, keys: dict[str, str] = KEY_TEXTS) -> str | None:
    hint = hint_for(state, frozenset(seen), keys)
    return None if hint is None else hint.name


def test_nothing_is_told_before_there_is_something_to_do() -> None:
    assert name_of(ViewerState()) is None
    assert name_of(opened(ViewerState(), image(), None)) is None
    assert name_of(waiting(state_with(0.9), Stage.DETECTING)) is None


def test_each_hint_has_its_moment() -> None:
    assert name_of(state_with(0.9)) == ACCEPT
    assert name_of(state_with(0.2)) == THRESHOLD
    assert name_of(state_with()) == KEYS
    assert name_of(state_with(0.9, 0.2), ACCEPT) == THRESHOLD
    assert name_of(state_with(0.9), ACCEPT) == KEYS
    assert name_of(state_with(0.9, 0.2), ACCEPT, THRESHOLD, KEYS) is None


def test_hints_name_the_keys_that_the_user_has() -> None:
    hint = hint_for(state_with(0.9), (), {**KEY_TEXTS, "acceptAll": "Ctrl+Return"})
    assert hint is not None
    assert hint.text.startswith("Ctrl+Return ")


@pytest.mark.parametrize("action", KEY_TEXTS)
def test_what_has_no_key_is_not_told(action: str) -> None:
    without = {name: key for name, key in KEY_TEXTS.items() if name != action}
    told = {name_of(state_with(*scores), keys=without) for scores in ((0.9,), (0.2,), ())}
    assert DONE_BY[action] not in told


@pytest.fixture
def canvas(qtbot: QtBot) -> QWidget:
    canvas = QWidget()
    canvas.resize(800, 300)
    qtbot.addWidget(canvas)
    canvas.show()
    return canvas


@pytest.fixture
def strip(canvas: QWidget) -> HintStrip:
    return HintStrip(canvas)


def show(strip: HintStrip, state: ViewerState, *seen: str) -> str | None:
    strip.show_state(state, seen, KEY_TEXTS)
    assert strip.isVisible() == (strip.hint is not None)
    return None if strip.hint is None else strip.hint.name


def test_a_hint_stays_with_its_image(strip: HintStrip, qtbot: QtBot) -> None:
    state = state_with(0.9, 0.2)
    assert show(strip, state) == ACCEPT
    with qtbot.assertNotEmitted(strip.seen):
        assert show(strip, choose_threshold(state, 0.95)) == ACCEPT
        assert show(strip, waiting(state, Stage.DETECTING)) == ACCEPT
    with qtbot.waitSignal(strip.seen) as told:
        assert show(strip, state_with(0.9, 0.2)) == THRESHOLD
    assert told.args == [ACCEPT]


def test_one_image_has_one_hint(strip: HintStrip, qtbot: QtBot) -> None:
    state = state_with(0.9, 0.2)
    show(strip, state)
    with qtbot.waitSignal(strip.seen) as told:
        qtbot.mouseClick(strip, Qt.MouseButton.LeftButton)
    assert told.args == [ACCEPT]
    assert show(strip, state, ACCEPT) is None
    assert show(strip, replace(state, image=image()), ACCEPT) == THRESHOLD


def test_its_button_closes_it_by_keyboard(strip: HintStrip, qtbot: QtBot) -> None:
    show(strip, state_with(0.9))
    close = strip.findChild(QToolButton, "closeHint")
    assert close is not None
    with qtbot.waitSignal(strip.seen):
        qtbot.keyClick(close, Qt.Key.Key_Space)
    assert strip.isHidden()


def test_doing_it_makes_the_hint_needless_shown_or_not(strip: HintStrip, qtbot: QtBot) -> None:
    show(strip, state_with(0.9))
    with qtbot.waitSignal(strip.seen) as told:
        strip.did("thresholdUp")
    assert told.args == [THRESHOLD]
    assert strip.isVisible()
    with qtbot.waitSignal(strip.seen) as told:
        strip.did("acceptAll")
    assert told.args == [ACCEPT]
    assert strip.isHidden()
    with qtbot.assertNotEmitted(strip.seen):
        strip.did("openFiles")


def test_it_stays_at_the_lower_edge_within_the_canvas(strip: HintStrip, canvas: QWidget, qtbot: QtBot) -> None:
    show(strip, state_with(0.9))
    for width, height in ((900, 500), (240, 200)):
        canvas.resize(width, height)
        assert canvas.rect().contains(strip.geometry())
        assert abs(strip.geometry().center().x() - canvas.rect().center().x()) <= 1
        assert strip.height() >= strip.heightForWidth(strip.width())


def test_it_does_not_take_the_focus(strip: HintStrip, canvas: QWidget, qtbot: QtBot) -> None:
    canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    with qtbot.waitActive(canvas):
        canvas.activateWindow()
    canvas.setFocus()
    show(strip, state_with(0.9))
    assert canvas.hasFocus()
