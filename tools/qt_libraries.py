"""Install the system libraries that the window needs, where that can be done; else print the command. Run by make."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.display import APT_PACKAGES

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
PROGRAMS = {"xvfb": "Xvfb", "xdotool": "xdotool"}


def main() -> int:
    """Install what is missing with apt-get as root or through sudo; say what to do where neither is possible."""
    if not sys.platform.startswith("linux"):
        return 0
    missing = [package for package in APT_PACKAGES if ctypes.util.find_library(LIBRARIES[package]) is None]
    if "--with-xvfb" in sys.argv:
        missing += [package for package, program in PROGRAMS.items() if shutil.which(program) is None]
    if not missing:
        return 0
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if shutil.which("apt-get") and (os.geteuid() == 0 or _can_sudo()):
        prefix = [] if os.geteuid() == 0 else ["sudo"]
        print("Installing system libraries for the window:", " ".join(missing), flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*prefix, "apt-get", "update", "-q"], check=False, env=environment, stdout=subprocess.DEVNULL)
        if subprocess.run([*prefix, *command], check=False, env=environment, stdout=subprocess.DEVNULL).returncode == 0:
            return 0
    print("The window needs system libraries that are missing here; install them with:", file=sys.stderr)
    print("  sudo " + " ".join(command), file=sys.stderr)
    return 0


def _can_sudo() -> bool:
    """Whether sudo is there and may ask for a password, or needs none."""
    if shutil.which("sudo") is None:
        return False
    return (
        sys.stdin.isatty() or subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
