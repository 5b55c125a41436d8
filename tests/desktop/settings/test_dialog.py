"""The settings dialog: changes apply at once, are saved, and are shown in the new language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5 import sip
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.settings.appearance import Appearance
from desktop.settings.dialog import SettingsDialog
from desktop.settings.preferences import PreferenceStore
from desktop.style.i18n import tr
from engine.settings import Settings, load_settings

pytestmark = pytest.mark.usefixtures("english_again")

FIELDS = (QComboBox, QAbstractSpinBox, QCheckBox, QPushButton)


@pytest.fixture
def store() -> Iterator[PreferenceStore]:
    store = PreferenceStore()
    store.settings = Settings()
    yield store
    sip.delete(store)


@pytest.fixture
def dialog(qtbot: QtBot, store: PreferenceStore) -> SettingsDialog:
    return opened(qtbot, store)


def opened(qtbot: QtBot, store: PreferenceStore) -> SettingsDialog:
    dialog = SettingsDialog(store, ("starter", "快递"))
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    return dialog


def combo(dialog: SettingsDialog, name: str) -> QComboBox:
    found = dialog.page.findChild(QComboBox, name)
    assert found is not None
    return found


def spin(dialog: SettingsDialog, name: str) -> QSpinBox:
    found = dialog.page.findChild(QSpinBox, name)
    assert found is not None
    return found


def choose(qtbot: QtBot, box: QComboBox, value: str) -> None:
    """Choose by keyboard, as a person does."""
    box.setFocus()
    for _ in range(box.count()):
        if box.currentData() == value:
            return
        key = Qt.Key.Key_Down if box.currentIndex() < box.findData(value) else Qt.Key.Key_Up
        qtbot.keyClick(box, key)
    assert box.currentData() == value


def focus_order(qtbot: QtBot, dialog: SettingsDialog) -> list[str]:
    """Names of what Tab reaches, once around."""
    names: list[str] = []
    while True:
        focused = dialog.focusWidget()
        assert focused is not None
        if focused.objectName() in names:
            return names
        names.append(focused.objectName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)


def test_everything_is_reached_by_keyboard_and_named(dialog: SettingsDialog, qtbot: QtBot) -> None:
    reached = focus_order(qtbot, dialog)
    assert reached == [
        "language",
        "scheme",
        "keysButton",
        "detectOnOpening",
        "threshold",
        "model",
        "device",
        "loaded_models",
        "hub_endpoint",
        "max_pixels",
        "max_file_bytes",
        "closeSettings",
    ]
    assert all(field.accessibleName() for name in reached[:-1] for field in [dialog.findChild(QWidget, name)] if field)


@pytest.mark.parametrize(
    ("name", "value"), [("language", "zh_CN"), ("language", "en"), ("scheme", "dark"), ("scheme", "light")]
)
def test_what_the_window_is_like_is_chosen(
    dialog: SettingsDialog, qtbot: QtBot, store: PreferenceStore, name: str, value: str
) -> None:
    choose(qtbot, combo(dialog, name), value)
    assert getattr(store.value, name) == value
    assert getattr(PreferenceStore().value, name) == value


@pytest.mark.parametrize(("name", "value"), [("model", "快递"), ("device", "cpu")])
def test_what_detects_is_chosen(
    dialog: SettingsDialog, qtbot: QtBot, store: PreferenceStore, name: str, value: str
) -> None:
    choose(qtbot, combo(dialog, name), value)
    assert getattr(store.settings, name) == value
    assert getattr(load_settings(), name) == value


@pytest.mark.parametrize(
    ("name", "shown", "entered", "kept"),
    [
        ("loaded_models", 2, 5, 5),
        ("max_pixels", 128, 40, 40_000_000),
        ("max_file_bytes", 512, 64, 64 * 1024 * 1024),
    ],
)
def test_numbers_are_set_in_units_of_people(
    dialog: SettingsDialog, store: PreferenceStore, name: str, shown: int, entered: int, kept: int
) -> None:
    box = spin(dialog, name)
    assert box.value() == shown
    box.setValue(entered)
    assert getattr(store.settings, name) == getattr(load_settings(), name) == kept


def test_how_detecting_begins_is_set(dialog: SettingsDialog, qtbot: QtBot, store: PreferenceStore) -> None:
    check, threshold = dialog.findChild(QCheckBox, "detectOnOpening"), dialog.findChild(QDoubleSpinBox, "threshold")
    assert check is not None
    assert threshold is not None
    qtbot.keyClick(check, Qt.Key.Key_Space)
    threshold.stepUp()
    assert (store.value.detect_on_opening, store.value.threshold) == (False, 0.55)
    assert PreferenceStore().value == store.value


def test_what_is_set_already_is_shown(qtbot: QtBot, store: PreferenceStore) -> None:
    store.change(language="en", scheme="dark", threshold=0.3, detect_on_opening=False)
    store.change_settings(device="cuda:1", model="/models/mine", max_pixels=400_000)
    dialog = opened(qtbot, store)
    shown = {name: combo(dialog, name).currentData() for name in ("language", "scheme", "device", "model")}
    assert shown == {"language": "en", "scheme": "dark", "device": "cuda:1", "model": "/models/mine"}
    assert spin(dialog, "max_pixels").value() == 1
    assert store.settings.max_pixels == 400_000


def test_what_the_environment_sets_is_left_to_it(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETRDESK_DEVICE", "cpu")
    monkeypatch.setenv("DETRDESK_MAX_PIXELS", "5000000")
    store = PreferenceStore()
    store.settings = load_settings()
    dialog = opened(qtbot, store)
    for field in (combo(dialog, "device"), spin(dialog, "max_pixels")):
        assert not field.isEnabled()
        assert "DETRDESK_" in field.toolTip()
    assert spin(dialog, "max_pixels").value() == 5
    assert combo(dialog, "model").isEnabled()


def test_it_speaks_the_chosen_language_at_once(
    qtbot: QtBot, qapp: QApplication, store: PreferenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    appearance = Appearance(qapp, store)
    dialog = opened(qtbot, store)
    english = dialog.page
    with qtbot.waitSignal(appearance.language_changed):
        choose(qtbot, combo(dialog, "language"), "zh_CN")
    qtbot.waitUntil(lambda: dialog.page is not english)
    qtbot.waitUntil(lambda: len(dialog.findChildren(QPushButton, "closeSettings")) == 1)
    assert tr("Device") in {label.text() for label in dialog.page.findChildren(QLabel)}
    assert tr("Model") == "模型"
    focused = dialog.focusWidget()
    assert focused is combo(dialog, "language")
    assert focused.currentData() == "zh_CN"
    close = dialog.findChild(QPushButton, "closeSettings")
    assert close is not None
    assert close.text() != "Close"


def test_the_keys_are_asked_for(dialog: SettingsDialog, qtbot: QtBot) -> None:
    button = dialog.findChild(QPushButton, "keysButton")
    assert button is not None
    with qtbot.waitSignal(dialog.keys_asked):
        qtbot.keyClick(button, Qt.Key.Key_Space)


def test_escape_closes_it(dialog: SettingsDialog, qtbot: QtBot) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_it_fits_a_small_screen(dialog: SettingsDialog) -> None:
    assert dialog.sizeHint().height() <= 680
