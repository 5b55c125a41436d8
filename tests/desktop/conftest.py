"""Fixtures of window tests: a window with the tiny model, and a driver that waits for its results."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from PyQt5 import sip
from PyQt5.QtCore import QEvent, QObject, Qt, QThread
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import build
from desktop.server.control import ServerControl
from desktop.state.server import Phase
from desktop.state.viewer import ViewerState
from desktop.style.i18n import install_language
from desktop.window.main_window import MainWindow
from desktop.work.task_runner import running_threads
from engine.engine import Engine
from engine.review.cache import DetectionCache
from engine.settings import Settings

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
WAIT_MS = 30_000
ResultT = TypeVar("ResultT")


class Driver:
    """A window under test."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window = window
        self.qtbot = qtbot

    @property
    def state(self) -> ViewerState:
        return self.window.viewer.state

    @property
    def server(self) -> ServerControl:
        return self.window.server_control

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

    def switch_on(self, host: str = "127.0.0.1") -> str:
        """Start the server on a free port and return its address."""
        self.server.set_host(host)
        self.server.set_port(0)
        self.server.switch(True)
        self.wait_phase(Phase.ON)
        return self.server.state.address

    def wait_phase(self, phase: Phase) -> None:
        self.wait_until(lambda: self.server.state.phase == phase)

    def meanwhile(self, work: Callable[[], ResultT]) -> ResultT:
        """Run `work` in another thread while the window's event loop runs, and return its result."""
        with ThreadPoolExecutor(1) as pool:
            done: Future[ResultT] = pool.submit(work)
            self.wait_until(done.done)
            return done.result()

    def ask(self, image: Path, key: str = "", **fields: object) -> requests.Response:
        """Ask the window's server about an image, as a client elsewhere does."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        address, content = self.server.state.address, image.read_bytes()

        def post() -> requests.Response:
            with requests.Session() as session:
                session.trust_env = False
                files = {"file": (image.name, content)}
                return session.post(
                    f"{address}/v1/vision/detections", headers=headers, files=files, data=fields, timeout=30
                )

        return self.meanwhile(post)


@pytest.fixture(autouse=True)
def no_window_left(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a top-level widget."""
    before = {sip.unwrapinstance(widget) for widget in qapp.topLevelWidgets()}
    yield
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc_needed = [widget for widget in qapp.topLevelWidgets() if sip.unwrapinstance(widget) not in before]
    if gc_needed:
        del gc_needed
        gc.collect()
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert [str(widget) for widget in qapp.topLevelWidgets() if sip.unwrapinstance(widget) not in before] == []


@pytest.fixture(autouse=True)
def keys_released(qapp: QApplication) -> Iterator[None]:
    """Release modifier keys after a test: `QTest.keyClick` leaves them in `QGuiApplication.keyboardModifiers`."""
    yield
    if qapp.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        QTest.keyRelease(QWidget(), Qt.Key.Key_Shift)
    assert qapp.keyboardModifiers() == Qt.KeyboardModifier.NoModifier


@pytest.fixture
def english_again() -> Iterator[None]:
    """Restore English after a test that changes the language."""
    install_language("en")
    yield
    install_language("en")


@pytest.fixture
def engine(tiny_detr: Path, tmp_path: Path) -> Iterator[Engine]:
    """An engine with the tiny model and a cache of detections."""
    engine = Engine(Settings(model=str(tiny_detr)), DetectionCache(tmp_path / "cache" / "detections.sqlite"))
    yield engine
    engine.close()


@pytest.fixture
def open_window(qtbot: QtBot, tiny_detr: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Driver]]:
    """Build and show windows on the given sources; fail if a thread outlives them."""
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
        threads = window.viewer.findChildren(QObject)
        window.close()
        assert not any(thread.isRunning() for thread in threads if isinstance(thread, QThread))
        window.deleteLater()
    qtbot.wait(1)
    assert {thread for thread in threading.enumerate() if not thread.daemon} <= before
    qtbot.waitUntil(lambda: not running_threads())


@pytest.fixture
def driver(open_window: Callable[..., Driver], image_file: Path) -> Driver:
    """A window that has detected in the small image."""
    driver = open_window(image_file)
    driver.wait_detected(image_file.name)
    return driver
