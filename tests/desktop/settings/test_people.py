"""The whole window follows the preferences: language, colours, keys, layout, hints."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5 import sip
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QImage, QKeySequence
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QComboBox,
    QDockWidget,
    QLabel,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.keys.list import KeyList
from desktop.settings.dialog import SettingsDialog
from desktop.settings.preferences import PreferenceStore
from desktop.window.hints import THRESHOLD, HintStrip
from desktop.window.main_window import MainWindow
from tests.desktop.conftest import Driver

OpenWindow = Callable[..., Driver]

pytestmark = pytest.mark.usefixtures("english_again")


def store_of(driver: Driver) -> PreferenceStore:
    return driver.window.preferences


def texts(window: MainWindow) -> set[str]:
    """What labels, buttons, docks, tabs and actions say."""
    found: set[str] = {action.text() for action in window.findChildren(QAction) if action.objectName()}
    for widget in window.findChildren(QWidget):
        if isinstance(widget, QLabel | QAbstractButton):
            found.add(widget.text())
        elif isinstance(widget, QDockWidget):
            found.add(widget.windowTitle())
        elif isinstance(widget, QTabWidget):
            found |= {widget.tabText(at) for at in range(widget.count())}
    return {text for text in found if text}


def speak(driver: Driver, language: str) -> None:
    former = driver.window.view
    store_of(driver).change(language=language)
    driver.wait_until(lambda: driver.window.view is not former and sip.isdeleted(former))
    assert driver.window.isActiveWindow()


def test_the_whole_window_speaks_another_language_at_once(driver: Driver) -> None:
    english, window, state = texts(driver.window), driver.window, driver.state
    assert "Detect" in english
    speak(driver, "zh_CN")
    assert driver.window is window
    assert driver.state.detections is state.detections
    assert not texts(window) & {"Detect", "Cancel", "Images", "Results", "Detections", "Open images…", "Quit"}
    assert {"检测", "取消"} <= texts(window)
    assert window.windowTitle().startswith(driver.state.image.source.name)
    speak(driver, "en")
    assert texts(window) <= english


def test_what_was_open_is_shown_again_and_goes_on(driver: Driver, sample: Path) -> None:
    driver.window.viewer.choosing.select(frozenset({0}))
    speak(driver, "zh_CN")
    assert driver.window.view.selected == driver.state.selected
    shown = driver.state.shown
    assert shown is not None
    assert driver.window.panels.detections.table.model().rowCount() == len(shown)
    driver.window.viewer.browsing.open([sample])
    driver.wait_detected(sample.name)
    assert driver.window.windowTitle().startswith(sample.name)


def test_where_things_are_stays(driver: Driver) -> None:
    window = driver.window
    window.setGeometry(30, 40, 1500, 1000)
    tabs = window.findChild(QTabWidget, "resultTabs")
    dock = window.findChild(QDockWidget, "sourceDock")
    assert tabs is not None
    assert dock is not None
    tabs.setCurrentIndex(1)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resizeDocks([dock], [460], Qt.Orientation.Horizontal)
    driver.qtbot.waitUntil(lambda: dock.width() == 460)
    speak(driver, "zh_CN")
    tabs = window.findChild(QTabWidget, "resultTabs")
    dock = window.findChild(QDockWidget, "sourceDock")
    assert tabs is not None
    assert dock is not None
    assert (tabs.currentIndex(), window.dockWidgetArea(dock)) == (1, Qt.DockWidgetArea.RightDockWidgetArea)
    assert window.geometry().getRect() == (30, 40, 1500, 1000)
    assert dock.width() == 460


def without_thumbnails(driver: Driver) -> QImage:
    """How the window looks but for its thumbnails, which are made from the image or from their file."""
    driver.window.panels.sources.list.hide()
    return driver.window.grab().toImage()


def test_other_colours_reach_everything(driver: Driver, qtbot: QtBot) -> None:
    driver.window.resize(1400, 1000)
    driver.window.tell("Something that has an icon.")
    store_of(driver).change(scheme="light")
    store_of(driver).change(scheme="dark")
    qtbot.wait(500)
    switched = without_thumbnails(driver)
    driver.window.fill_again()
    driver.wait_until(lambda: without_thumbnails(driver) == switched)


def test_nothing_of_the_former_language_is_left(driver: Driver) -> None:
    former = [
        driver.window.view,
        driver.window.panels.controls,
        driver.window.panels.sources,
        driver.window.panels.server,
    ]
    for language in ("zh_CN", "en", "zh_CN"):
        speak(driver, language)
    gc.collect()
    assert all(sip.isdeleted(widget) for widget in former)
    names = [widget.objectName() for widget in driver.window.findChildren(QDockWidget)]
    assert sorted(names) == ["resultDock", "sourceDock"]
    actions = [action.objectName() for action in driver.window.actions()]
    assert len(actions) == len(set(actions))


def test_keys_act_once_after_the_language_changed(driver: Driver, qtbot: QtBot) -> None:
    speak(driver, "zh_CN")
    qtbot.wait(1)
    threshold = driver.state.chosen.threshold
    driver.window.view.setFocus()
    qtbot.keyClick(driver.window.view, Qt.Key.Key_BracketLeft)
    assert driver.state.chosen.threshold == pytest.approx(threshold - 0.05)
    qtbot.keyClick(driver.window.view, Qt.Key.Key_F1)
    assert len(driver.window.findChildren(KeyList)) == 1


def test_the_settings_are_opened_by_key_and_switch_the_language_by_keyboard(driver: Driver, qtbot: QtBot) -> None:
    qtbot.keyClick(driver.window.view, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    dialog = driver.window.findChild(SettingsDialog)
    assert dialog is not None
    language = dialog.page.findChild(QComboBox, "language")
    assert language is not None
    former = driver.window.view
    language.setFocus()
    qtbot.keyClick(language, Qt.Key.Key_End)
    driver.wait_until(lambda: driver.window.view is not former)
    assert "检测" in texts(driver.window)
    assert dialog.isVisible()
    qtbot.keyClick(driver.window.view, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert driver.window.findChildren(SettingsDialog) == [dialog]
    dialog.close()


def test_another_key_acts_at_once_and_at_the_next_start(driver: Driver, qtbot: QtBot, open_window: OpenWindow) -> None:
    store_of(driver).change(keys={"thresholdUp": ("Ctrl+U", "G")})
    view = driver.window.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_BracketRight)
    assert driver.state.chosen.threshold == 0.5
    qtbot.keyClick(view, Qt.Key.Key_G)
    assert driver.state.chosen.threshold == 0.55
    action = open_window().window.findChild(QAction, "thresholdUp")
    assert action is not None
    assert action.shortcuts() == [QKeySequence("Ctrl+U"), QKeySequence("G")]


def test_a_bare_letter_is_left_to_text_fields(driver: Driver, qtbot: QtBot) -> None:
    store_of(driver).change(keys={"fit": ("G",)})
    edit = driver.window.panels.sources.edit
    edit.setFocus()
    qtbot.keyClicks(edit, "G")
    assert edit.text() == "G"


def test_the_layout_is_remembered_and_reset(driver: Driver, open_window: OpenWindow) -> None:
    dock = driver.window.findChild(QDockWidget, "sourceDock")
    assert dock is not None
    dock.hide()
    driver.window.close()
    again = open_window().window
    dock = again.findChild(QDockWidget, "sourceDock")
    assert dock is not None
    assert dock.isHidden()
    again.findChild(QAction, "resetLayout").trigger()
    assert dock.isVisible()


def test_hints_are_told_once(driver: Driver, open_window: OpenWindow, image_file: Path) -> None:
    driver.window.viewer.choosing.set_threshold(0.9)
    driver.window.viewer.browsing.detect_again()
    strip = driver.window.findChild(HintStrip)
    assert strip is not None
    driver.wait_until(lambda: strip.hint is not None)
    told = strip.hint
    assert told is not None
    close = strip.findChild(QAbstractButton, "closeHint")
    assert close is not None
    close.click()
    assert store_of(driver).value.hints_seen == {told.name}
    driver.window.close()
    again = open_window(image_file)
    again.wait_detected(image_file.name)
    strip = again.window.findChild(HintStrip)
    assert strip is not None
    assert strip.hint is None or strip.hint.name != told.name
    again.window.findChild(QAction, "thresholdUp").trigger()
    assert store_of(again).value.hints_seen == {told.name, THRESHOLD}
