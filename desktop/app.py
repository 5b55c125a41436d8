"""Assembly of the window's program."""

from __future__ import annotations

import argparse
import functools
import gc
import os
import sys
from collections.abc import Sequence

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication

from desktop.server.control import ServerControl
from desktop.settings.appearance import Appearance
from desktop.settings.preferences import PreferenceStore
from desktop.state.preferences import Preferences
from desktop.style.i18n import tr
from desktop.viewer.viewer import Viewer
from desktop.window.crash import CrashReporter
from desktop.window.layout_memory import LayoutMemory
from desktop.window.main_window import MainWindow
from desktop.work.task_runner import running_threads
from engine.engine import Engine, shared_cache
from engine.errors import EngineError
from engine.settings import Settings, load_settings


def build(argv: list[str]) -> MainWindow:
    """Return the main window, not shown yet, which opens what `argv` names; makes a QApplication if there is none.

    Args:
        argv: Files, folders, URLs; no program name.
    """
    given = _parser().parse_args(argv)
    app = _application()
    store = PreferenceStore()
    appearance = Appearance(app, store)
    settings, problem = _settings()
    if given.model:
        settings = settings.model_copy(update={"model": given.model})
    store.settings = settings
    engine = Engine(settings, shared_cache())
    viewer = Viewer(engine)
    store.setParent(viewer)
    store.failed.connect(viewer.tell_error)
    viewer.choosing.set_threshold(store.value.threshold)
    _prefer(viewer, store.value)
    viewer.model_choice.use_defaults()
    store.changed.connect(lambda preferences: _prefer(viewer, preferences))
    store.settings_changed.connect(viewer.apply)
    server = ServerControl(engine, lambda: viewer.state.model, viewer)
    server.inbox.arrived.connect(viewer.browsing.add_client_images)
    window = MainWindow(viewer, server, store, LayoutMemory())
    appearance.language_changed.connect(window.fill_again)
    for each in filter(None, (problem, store.problem)):
        viewer.tell_error(each)
    if given.sources:
        QTimer.singleShot(0, lambda: viewer.browsing.open(given.sources))
    else:
        QTimer.singleShot(0, viewer.browsing.warm_up)
    return window


def main(argv: Sequence[str]) -> int:
    """Open the window and return the exit code when it is closed."""
    reporter = CrashReporter()
    crashed = reporter.install()
    window = build(list(argv))
    if crashed:
        window.tell(tr("detrdesk ended unexpectedly last time; `detrdesk doctor` shows the log folder."))
    window.show()
    freeze_start_up()
    try:
        code = QApplication.exec()
    finally:
        reporter.close()
    if not window.all_ended or running_threads():
        _leave_at_once(code)
    return code


def freeze_start_up() -> None:
    """Freeze start-up objects so that the garbage collector skips them; it would take 30 ms each time."""
    gc.freeze()
    gc.enable()


def _leave_at_once(code: int) -> None:
    """End the process although a model runs: its thread cannot be stopped."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@functools.cache
def _application() -> QApplication:
    """Return the QApplication, which must be kept: Qt deletes every window with it."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_EnableHighDpiScaling)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_UseHighDpiPixmaps)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("detrdesk")
    app.setDesktopFileName("detrdesk")
    return app


def _settings() -> tuple[Settings, EngineError | None]:
    """Return the user's settings, or the defaults and the error."""
    try:
        return load_settings(), None
    except EngineError as error:
        return Settings.model_construct(), error


def _prefer(viewer: Viewer, preferences: Preferences) -> None:
    viewer.browsing.detects_on_opening = preferences.detect_on_opening


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="detrdesk")
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--model")
    return parser
