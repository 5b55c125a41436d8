"""Whether a window can open here: a display, and the system libraries that Qt needs for it. Imports no Qt."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

APT_PACKAGES = (
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-xinerama0",
    "libxcb-image0",
    "libxcb-render-util0",
    "libxkbcommon-x11-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libgl1",
    "libegl1",
)
"""Debian's and Ubuntu's packages of the libraries that PyQt5's wheel loads and does not carry."""

XCB_PLUGIN = "Qt5/plugins/platforms/libqxcb.so"


def no_display() -> str | None:
    """Why no window can be shown, in a phrase, or `None` where one can.

    Only Linux and the BSDs can be without: Windows and macOS always have one.
    """
    if sys.platform in ("win32", "darwin") or _other_platform_asked():
        return None
    display = os.environ.get("DISPLAY")
    if not display:
        return None if os.environ.get("WAYLAND_DISPLAY") else "DISPLAY is not set"
    return None if _x_server_answers() else f"nothing answers at DISPLAY {display}"


def missing_library() -> str | None:
    """The first system library that Qt's window plugin misses, or `None`."""
    if not sys.platform.startswith("linux") or _other_platform_asked():
        return None
    spec = importlib.util.find_spec("PyQt5")
    if spec is None or spec.origin is None:
        return "PyQt5"
    plugin = Path(spec.origin).parent / XCB_PLUGIN
    if not plugin.exists():
        return None
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return str(error).split(":", 1)[0]
    return None


def install_command() -> str:
    """The command that installs the libraries on Debian and Ubuntu."""
    return "sudo apt-get install -y " + " ".join(APT_PACKAGES)


def _other_platform_asked() -> bool:
    return os.environ.get("QT_QPA_PLATFORM", "xcb").split(":")[0] not in ("", "xcb")


def _x_server_answers() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)
