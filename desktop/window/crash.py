"""Handling of unexpected errors: they are logged and shown, and the window goes on."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO

from PyQt5.QtCore import QMessageLogContext, QObject, QtMsgType, pyqtSignal, qInstallMessageHandler
from PyQt5.QtWidgets import QApplication, QMessageBox, QPushButton

from desktop.style.i18n import tr
from engine.paths import data_dir

log = logging.getLogger("detrdesk")

LOG_BYTES = 1_000_000


_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashReporter(QObject):
    """Catches exceptions of every thread and shows them in the GUI thread.

    Signals:
        caught(str): A traceback, from any thread.
    """

    caught = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._open = False
        self._crash_file: IO[str] | None = None
        self.caught.connect(self._tell)

    def install(self) -> bool:
        """Catch from now on and return whether the interpreter crashed in the last run."""
        log.propagate = False
        qInstallMessageHandler(_log_qt)
        sys.excepthook = self._catch
        threading.excepthook = lambda thrown: self._catch(
            thrown.exc_type, thrown.exc_value or thrown.exc_type(), thrown.exc_traceback
        )
        try:
            folder = data_dir() / "log"
            folder.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(folder / "detrdesk.log", maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            log.addHandler(handler)
            return self._watch_interpreter(folder / "crash.log")
        except OSError:
            faulthandler.enable()
            return False

    def close(self) -> None:
        """Record an orderly end, so that the next start reports no crash."""
        faulthandler.disable()
        qInstallMessageHandler(None)
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        if self._crash_file is not None:
            self._crash_file.close()
        for handler in tuple(log.handlers):
            log.removeHandler(handler)
            handler.close()

    def _watch_interpreter(self, path: Path) -> bool:
        crashed = path.exists() and path.stat().st_size > 0
        if crashed:
            path.replace(path.with_name("crash-last.log"))
        self._crash_file = path.open("w", encoding="utf-8")
        faulthandler.enable(self._crash_file)
        return crashed

    def _catch(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        log.error("%s", text)
        print(text, file=sys.stderr)
        self.caught.emit(text)

    def _tell(self, text: str) -> None:
        if self._open:
            return
        self._open = True
        try:
            _dialog(text).exec()
        finally:
            self._open = False


def _log_qt(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Log Qt's messages; a fatal one is printed too."""
    log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", text)
    if kind == QtMsgType.QtFatalMsg:
        print(text, file=sys.stderr)


def _dialog(text: str) -> QMessageBox:
    dialog = QMessageBox(QApplication.activeWindow())
    dialog.setIcon(QMessageBox.Icon.Warning)
    dialog.setWindowTitle("detrdesk")
    dialog.setText(tr("Something went wrong inside detrdesk. You can go on working."))
    dialog.setInformativeText(tr("Please send the details to the makers; they are in the log too."))
    dialog.setDetailedText(text)
    copy = QPushButton(tr("Copy the details"))
    dialog.addButton(copy, QMessageBox.ButtonRole.ActionRole)
    dialog.addButton(QMessageBox.StandardButton.Close)
    copy.clicked.disconnect()
    copy.clicked.connect(lambda: _copy(text))
    return dialog


def _copy(text: str) -> None:
    clipboard = QApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
