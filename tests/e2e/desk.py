"""The program on a real X server, with a keyboard and a mouse for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.children import PROJECT

PATIENCE_S = 60.0
FoundT = TypeVar("FoundT")

needs_screen = [
    pytest.mark.xvfb,
    pytest.mark.skipif(
        shutil.which("Xvfb") is None or shutil.which("xdotool") is None, reason="needs Xvfb and xdotool"
    ),
]


def wait_for(found: Callable[[], FoundT], what: str) -> FoundT:
    """What `found` returns as soon as it is true."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


class Desk:
    """The program as a process of its own, and what a person at it can do."""

    def __init__(self, display: str, given: Sequence[Path], folder: Path, **environment: str) -> None:
        self.environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(PROJECT), "LANGUAGE": "en"}
        self.environment |= environment
        self.environment.pop("QT_QPA_PLATFORM", None)
        command = [sys.executable, "-m", "desktop", *map(str, given)]
        self.process = subprocess.Popen(
            command, env=self.environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout.strip()

    def window(self, title: str) -> str:
        """The visible window whose title matches, empty if there is none."""
        return self.xdotool("search", "--onlyvisible", "--name", title).split("\n")[0]

    def focus(self, title: str) -> str:
        """Give the keyboard to the window whose title matches, as soon as there is one."""

        def found_or_ended() -> str:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.process.communicate()}"
            return self.window(title)

        found = wait_for(found_or_ended, f"a window called {title}")
        self.xdotool("windowfocus", "--sync", found)
        return found

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.xdotool("key", "--delay", "30", key)

    def type(self, text: str) -> None:
        self.xdotool("type", "--delay", "15", text)

    def drag(self, window: str, *points: tuple[int, int]) -> None:
        """Drag from the first point of a window over the others to the last."""
        for at, (x, y) in enumerate(points):
            self.xdotool("mousemove", "--window", window, str(x), str(y))
            if at == 0:
                self.xdotool("mousedown", "1")
        self.xdotool("mouseup", "1")

    def size(self, window: str) -> tuple[int, int]:
        lines = dict(
            line.split("=") for line in self.xdotool("getwindowgeometry", "--shell", window).splitlines() if "=" in line
        )
        return int(lines["WIDTH"]), int(lines["HEIGHT"])

    def export_to(self, path: Path, *choosing: str) -> None:
        """Export by the dialog: press the keys that choose, type the path; again until there is something to export."""

        def attempt() -> bool:
            self.focus(" – detrdesk$")
            self.keys("ctrl+shift+s")
            self.focus("^Export$")
            self.keys(*choosing, "ctrl+a")
            self.type(str(path))
            self.keys("Return")
            end = time.monotonic() + 5
            while not path.exists() and time.monotonic() < end:
                time.sleep(0.1)
            self.focus("^Export$")
            self.keys("Escape")
            wait_for(lambda: not self.window("^Export$"), "the export dialog to close")
            return path.exists()

        wait_for(attempt, str(path))

    def quit(self) -> tuple[int, str, str]:
        """Close the window by its key: exit code, output, errors."""
        self.focus("detrdesk$")
        self.keys("ctrl+q")
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err

    def end(self) -> None:
        """End the program if it still runs."""
        self.process.kill()
        self.process.communicate()
