"""The child process that converts a checkpoint or makes a reduced-precision form of a model."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.runtimes.background import python_command

Progress = Callable[[str, int, int], None]
"""Receives the stage, and how many of how many of its steps are done; 0 of 0 where that is not known."""

_POLL_SECONDS = 0.2
_LONGEST_REASON = 300


def run_conversion(
    module: str,
    model: Path,
    work: Path,
    in_haste: bool,
    progress: Progress,
    cancelled: Callable[[], bool] = bool,
) -> dict[str, Any]:
    """Run `module.main(model, work, haste)` in a process that ends with this one, and wait for its end.

    Args:
        module: `engine.runtimes.convert` or `engine.runtimes.quantise`.
        model: A checkpoint folder or a model file.
        work: An empty folder for the result; the process's output goes there, too.
        in_haste: Whether somebody waits for it, so that it uses all cores; else it has the lowest priority.
        progress: Called in this thread with each step that the process reports.
        cancelled: Polled in another thread; the process is killed once it returns true.

    Returns:
        What the module reports last, or `failed`: the reason why the process did not get that far.

    Raises:
        OSError: the process cannot be started.
    """
    output_file = work / "output.txt"
    last: dict[str, Any] = {}
    with output_file.open("wb") as output:
        process = subprocess.Popen(
            python_command(module, str(model), str(work), "some" if in_haste else "none"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            encoding="utf-8",
            env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"} if in_haste else None,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    with process, _killed_if(process, cancelled):
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith("\n"):  # it was killed while it wrote the line
                break
            last = json.loads(line)
            if "stage" in last:
                progress(last["stage"], last.get("done", 0), last.get("total", 0))
    if last and "stage" not in last:
        output_file.unlink()
        return last
    if process.returncode < 0:
        return {"failed": f"the process was ended by signal {-process.returncode}"}
    return {"failed": _last_line(output_file) or f"the process ended with code {process.returncode}"}


@contextmanager
def _killed_if(process: subprocess.Popen[str], cancelled: Callable[[], bool]) -> Iterator[None]:
    """Kill the process when `cancelled` returns true or the block fails."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(_POLL_SECONDS):
            if cancelled():
                process.kill()
                return

    watcher = threading.Thread(target=watch, name="conversion", daemon=True)
    watcher.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        is_over.set()
        watcher.join()


def _last_line(output: Path) -> str:
    """Return the end of what the process wrote before it broke."""
    lines = output.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][-_LONGEST_REASON:].rstrip(".") if lines else ""
