"""Nothing in the window is cut, with any installed fonts, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QDialog, QTabWidget

from desktop.state.server import EVERYONE
from tests.desktop.conftest import Driver
from tests.desktop.fonts import FONT_SETS, cut_texts, use_fonts

OpenWindow = Callable[..., Driver]


@pytest.fixture(params=["en", "zh_CN"])
def language(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, english_again: None, open_window: OpenWindow
) -> None:
    """The language of the windows; after `open_window`, which sets English."""
    monkeypatch.setenv("LANGUAGE", request.param)


@pytest.fixture(params=FONT_SETS, autouse=True)
def fonts(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, qapp: QApplication, language: None
) -> Iterator[None]:
    """The fonts of the program; those of this machine come back after the test."""
    before = qapp.font()
    use_fonts(request.param, monkeypatch)
    yield
    qapp.setFont(before)


@pytest.fixture
def shown(open_window: OpenWindow, fonts: None, image_file: Path) -> Driver:
    """A window of the smallest size that is designed for, its image detected in."""
    driver = open_window(image_file)
    driver.window.resize(1280, 720)
    driver.wait_detected(image_file.name)
    driver.qtbot.wait(50)
    return driver


def show_tab(driver: Driver, tab: int) -> None:
    tabs = driver.window.findChild(QTabWidget)
    assert tabs is not None
    tabs.setCurrentIndex(tab)
    driver.qtbot.wait(50)
    assert (driver.window.width(), driver.window.height()) == (1280, 720)


def test_the_results(shown: Driver) -> None:
    for tab in range(2):
        show_tab(shown, tab)
        assert cut_texts(shown.window) == []
    shown.window.viewer.choosing.set_threshold(0.99)
    show_tab(shown, 0)
    assert cut_texts(shown.window) == []


def test_the_server(shown: Driver, image_file: Path) -> None:
    show_tab(shown, 2)
    assert cut_texts(shown.window) == []
    shown.switch_on(EVERYONE)
    shown.ask(image_file)
    shown.wait_until(lambda: shown.server.state.totals.requests == 1)
    show_tab(shown, 2)
    assert cut_texts(shown.window) == []


def test_the_welcome(open_window: OpenWindow) -> None:
    driver = open_window()
    driver.window.resize(1280, 720)
    driver.qtbot.wait(50)
    assert cut_texts(driver.window) == []


@pytest.mark.parametrize(("key", "name"), [(",", "settingsDialog"), ("m", "modelDialog")])
def test_the_dialogs(shown: Driver, key: str, name: str) -> None:
    shown.qtbot.keyClick(shown.window, key, Qt.KeyboardModifier.ControlModifier)
    shown.qtbot.wait(200)
    dialog = shown.window.findChild(QDialog, name)
    assert dialog is not None
    assert [cut for cut in cut_texts(dialog) if "tiny-detr:" not in cut] == [], "a path of the user may be elided"
