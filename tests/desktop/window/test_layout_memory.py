"""LayoutMemory: the window is restored, and always on a screen."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QDockWidget, QLabel, QMainWindow, QSplitter, QTabWidget
from pytestqt.qtbot import QtBot

from desktop.window.layout_memory import LayoutMemory, lay_out, layout_of

MakeWindow = Callable[[], QMainWindow]


@pytest.fixture
def make_window(qtbot: QtBot) -> MakeWindow:
    """A window with two docks, a splitter and tabs; not shown."""

    def make() -> QMainWindow:
        window = QMainWindow()
        qtbot.addWidget(window)
        splitter, tabs = QSplitter(Qt.Orientation.Vertical), QTabWidget()
        splitter.setObjectName("middle")
        tabs.setObjectName("results")
        for title in ("one", "two", "three"):
            tabs.addTab(QLabel(title), title)
            splitter.addWidget(QLabel(title))
        window.setCentralWidget(splitter)
        for name, area in (("left", Qt.DockWidgetArea.LeftDockWidgetArea), ("right", Qt.RightDockWidgetArea)):
            dock = QDockWidget(name, window)
            dock.setObjectName(name)
            dock.setWidget(tabs if name == "right" else QLabel(name))
            window.addDockWidget(area, dock)
        window.resize(700, 500)
        return window

    return make


@pytest.fixture
def memory(tmp_path: Path) -> LayoutMemory:
    return LayoutMemory(tmp_path / "data" / "window.panels.json")


def find(window: QMainWindow, name: str) -> QDockWidget:
    found = window.findChild(QDockWidget, name)
    assert found is not None
    return found


def tabs_of(window: QMainWindow) -> QTabWidget:
    found = window.findChild(QTabWidget)
    assert found is not None
    return found


def splitter_of(window: QMainWindow) -> QSplitter:
    found = window.findChild(QSplitter)
    assert found is not None
    return found


def change(window: QMainWindow) -> None:
    window.setGeometry(40, 50, 620, 440)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, find(window, "right"))
    find(window, "left").hide()
    tabs_of(window).setCurrentIndex(2)
    splitter_of(window).setSizes([50, 300, 50])


def test_a_window_comes_back_as_it_was(make_window: MakeWindow, memory: LayoutMemory) -> None:
    first = make_window()
    memory.restore(first)
    first.show()
    change(first)
    sizes = splitter_of(first).sizes()
    memory.keep(first)
    second = make_window()
    LayoutMemory(memory.path).restore(second)
    second.show()
    assert second.geometry() == first.geometry()
    assert second.dockWidgetArea(find(second, "right")) == Qt.DockWidgetArea.LeftDockWidgetArea
    assert find(second, "left").isHidden()
    assert tabs_of(second).currentIndex() == 2
    assert splitter_of(second).sizes() == sizes


def test_a_maximised_window_comes_back_so(make_window: MakeWindow, memory: LayoutMemory) -> None:
    first, second = make_window(), make_window()
    first.showMaximized()
    memory.keep(first)
    memory.restore(second)
    assert second.windowState() & Qt.WindowState.WindowMaximized


def test_the_first_layout_can_be_had_again(make_window: MakeWindow, memory: LayoutMemory) -> None:
    window = make_window()
    change(window)
    memory.keep(window)
    later = make_window()
    memory.restore(later)
    later.show()
    place = later.geometry()
    memory.reset(later)
    assert later.dockWidgetArea(find(later, "right")) == Qt.DockWidgetArea.RightDockWidgetArea
    assert not find(later, "left").isHidden()
    assert tabs_of(later).currentIndex() == 0
    assert later.geometry() == place


def test_what_was_made_anew_in_a_window_is_laid_out_alike(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    window.show()
    window.resizeDocks([find(window, "left"), find(window, "right")], [120, 230], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: find(window, "right").width() == 230)
    kept = layout_of(window)
    former = find(window, "right")
    window.removeDockWidget(former)
    former.setObjectName("former")
    anew = QDockWidget("right", window)
    anew.setObjectName("right")
    anew.setWidget(QLabel("anew"))
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, anew)
    window.setCentralWidget(QLabel("anew"))
    lay_out(window, kept)
    qtbot.waitUntil(anew.isVisible)
    qtbot.wait(1)
    assert (find(window, "left").width(), anew.width()) == (120, 230)


def test_what_was_kept_on_a_larger_screen_fits_this_one(make_window: MakeWindow, memory: LayoutMemory) -> None:
    first = make_window()
    first.resize(4000, 3000)
    memory.keep(first)
    second = make_window()
    memory.restore(second)
    screen = QGuiApplication.primaryScreen()
    assert screen is not None
    assert screen.availableGeometry().contains(second.geometry())


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"version": 1}',
        b'{"version": 1, "geometry": "!", "docks": 5, "splitters": [], "tabs": {"results": 99}}',
        b'{"version": 1, "geometry": "AAAA", "docks": "AAAA", "splitters": {"middle": "AAAA"}, "tabs": "x"}',
        '{"version": 1, "geometry": "\u56fe"}'.encode(),
    ],
)
def test_a_spoiled_file_is_ignored(make_window: MakeWindow, memory: LayoutMemory, kept: bytes) -> None:
    window = make_window()
    before = layout_of(window)
    memory.path.parent.mkdir()
    memory.path.write_bytes(kept)
    memory.restore(window)
    assert layout_of(window) == before


def test_cut_anywhere_it_does_no_harm(make_window: MakeWindow, memory: LayoutMemory) -> None:
    window = make_window()
    memory.keep(window)
    whole = memory.path.read_bytes()
    for length in range(0, len(whole), 7):
        memory.path.write_bytes(whole[:length])
        memory.restore(window)
    kept = json.loads(whole)
    for name in ("geometry", "docks"):
        for length in range(0, len(kept[name]), 4):
            memory.path.write_text(json.dumps({**kept, name: kept[name][:length]}))
            memory.restore(window)
    assert window.dockWidgetArea(find(window, "right")) == Qt.DockWidgetArea.RightDockWidgetArea


def test_another_version_is_ignored(make_window: MakeWindow, memory: LayoutMemory) -> None:
    window = make_window()
    change(window)
    memory.keep(window)
    memory.path.write_text(json.dumps({**json.loads(memory.path.read_bytes()), "version": 0}))
    later = make_window()
    memory.restore(later)
    assert tabs_of(later).currentIndex() == 0
    assert later.size() == make_window().size()


@pytest.mark.parametrize("place", [(-5000, 100), (100, 9000), (9000, -9000), (100, -300)])
def test_a_window_off_every_screen_is_brought_back(
    make_window: MakeWindow, memory: LayoutMemory, place: tuple[int, int]
) -> None:
    first, second = make_window(), make_window()
    first.show()
    first.move(*place)
    memory.keep(first)
    memory.restore(second)
    second.show()
    frame = second.frameGeometry()
    seen = [screen.availableGeometry().intersected(frame) for screen in QGuiApplication.screens()]
    assert any(part.width() >= 64 and part.top() == frame.top() for part in seen), frame


def test_where_it_cannot_be_kept_the_log_says_so(
    make_window: MakeWindow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file")
    with caplog.at_level(logging.WARNING):
        LayoutMemory(tmp_path / "taken" / "window.panels.json").keep(make_window())
    assert "taken" in caplog.text
