"""Conversions in this process, for tests of what is done with converted models."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from safetensors.numpy import load_file, save_file

from engine.detect.agreement import Disagreement
from engine.engine import Engine
from engine.inference.conversion_helper import convert_queued
from engine.models.converted import ConvertedModels
from engine.models.fingerprint import fingerprint
from engine.paths import cache_dir
from engine.runtimes.convert import convert


def user_store() -> ConvertedModels:
    """Where engines of this test look."""
    return ConvertedModels(cache_dir() / "converted")


def convert_here(folder: Path, work: Path) -> Disagreement:
    """Convert a checkpoint without a process for it; tracing warns of much that the comparison then looks at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert(folder, work)


def keep_converted(folder: Path, store: ConvertedModels | None = None) -> Disagreement:
    """Convert a checkpoint, and keep it whatever the difference."""
    store = store or user_store()
    with store.work_folder() as work:
        found = convert_here(folder, work)
        store.keep(work, fingerprint(folder), found.score, found.pixels)
    return found


def enliven(folder: Path) -> Path:
    """Give a small checkpoint convolutions that pass something on; without it, every place of an image looks alike to
    the RT-DETR kind, and which of its equal places it looks at more closely is chance."""
    random = np.random.default_rng(0)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    for name, tensor in tensors.items():
        if tensor.ndim == 4:
            tensors[name] = random.normal(0, (2 / np.prod(tensor.shape[1:])) ** 0.5, tensor.shape).astype(np.float32)
        elif name.endswith(".bias"):
            tensors[name] = random.normal(0, 0.1, tensor.shape).astype(np.float32)
    save_file(tensors, path, metadata={"format": "pt"})
    return folder


@contextmanager
def converting_by(run: Callable[..., dict[str, Any]]) -> Iterator[None]:
    """Let the helper be a thread of this process, and `run` what it converts by."""
    helpers: list[threading.Thread] = []

    def start(module: str, store: str, haste: str) -> None:
        helpers.append(threading.Thread(target=convert_queued, args=(ConvertedModels(Path(store)),)))
        helpers[-1].start()

    with (
        patch("engine.inference.conversions.start_detached", start),
        patch("engine.inference.conversion_helper.run_conversion", run),
        patch("engine.inference.conversion_helper.PAUSE_SECONDS", 0.0),
    ):
        yield
        for helper in helpers:
            helper.join(60)


def starts_no_helper() -> Any:
    """Fail where a helper is started."""
    return patch("engine.inference.conversions.start_detached", side_effect=AssertionError("started a helper"))


def wait_for_conversion(engine: Engine, seconds: float = 60, model: str | None = None) -> str:
    """Wait until the conversion in the background has ended, without hurrying it; returns its stage."""
    until = time.monotonic() + seconds
    while engine.conversion(model).is_under_way and time.monotonic() < until:
        time.sleep(0.05)
    return engine.conversion(model).stage
