"""The progress of a conversion, from the engine to the status bar."""

from __future__ import annotations

from unittest.mock import patch

from PyQt5.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desktop.state.holder import StateHolder
from desktop.state.viewer import Stage, ViewerState, converted, waiting
from desktop.viewer import conversion_watch
from desktop.viewer.conversion_watch import ConversionWatch
from desktop.window.status_line import StatusLine
from engine.engine import Engine
from engine.errors import ModelError
from engine.inference.conversions import Conversion


def test_it_is_polled_while_it_is_under_way(qtbot: QtBot, engine: Engine) -> None:
    states = [Conversion("waiting"), Conversion("converting", 40), Conversion("converted")]
    told: list[int | None] = []
    holder = StateHolder(ViewerState(), lambda state: told.append(state.conversion), str)
    with patch.object(conversion_watch, "POLL_MS", 10):
        watch = ConversionWatch(engine, holder)
    with patch.object(Engine, "conversion", side_effect=states):
        watch.on_state_changed(waiting(holder.state, Stage.DETECTING))
        watch.on_state_changed(waiting(holder.state, None))
        qtbot.waitUntil(lambda: told == [0, 40, None], timeout=10_000)
    assert watch.stop(10)


def test_a_model_that_cannot_be_read_has_none(qtbot: QtBot, engine: Engine) -> None:
    holder = StateHolder(converted(ViewerState(), 40), lambda state: None, str)
    watch = ConversionWatch(engine, holder)
    with patch.object(Engine, "conversion", side_effect=ModelError("not_found", "There is no such model.")):
        watch.on_state_changed(waiting(holder.state, Stage.LOADING_MODEL))
        watch.on_state_changed(waiting(holder.state, None))
        qtbot.waitUntil(lambda: holder.state.conversion is None, timeout=10_000)
    assert watch.stop(10)


def test_the_status_bar_tells_the_percent(qtbot: QtBot, qapp: QApplication) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.show()
    label = line.findChild(QLabel, "conversionLabel")
    assert label is not None
    line.show_state(converted(ViewerState(), 40))
    assert (label.text(), label.isVisible()) == ("Converting for this processor, 40 %", True)
    line.show_state(converted(ViewerState(), None))
    assert not label.isVisible()
