"""Conversion of pytorch_model.bin to safetensors in a separate, restricted process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import engine
from engine.errors import ModelError
from engine.models.checkpoint.json_files import missing_file
from engine.models.checkpoint.tensor_files import PICKLES, SINGLE, shapes_of
from engine.storage.atomic import sync

_CHILD = "engine.runtimes.unpickle"
_SECONDS = 900.0


def unpickle(folder: Path, seconds: float = _SECONDS) -> Path:
    """Write `model.safetensors` beside the pickles of a checkpoint folder, which stay as they are.

    The pickles are opened by `torch.load(weights_only=True)` in a child process without network, without the right to
    start or write anything, and with limits on memory, time and the size of its file.

    Args:
        folder: With `pytorch_model.bin`, or several `pytorch_model-*.bin`.
        seconds: How long it may take.

    Returns:
        The new file.

    Raises:
        ModelError: there is nothing to convert, it is not a file of tensors alone, or it cannot be written.
    """
    if (folder / SINGLE).exists():
        raise ModelError(
            "already_converted", "The model {model} has {file}: nothing has to be converted.",
            model=folder.name, file=SINGLE,
        )  # fmt: skip
    pickles = sorted(folder.glob(PICKLES))
    if not pickles:
        raise missing_file(folder, "pytorch_model.bin")
    part = folder / f"{SINGLE}.part"
    try:
        failure = _run(pickles, part, seconds) or _kept(part, folder / SINGLE, pickles[0].stat().st_mode)
        if failure:
            raise ModelError(
                "pickle_unconvertible",
                "The model {model} cannot be converted: {reason}.",
                model=folder.name,
                reason=failure,
            )
    finally:
        part.unlink(missing_ok=True)
    return folder / SINGLE


def _run(pickles: list[Path], part: Path, seconds: float) -> str:
    """Let the child convert; returns what went wrong, or nothing."""
    command = [sys.executable, "-P", "-s", "-m", _CHILD, *(str(path.absolute()) for path in [*pickles, part])]
    try:
        ended = subprocess.run(
            command, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
        answer = json.loads(ended.stdout.decode("utf-8", "replace").strip().rpartition("\n")[2] or "{}")
        return str(answer.get("error", f"its process ended with code {ended.returncode}"))
    except subprocess.TimeoutExpired:
        return "it takes too long"
    except (OSError, ValueError, AttributeError) as error:
        return str(error)


def _environment() -> dict[str, str]:
    """What Python needs to start and to find this package; no keys, no proxies, no graphics card."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    home = str(Path(engine.__path__[0]).parent)
    return kept | {"PYTHONPATH": home, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def _kept(part: Path, target: Path, mode: int) -> str:
    """Put the whole file in its place, as readable as the pickle was; returns what went wrong, or nothing."""
    shapes_of((part,))
    try:
        with contextlib.suppress(OSError):  # some file systems have no modes
            part.chmod(mode & 0o666)
        with part.open("rb") as file:
            sync(file)
        part.replace(target)
    except OSError as error:
        return error.strerror or str(error)
    return ""
