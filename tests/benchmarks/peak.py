"""The most memory that a process ever held."""

import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """Megabytes (10^6) of this process; on Linux `ru_maxrss` would count that of the process that started it."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
