"""Devices beside the CPU, found without importing torch."""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_BUILT_FOR = re.compile(r"^(cuda|hip)\b[^=]*=\s*['\"]", re.MULTILINE)
_ROCM_DRIVER = Path("/dev/kfd")


@cache
def has_accelerator() -> bool:
    """Return whether the installed torch would use a GPU here; asks the driver, takes milliseconds."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    built_for = _torch_is_built_for()
    return ("cuda" in built_for and _has_nvidia_gpu()) or ("hip" in built_for and _ROCM_DRIVER.exists())


def means_cpu(device: str) -> bool:
    """Return whether this setting of the device means the CPU on this machine."""
    return device == "cpu" or (device == "auto" and not has_accelerator())


def _torch_is_built_for() -> frozenset[str]:
    """Return `cuda` and `hip` as far as torch's version.py names them, which is read but not run."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return frozenset()
    try:
        return frozenset(_BUILT_FOR.findall(Path(spec.origin).with_name("version.py").read_text("utf-8")))
    except (OSError, ValueError):
        return frozenset()


def _has_nvidia_gpu() -> bool:
    """Return whether the driver finds a GPU; it respects CUDA_VISIBLE_DEVICES."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
