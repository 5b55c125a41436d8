"""Starts the process that converts a checkpoint or makes a fast form of a model, and hears what it tells."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_START = (
    "import importlib, sys\n"
    "root, module, *asked = sys.argv[1:]\n"
    "root in sys.path or sys.path.insert(0, root)\n"
    "importlib.import_module(module).main(*asked)"
)
"""Not `-m`: it does not find the modules of a checkout that is not the working folder."""
_LAST_WORDS = 300


class ConversionProcess:
    """One conversion in a process of its own, which ends with this one however this one ends."""

    def __init__(self, module: str = "engine.runtimes.convert") -> None:
        """Begin nothing yet.

        Args:
            module: Whose `main` the process runs; is given the arguments of `run`.
        """
        self._module = module
        self._turn = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_ended = False

    def run(self, checkpoint: Path, work: Path, in_haste: bool, stage: Callable[[str], None]) -> dict[str, Any]:
        """Convert a checkpoint folder to `work`, and wait for the end of it.

        Args:
            checkpoint: The checkpoint folder, or what else the module takes.
            work: An empty folder for the model; the process's output goes there, too.
            in_haste: Whether somebody waits for it; else it takes only what other programs leave.
            stage: Is told `loading`, `converting`, `comparing`, each as it begins.

        Returns:
            `fingerprint`, `score` and `pixels` (the differences), or `impossible` (why the model cannot be converted),
            or `failed` (why it did not work this time).

        Raises:
            OSError: the process cannot be started.
        """
        said = work / "output.txt"
        with said.open("wb") as output:
            process = self._start([str(checkpoint), str(work), "some" if in_haste else "none"], output)
        if process is None:
            return {"failed": "the program ends"}
        told: dict[str, Any] = {}
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                if not line.endswith("\n"):  # it was ended in the middle of it
                    break
                told = json.loads(line)
                if "stage" in told:
                    stage(told["stage"])
        if told and "stage" not in told:
            said.unlink()
            return told
        if process.returncode < 0:
            return {"failed": f"the process was ended by signal {-process.returncode}"}
        return {"failed": _last_words(said) or f"the process ended with code {process.returncode}"}

    def end(self) -> None:
        """End the process at once, and start no other."""
        with self._turn:
            self._is_ended = True
            if self._process is not None:
                self._process.kill()

    def _start(self, asked: list[str], output: Any) -> subprocess.Popen[str] | None:
        with self._turn:
            if self._is_ended:
                return None
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(_ROOT), self._module, *asked],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                encoding="utf-8",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            return self._process


def _last_words(said: Path) -> str:
    """The end of what the process wrote before it broke."""
    lines = said.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][-_LAST_WORDS:].rstrip(".") if lines else ""
