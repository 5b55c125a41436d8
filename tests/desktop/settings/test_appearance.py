"""Language and colours follow the preferences and the desktop."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PyQt5 import sip
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop.settings.appearance import Appearance
from desktop.settings.preferences import PreferenceStore
from desktop.style import theme
from desktop.style.i18n import install_language, tr
from desktop.style.theme import DARK, LIGHT, Scheme, current_theme


class Desktop:
    """What the desktop would say of its colours."""

    scheme: Scheme | None = None


@pytest.fixture
def desktop(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    gc.unfreeze()
    gc.collect()  # windows of other tests still follow the desktop
    gc.freeze()
    told, palette, font = Desktop(), QPalette(qapp.palette()), qapp.font()
    monkeypatch.setenv("LANGUAGE", "en")
    for name in ("style.theme", "settings.appearance"):
        monkeypatch.setattr(f"desktop.{name}.reported_scheme", lambda: told.scheme)
    qapp.setProperty("detrdesk_scheme", None)
    yield told
    install_language("en")
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setFont(font)
    qapp.setProperty("detrdesk_scheme", None)


@pytest.fixture
def store(desktop: Desktop) -> Iterator[PreferenceStore]:
    store = PreferenceStore()
    yield store
    sip.delete(store)


def test_it_begins_as_preferred(qapp: QApplication, desktop: Desktop, store: PreferenceStore) -> None:
    store.change(scheme="dark", language="zh_CN")
    Appearance(qapp, store)
    assert current_theme() is DARK
    assert tr("Model") == "模型"


def test_colours_change_at_once_and_reach_what_is_shown(
    qapp: QApplication, qtbot: QtBot, desktop: Desktop, store: PreferenceStore
) -> None:
    Appearance(qapp, store)
    button = QPushButton("Detect")
    qtbot.addWidget(button)
    button.resize(120, 40)
    button.show()
    for scheme, shown in (("dark", DARK), ("light", LIGHT), ("dark", DARK)):
        store.change(scheme=scheme)
        assert button.grab().toImage().pixelColor(10, 20) == QColor(shown.surface)


def test_the_language_changes_at_once(
    qapp: QApplication, qtbot: QtBot, desktop: Desktop, store: PreferenceStore
) -> None:
    appearance = Appearance(qapp, store)
    with qtbot.waitSignal(appearance.language_changed):
        store.change(language="zh_CN")
    assert tr("Model") == "模型"
    with qtbot.assertNotEmitted(appearance.language_changed):
        store.change(scheme="dark")
    with qtbot.waitSignal(appearance.language_changed):
        store.change(language="")
    assert tr("Model") == "Model"


@pytest.mark.parametrize(("window", "scheme"), [("#202020", DARK), ("#f0f0f0", LIGHT)])
def test_as_the_system_means_what_was_there_before_us(
    qapp: QApplication, desktop: Desktop, store: PreferenceStore, window: str, scheme: theme.Theme
) -> None:
    qapp.setPalette(QPalette(QColor(window)))
    Appearance(qapp, store)
    assert current_theme() is scheme
    store.change(scheme="light" if scheme is DARK else "dark")
    assert current_theme() is not scheme
    store.change(scheme="system")
    assert current_theme() is scheme


def test_a_change_of_the_desktop_is_followed_when_the_window_comes_to_the_front(
    qapp: QApplication, qtbot: QtBot, desktop: Desktop, store: PreferenceStore
) -> None:
    desktop.scheme = "light"
    Appearance(qapp, store)
    desktop.scheme = "dark"
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    qtbot.waitUntil(lambda: current_theme() is DARK)
    desktop.scheme = None
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    store.change(scheme="light")
    desktop.scheme = "dark"
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    qtbot.wait(50)
    assert current_theme() is LIGHT
