"""Duration of each model's last inference, kept between runs on a best-effort basis."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.paths import cache_dir
from engine.storage.atomic import write_atomic

_MOST = 200
_LONGEST = 2**20


@dataclass(frozen=True, slots=True)
class LastTime:
    """Duration of a model's last inference.

    Attributes:
        milliseconds: From tensors to raw output.
        runtime: The runtime that executed it, e.g. `torch`.
        device: The device, e.g. `cpu`.
        at: Time of the inference, seconds since the epoch.
    """

    milliseconds: float
    runtime: str
    device: str
    at: float


_seen: dict[str, LastTime] = {}
"""Inferences of this run by the model's path, newest last."""


def note_time(model: Path, milliseconds: float, runtime: str, device: str) -> None:
    """Record an inference in memory."""
    _seen.pop(str(model), None)
    _seen[str(model)] = LastTime(milliseconds, runtime, device, time.time())


def last_time(model: Path) -> LastTime | None:
    """Return a model's last inference, in this run or an earlier one."""
    return _seen.get(str(model)) or _kept().get(str(model))


def keep_times() -> None:
    """Save the inferences of this run for the next one; ignore failures to write."""
    if not _seen:
        return
    times = sorted((_kept() | _seen).items(), key=lambda each: each[1].at)[-_MOST:]
    with contextlib.suppress(EngineError, OSError, ValueError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_file(), json.dumps({path: asdict(last) for path, last in times}).encode())


def _file() -> Path:
    return cache_dir() / "last_times.json"


def _kept() -> dict[str, LastTime]:
    try:
        with _file().open("rb") as file:
            values = json.loads(file.read(_LONGEST))
        return {path: _parsed(last) for path, last in values.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _parsed(values: dict[str, object]) -> LastTime:
    milliseconds, at = values["milliseconds"], values["at"]
    if not isinstance(milliseconds, int | float) or not isinstance(at, int | float):
        raise TypeError
    return LastTime(float(milliseconds), str(values["runtime"]), str(values["device"]), float(at))
