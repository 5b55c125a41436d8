"""Child processes of tests: their environment, and file modes that bind them whoever runs the tests."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

needs_modes = pytest.mark.skipif(
    not hasattr(os, "geteuid") or (os.geteuid() == 0 and not Path("/proc/self/status").exists()),
    reason="needs file modes that can be made to bind this user",
)


def child_environment() -> dict[str, str]:
    """The environment of a child process that imports from this clone and writes nothing into it."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}


def obey_modes() -> None:
    """Make file modes bind this thread and what it starts, as they bind every user but root.

    Root gives up the capability to write where modes forbid it and stays root: another user could not import from a
    clone in a folder of mode 0700.

    Raises:
        OSError: The kernel refuses.
    """
    _set_override(False)


@contextmanager
def modes_obeyed() -> Iterator[None]:
    """Make file modes bind this thread for a while."""
    _set_override(False)
    try:
        yield
    finally:
        _set_override(True)


def _set_override(on: bool) -> None:
    """Set CAP_DAC_OVERRIDE in the effective set of this thread; does nothing where the user is not root."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the same of the capabilities from 32 on
    if libc.capget(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    bit = 1 << CAP_DAC_OVERRIDE
    sets[0] = sets[0] | (bit & sets[1]) if on else sets[0] & ~bit
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
