"""The machine and the installed versions that figures belong to."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine import __version__

PACKAGES = ("torch", "transformers", "openvino", "pillow", "numpy", "PyQt5")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and what is installed.

    Attributes:
        cpu: Name of the processor.
        cores: How many this process may use.
        memory_gb: Installed memory in 10^9 bytes; `None` where the system does not report it.
        system: Operating system and architecture.
        versions: Of Python, detrdesk and the installed packages of PACKAGES, by name.
    """

    cpu: str
    cores: int
    memory_gb: float | None
    system: str
    versions: dict[str, str]

    def __str__(self) -> str:
        memory = "" if self.memory_gb is None else f", {self.memory_gb:.0f} GB"
        packages = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return f"{self.cpu}, {self.cores} cores{memory}, {self.system}; {packages}"

    def as_dict(self) -> dict[str, object]:
        """Return the values for JSON."""
        return asdict(self)


def this_machine() -> Machine:
    """Describe the machine of this process."""
    versions = {"detrdesk": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Machine(_cpu(), _cores(), _memory_gb(), f"{platform.system()} {platform.machine()}", versions)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _memory_gb() -> float | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):
        return None
