"""Home folders for measured programs: nothing of the user's own settings, caches, sessions and models is visible."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HELPER = "engine.inference.conversion_helper"
_POLL_SECONDS = 0.2
_OUTSIDE = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TORCH_HOME", "TRANSFORMERS_CACHE")
"""Variables that would lead a program to folders outside its home."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended.

    Attributes:
        output: Its standard output.
        seconds: From its start to its end.
    """

    output: str
    seconds: float


class Home:
    """A home folder: `HOME`, `DETRDESK_HOME` and the `XDG_*_HOME` folders of the programs that run in it.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def converted(self) -> Path:
        """The folder of converted models."""
        return self.folder / "detrdesk" / "cache" / "converted"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program in this home; compiled modules are kept, as after an installation."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("DETRDESK_") and name not in _OUTSIDE and name != "PYTHONDONTWRITEBYTECODE"
        }
        xdg = {f"XDG_{kind}_HOME": str(self.folder / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
        own = {"HOME": str(self.folder), "DETRDESK_HOME": str(self.folder / "detrdesk"), "PYTHONPATH": str(Path.cwd())}
        return {"QT_QPA_PLATFORM": "offscreen", **inherited, **xdg, **own, "XDG_RUNTIME_DIR": str(self.folder)}

    def run(self, command: Sequence[str]) -> Finished:
        """Run a program and wait for its end; a conversion helper that it started may still run.

        Raises:
            RuntimeError: the program failed.
        """
        started = time.perf_counter()
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return Finished(done.stdout, seconds)

    def wait_for_conversions(self, seconds: float) -> bool:
        """Wait until no conversion helper of this home runs; return false where one still does after `seconds`."""
        end = time.monotonic() + seconds
        while helpers_of(self.converted):
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_SECONDS)
        return True


@contextmanager
def fresh_home() -> Iterator[Home]:
    """Provide an empty home; at the end of the block its conversion helpers are ended and the folder is removed."""
    with tempfile.TemporaryDirectory(prefix="detrdesk-bench-home-") as folder:
        home = Home(Path(folder))
        try:
            yield home
        finally:
            end_helpers(home.converted)


def run_fresh(command: Sequence[str]) -> Finished:
    """Run a program in an empty home of its own."""
    with fresh_home() as home:
        return home.run(command)


def helpers_of(converted: Path) -> list[psutil.Process]:
    """Return the running conversion helpers of a folder of converted models."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if HELPER in command and str(converted) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def end_helpers(converted: Path) -> None:
    """Kill the conversion helpers of a folder of converted models and their child processes; wait for their end."""
    ending = []
    for helper in helpers_of(converted):
        try:
            ending += [helper, *helper.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    for process in ending:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(ending, timeout=10)
