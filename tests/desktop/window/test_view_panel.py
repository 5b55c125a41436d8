"""ViewPanel: sliders of the display settings."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QPushButton, QSlider, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from desktop.canvas.display import DisplaySettings
from desktop.window.view_panel import ViewPanel


@pytest.fixture
def panel(qtbot: QtBot) -> ViewPanel:
    shown = ViewPanel()
    qtbot.addWidget(shown)
    shown.show()
    return shown


@pytest.mark.parametrize(
    ("name", "value", "display"),
    [
        ("brightness", -40, DisplaySettings(brightness=-40)),
        ("contrast", 100, DisplaySettings(contrast=100)),
        ("boxOpacity", 30, DisplaySettings(box_opacity=0.3)),
        ("labelOpacity", 0, DisplaySettings(label_opacity=0.0)),
    ],
)
def test_sliders_and_numbers_tell_and_follow_each_other(
    panel: ViewPanel, qtbot: QtBot, name: str, value: int, display: DisplaySettings
) -> None:
    slider, spin = panel.findChild(QSlider, f"{name}Slider"), panel.findChild(QSpinBox, f"{name}Spin")
    with qtbot.waitSignal(panel.display_chosen) as told:
        slider.setValue(value)
    assert told.args == [display]
    assert spin.value() == value
    panel.reset()
    with qtbot.waitSignals([panel.display_chosen], timeout=1000):
        spin.setValue(value)
    assert panel.display == display
    assert slider.value() == value


def test_what_is_shown_is_not_told(panel: ViewPanel, qtbot: QtBot) -> None:
    display = DisplaySettings(10, -20, 0.5, 0.25)
    with qtbot.assertNotEmitted(panel.display_chosen):
        panel.show_display(display)
    assert panel.display == display


def test_reset_sets_all_back_and_tells_once(panel: ViewPanel, qtbot: QtBot) -> None:
    button = panel.findChild(QPushButton, "viewResetButton")
    assert not button.isEnabled()
    panel.show_display(DisplaySettings(10, -20, 0.5, 0.25))
    told: list[DisplaySettings] = []
    panel.display_chosen.connect(told.append)
    button.click()
    assert told == [DisplaySettings()]
    assert not button.isEnabled()


def test_everything_has_a_name_and_the_keyboard_reaches_it(panel: ViewPanel, qtbot: QtBot) -> None:
    controls = [*panel.findChildren(QSlider), *panel.findChildren(QSpinBox), *panel.findChildren(QPushButton)]
    assert len(controls) == 9
    for control in controls:
        assert isinstance(control, QWidget)
        assert control.objectName()
        assert control.accessibleName()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
    slider = panel.findChild(QSlider, "contrastSlider")
    QTest.keyClick(slider, Qt.Key.Key_Right)
    QTest.keyClick(slider, Qt.Key.Key_PageUp)
    assert panel.display == DisplaySettings(contrast=11)
