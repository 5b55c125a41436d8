"""Position and layout of the window, kept from run to run."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QByteArray, QPoint, QRect
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QMainWindow, QSplitter, QTabWidget

from engine.errors import EngineError
from engine.paths import data_dir
from engine.storage.atomic import write_atomic

SHARE_OF_SCREEN = 0.94
"""The share of a screen for a window that would not fit on it; its frame needs room too."""

VERSION = 1
"""Increased when docks are renamed or moved, so that older layouts are ignored."""

Layout = Mapping[str, Any]
"""Geometry, docks, splitters by name, open pages of tabs by name; JSON-compatible."""

_log = logging.getLogger(__name__)


class LayoutMemory:
    """Keeps the layout of a window in a file of its own.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or data_dir() / "window.json"
        self._usual: Layout = {}

    def restore(self, window: QMainWindow) -> None:
        """Apply the saved position and layout to a window that is not shown yet; an invalid file is ignored."""
        self._usual = layout_of(window)
        try:
            kept = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return
        if isinstance(kept, dict) and kept.get("version") == VERSION:
            window.restoreGeometry(_bytes(kept.get("geometry")))  # Qt keeps it on a screen
            _fit_on_screen(window)
            lay_out(window, kept)

    def keep(self, window: QMainWindow) -> None:
        """Save the layout of a window; a failure is logged."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, json.dumps({"version": VERSION, **layout_of(window)}).encode())
        except (OSError, EngineError) as error:
            _log.warning("The window's layout is not remembered: %s", error)

    def reset(self, window: QMainWindow) -> None:
        """Apply the layout of the first start."""
        lay_out(window, self._usual)


def layout_of(window: QMainWindow) -> Layout:
    """Return the layout of a window."""
    splitters = {each.objectName(): _text(each.saveState()) for each in window.findChildren(QSplitter)}
    tabs = {each.objectName(): each.currentIndex() for each in window.findChildren(QTabWidget)}
    return {
        "geometry": _text(window.saveGeometry()),
        "docks": _text(window.saveState(VERSION)),
        "splitters": {name: state for name, state in splitters.items() if name},
        "tabs": {name: at for name, at in tabs.items() if name},
    }


def lay_out(window: QMainWindow, kept: Layout) -> None:
    """Apply a layout, but not the position; entries that are missing or invalid change nothing."""
    centre = window.centralWidget()
    if window.isVisible() and centre is not None:
        centre.show()  # Qt gives docks the space of a central widget that was not shown yet
    window.restoreState(_bytes(kept.get("docks")), VERSION)
    for splitter in window.findChildren(QSplitter):
        splitter.restoreState(_bytes(_entry(kept, "splitters", splitter.objectName())))
    for tabs in window.findChildren(QTabWidget):
        at = _entry(kept, "tabs", tabs.objectName())
        if isinstance(at, int) and 0 <= at < tabs.count():
            tabs.setCurrentIndex(at)


def _fit_on_screen(window: QMainWindow) -> None:
    """Shrink a window that was saved on a larger screen."""
    screen = QGuiApplication.screenAt(window.geometry().topLeft()) or QGuiApplication.primaryScreen()
    room = window.geometry() if screen is None else screen.availableGeometry()
    if window.width() > room.width() or window.height() > room.height():
        fitting = QRect(QPoint(), room.size() * SHARE_OF_SCREEN)
        fitting.moveCenter(room.center())
        window.setGeometry(fitting)


def _entry(kept: Layout, kind: str, name: str) -> object:
    entries = kept.get(kind)
    return entries.get(name) if isinstance(entries, dict) else None


def _text(state: QByteArray) -> str:
    return base64.b64encode(bytes(state)).decode("ascii")


def _bytes(text: object) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True)) if isinstance(text, str) else QByteArray()
    except (binascii.Error, ValueError):
        return QByteArray()
