"""Install what the window and its tests need of the system, or print the command for it; run by make."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.cli.display import APT_PACKAGES

LIBRARIES = {
    "libxcb-icccm4": "xcb-icccm",
    "libxcb-keysyms1": "xcb-keysyms",
    "libxcb-xinerama0": "xcb-xinerama",
    "libxcb-image0": "xcb-image",
    "libxcb-render-util0": "xcb-render-util",
    "libxkbcommon-x11-0": "xkbcommon-x11",
    "libdbus-1-3": "dbus-1",
    "libfontconfig1": "fontconfig",
    "libgl1": "GL",
    "libegl1": "EGL",
}
TEST_PROGRAMS = {
    "xvfb": ("Xvfb",),
    "xdotool": ("xdotool",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
}
"""Without them the tests of the real window and of the server's pages are skipped."""


def main() -> int:
    """Install what is missing with apt-get as root or through sudo; say what to do where neither is possible."""
    if not sys.platform.startswith("linux"):
        return 0
    missing = [package for package in APT_PACKAGES if ctypes.util.find_library(LIBRARIES[package]) is None]
    for_tests = TEST_PROGRAMS if "--for-tests" in sys.argv else {}
    missing += [package for package, programs in for_tests.items() if not any(map(shutil.which, programs))]
    if missing and not _install(missing):
        print("These system packages are missing, for the window or its tests; install them with:", file=sys.stderr)
        print("  sudo apt-get install", *missing, file=sys.stderr)
    return 0


def _install(packages: list[str]) -> bool:
    """Whether all of these could be installed; one that this system does not have keeps back no other."""
    if shutil.which("apt-get") is None or not (os.geteuid() == 0 or _can_sudo()):
        return False
    print("Installing system packages for the window or its tests:", *packages, flush=True)
    _apt("update", "-q")
    install = ("install", "-y", "--no-install-recommends")
    if _apt(*install, *packages):
        return True
    done = [_apt(*install, package) for package in packages]
    return all(done)


def _apt(*words: str) -> bool:
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [*prefix, "apt-get", *words]
    return subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode == 0


def _can_sudo() -> bool:
    """Whether sudo is there and may ask for a password, or needs none."""
    if shutil.which("sudo") is None:
        return False
    return (
        sys.stdin.isatty() or subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
