"""Processes beside the program: how they start, yield the processor, report progress and end."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).resolve().parents[2]
_START = (
    "import importlib, sys\n"
    "root, module, *arguments = sys.argv[1:]\n"
    "root in sys.path or sys.path.insert(0, root)\n"
    "importlib.import_module(module).main(*arguments)"
)
"""Not `-m`: it does not find the modules of a checkout that is not the working folder."""
_PR_SET_PDEATHSIG = 1
_LOWEST_NICE = 19
_AUTOGROUP = Path("/proc/self/autogroup")
_IDLE_PRIORITY_CLASS = 0x40


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that calls a module's `main` with these arguments in a Python of its own."""
    return [sys.executable, "-P", "-c", _START, str(_ROOT), module, *arguments]


def start_detached(module: str, *arguments: str) -> None:
    """Start a module's `main` in a process that outlives this one, in a session of its own, without terminal or output.

    Raises:
        OSError: the process cannot be started.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    home = os.environ.get("DETRDESK_HOME")
    process = subprocess.Popen(
        python_command(module, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT.anchor,  # it keeps no folder of the user busy
        env={**os.environ, "DETRDESK_HOME": str(Path(home).expanduser().absolute())} if home else None,
        start_new_session=True,
        creationflags=flags,
    )
    threading.Thread(target=process.wait, name="helper", daemon=True).start()  # else it stays a zombie


def lower_priority() -> None:
    """Let every other process go first. Call it before torch is imported, which then uses half of the cores."""
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // 2))
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _IDLE_PRIORITY_CLASS)
        return
    with contextlib.suppress(OSError):
        os.nice(_LOWEST_NICE)
    if sys.platform == "linux" and os.access(_AUTOGROUP, os.W_OK):
        # Linux shares the processor between sessions first: beside another session's processes nice has no effect.
        with contextlib.suppress(OSError):  # it leads a session already
            os.setsid()
        with contextlib.suppress(OSError):
            _AUTOGROUP.write_text(f"{_LOWEST_NICE}")


def end_with_parent() -> None:
    """End this process when the parent closes standard input, which also happens when the parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_exit_at_eof, name="parent", daemon=True).start()


def reports_to_parent() -> IO[str]:
    """Return the stream that `report` writes to; what libraries print to standard output goes to standard error."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return reports


def report(reports: IO[str], **values: Any) -> None:
    """Send the parent one line of JSON."""
    reports.write(json.dumps(values) + "\n")


def begin_child(haste: str) -> tuple[IO[str], Callable[[str, int, int], None]]:
    """Set up a child process that works for its parent and ends with it.

    Args:
        haste: `none` means the lowest priority.

    Returns:
        The stream for `report`, and a function that reports a stage and how many of how many of its steps are done.
    """
    reports = reports_to_parent()
    if haste == "none":
        lower_priority()
    end_with_parent()

    def progress(stage: str, done: int, total: int) -> None:
        report(reports, stage=stage, done=done, total=total)

    return reports, progress


def _exit_at_eof() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)
