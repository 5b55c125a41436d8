"""Peak memory of this process."""

import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """Return MB (10^6 bytes). On Linux `ru_maxrss` would include the process that started this one."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
