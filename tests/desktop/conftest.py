"""A window with the tiny model, and what to ask of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QObject, QThread
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.app import build
from desktop.main_window import MainWindow
from desktop.viewer_state import ViewerState

WAIT_MS = 30_000


class Driver:
    """A window under test."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window = window
        self.qtbot = qtbot

    @property
    def state(self) -> ViewerState:
        return self.window._viewer.state

    @property
    def message(self) -> str:
        return self.state.message.text if self.state.message is not None else ""

    def find(self, name: str) -> QWidget:
        found = self.window.findChild(QWidget, name)
        assert found is not None, name
        return found

    def wait_until(self, holds: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(holds, timeout=WAIT_MS)

    def wait_detected(self, name: str) -> None:
        def detected() -> bool:
            image = self.state.image
            return image is not None and image.source.name == name and self.state.detections is not None

        self.wait_until(lambda: detected() and self.state.stage is None)

    def wait_told(self, words: str) -> None:
        self.wait_until(lambda: words in self.message and self.state.stage is None)


@pytest.fixture
def open_window(qtbot: QtBot, tiny_detr: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Driver]]:
    """Build and show a window on what is named; every thread it started has ended afterwards."""
    monkeypatch.setenv("DETRDESK_MODEL", str(tiny_detr))
    monkeypatch.setenv("LANGUAGE", "en")
    windows: list[MainWindow] = []
    before = set(threading.enumerate())

    def open_on(*given: object) -> Driver:
        window = build([str(each) for each in given])
        windows.append(window)
        with qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        return Driver(window, qtbot)

    yield open_on
    for window in windows:
        threads = window._viewer.findChildren(QObject)
        window.close()
        assert not any(thread.isRunning() for thread in threads if isinstance(thread, QThread))
        window.deleteLater()
    qtbot.wait(1)
    assert {thread for thread in threading.enumerate() if not thread.daemon} <= before


@pytest.fixture
def driver(open_window: Callable[..., Driver], image_file: Path) -> Driver:
    """A window that has detected in the small image."""
    driver = open_window(image_file)
    driver.wait_detected(image_file.name)
    return driver
