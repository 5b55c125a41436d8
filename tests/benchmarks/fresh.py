"""Runs a program that knows nothing from earlier: no cache, no session, no settings."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path


def run_fresh(command: Sequence[str]) -> str:
    """What a program prints that finds an empty home."""
    with tempfile.TemporaryDirectory() as home:
        return run_in(Path(home), command)


def run_in(home: Path, command: Sequence[str]) -> str:
    """What a program prints that finds in `home` what it left there; compiled before, as installing does."""
    own = {"DETRDESK_HOME": str(home), "PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": ""}
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, **own}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
