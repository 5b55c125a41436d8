"""CrashReporter: unexpected errors are logged and shown, and the window goes on (FAULTS 35)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engine.paths import data_dir
from tests.children import PROJECT

START = """
import sys
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication, QMessageBox
from desktop import app
from desktop.window.crash import CrashReporter
"""
SLOT_FAILS = (
    START
    + """
def look():
    dialogs = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]
    print("dialogs", len(dialogs), dialogs[0].detailedText().splitlines()[-1])
    next(b for b in dialogs[0].buttons() if "Copy" in b.text()).click()
    print("copied", "ZeroDivisionError" in QApplication.clipboard().text())
    dialogs[0].close()
    QTimer.singleShot(0, QApplication.quit)
original = app.build
def build(argv):
    window = original(argv)
    QTimer.singleShot(50, lambda: 1 / 0)
    QTimer.singleShot(600, look)
    return window
app.build = build
print("exit", app.main([]))
"""
)
INTERPRETER_DIES = (
    START
    + """
CrashReporter().install()
import faulthandler
faulthandler._sigsegv()
"""
)
NEXT_START = (
    START
    + """
original = app.build
def build(argv):
    window = original(argv)
    QTimer.singleShot(300, lambda: (print(window.panels.messages.text()), window.close()))
    return window
app.build = build
app.main([])
"""
)


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)


def log() -> Path:
    return data_dir() / "log" / "detrdesk.log"


def test_an_exception_in_a_slot_opens_a_dialog_and_is_logged() -> None:
    done = run(SLOT_FAILS)
    assert "dialogs 1 ZeroDivisionError: division by zero" in done.stdout, done.stderr
    assert "copied True" in done.stdout
    assert "exit 0" in done.stdout
    assert "ZeroDivisionError" in log().read_text("utf-8")


def test_a_crash_of_the_interpreter_is_told_at_the_next_start_only() -> None:
    assert run(INTERPRETER_DIES).returncode != 0
    first = run(NEXT_START)
    assert "ended unexpectedly last time" in first.stdout, first.stderr
    assert "Segmentation fault" in (data_dir() / "log" / "crash-last.log").read_text("utf-8")
    assert "ended unexpectedly" not in run(NEXT_START).stdout


def test_an_orderly_run_prints_nothing() -> None:
    done = run(NEXT_START)
    assert done.stderr == ""
