"""The sandboxed process that reads the tensors of a pickled checkpoint and writes them as safetensors.

Run as `python -m engine.runtimes.unpickle PICKLE... TARGET` by `engine.models.checkpoint.unpickle`. Prints
one JSON object with `error`, empty on success.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FORBIDDEN = (
    "socket.", "subprocess.", "ctypes.", "shutil.", "urllib.", "http.client.", "ftplib.", "smtplib.", "webbrowser.",
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill", "os.putenv",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
    "os.utime", "pty.spawn", "mmap.__new__",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_ALLOWED_MEMORY_BESIDE = 2**30
_GLOBAL = re.compile(r"GLOBAL (\S+)")


def main(sources: list[Path], target: Path) -> str:
    """Convert; returns what went wrong, or an empty string."""
    _leave_the_network()
    import torch
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    size = sum(source.stat().st_size for source in sources)
    _limit_resources(size)
    sys.addaudithook(_refuse)
    tensors: dict[str, Any] = {}
    try:
        for source in sources:
            tensors |= _tensors(torch, torch.load(source, map_location="cpu", weights_only=True))
        save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, target, {"format": "pt"})
    except MemoryError:
        return "it takes more memory than its size allows"
    except Exception as error:  # whatever a damaged or hostile file makes of the reader
        return _reason(error)
    return "" if tensors else "it holds no tensors"


def _tensors(torch: Any, loaded: object) -> dict[str, Any]:
    """Return the tensors by name; in a training checkpoint they are one level deeper."""
    for key in ("state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        raise TypeError("it holds no table of tensors")
    return {str(name): value for name, value in loaded.items() if isinstance(value, torch.Tensor)}


def _reason(error: Exception) -> str:
    """Return one clause, without PyTorch's advice to load the file unguarded."""
    text = str(error)
    if found := _GLOBAL.search(text):
        return f"it asks to run {found[1][:100]}, which no tensor needs"
    if "Weights only load failed" in text or "unpickl" in text.lower():
        return "it is damaged, or holds something else than tensors"
    lines = text.strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__


def _leave_the_network() -> None:
    """Unshare the network where the system allows it (Linux); elsewhere only `_refuse` blocks connections."""
    if sys.platform == "linux":
        unshare = getattr(ctypes.CDLL(None), "unshare", None)
        if unshare is not None and unshare(_NEW_NETWORK) != 0:
            unshare(_NEW_NETWORK | _NEW_USER)


def _limit_resources(size: int) -> None:
    """Limit memory, written bytes, processor time and processes, where the system supports it.

    Args:
        size: Of the pickles, bytes.
    """
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 600,
        resource.RLIMIT_FSIZE: 4 * size + _ALLOWED_MEMORY_BESIDE // 16,
        resource.RLIMIT_NPROC: 0,
    }
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + 4 * size + _ALLOWED_MEMORY_BESIDE
    for limit, wanted in limits.items():
        _, hardest = resource.getrlimit(limit)
        most = wanted if hardest == resource.RLIM_INFINITY else min(wanted, hardest)
        resource.setrlimit(limit, (most, most))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: refuse to start, connect, change or write anything from Python code."""
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"it tried {event}")
    if event == "open":
        _, mode, flags = arguments
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITING):
            raise PermissionError("it tried to write a file")


if __name__ == "__main__":
    *given, last = map(Path, sys.argv[1:])
    print(json.dumps({"error": main(given, last)}))
