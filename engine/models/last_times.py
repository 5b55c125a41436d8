"""How long each model took when it last answered, from one run to the next; nothing is lost where that is."""

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
    """A model's last answer.

    Attributes:
        milliseconds: From tensors to raw output.
        runtime: What executed it, e.g. `torch`.
        device: Where, e.g. `cpu`.
        at: When, seconds since the epoch.
    """

    milliseconds: float
    runtime: str
    device: str
    at: float


_seen: dict[str, LastTime] = {}
"""What this run saw, by the model's path; the newest last."""


def note_time(model: Path, milliseconds: float, runtime: str, device: str) -> None:
    """A model has answered; costs nothing, for it is only kept in memory."""
    _seen.pop(str(model), None)
    _seen[str(model)] = LastTime(milliseconds, runtime, device, time.time())


def last_time(model: Path) -> LastTime | None:
    """When a model answered last, in this run or another."""
    return _seen.get(str(model)) or _kept().get(str(model))


def keep_times() -> None:
    """Write down what this run saw, for the next one; where that does not work, it is no loss."""
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
            told = json.loads(file.read(_LONGEST))
        return {path: _parsed(last) for path, last in told.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _parsed(told: dict[str, object]) -> LastTime:
    milliseconds, at = told["milliseconds"], told["at"]
    if not isinstance(milliseconds, int | float) or not isinstance(at, int | float):
        raise TypeError
    return LastTime(float(milliseconds), str(told["runtime"]), str(told["device"]), float(at))
