"""A process that takes only what others leave, tells the one that started it what it does, and ends with that."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_LEAST = 19
_AUTOGROUP = Path("/proc/self/autogroup")
_BELOW_NORMAL_PRIORITY_CLASS = 0x4000


def lower_priority() -> None:
    """Let every other process go first; called before torch is imported, which then leaves half of the cores alone."""
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // 2))
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL_PRIORITY_CLASS)
        return
    with contextlib.suppress(OSError):
        os.nice(_LEAST)
    if sys.platform == "linux" and os.access(_AUTOGROUP, os.W_OK):
        # Linux shares the processor between sessions first: beside another session's processes nice counts nothing.
        with contextlib.suppress(OSError):
            os.setsid()
            _AUTOGROUP.write_text(f"{_LEAST}")


def end_with_parent() -> None:
    """End at once when the parent closes standard input, which it also does by dying."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_at_eof, name="parent", daemon=True).start()


def way_to_parent() -> IO[str]:
    """Where to tell the parent; what libraries write to standard output goes to standard error from now on."""
    parent = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return parent


def tell(parent: IO[str], **told: Any) -> None:
    """Tell the parent, by a line of JSON."""
    parent.write(json.dumps(told) + "\n")


def _end_at_eof() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)
