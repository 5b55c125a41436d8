"""`detrdesk doctor`: what is here, what is wrong, and how to mend it."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine import __version__, paths
from engine.cli.display import install_command, missing_library, no_display
from engine.errors import EngineError

PACKAGES = ("PyQt5", "torch", "transformers", "openvino", "pillow", "numpy", "requests", "safetensors")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: What.
        state: What was found.
        mend: What to do about it; empty where all is well.
    """

    topic: str
    state: str
    mend: str = ""


def run_doctor() -> int:
    """Print every finding; 0 where nothing needs mending, else 1."""
    needs_mending = False
    for finding in findings():
        needs_mending |= bool(finding.mend)
        print(f"{'!!' if finding.mend else 'ok'}  {finding.topic:<18} {finding.state}", flush=True)
        if finding.mend:
            print(f"    {'':<18} to mend it: {finding.mend}", flush=True)
    return int(needs_mending)


def findings() -> Iterator[Finding]:
    """Look at everything, the quick things first."""
    yield Finding("detrdesk", __version__)
    yield Finding("system", f"{platform.platform()}, Python {platform.python_version()}")
    yield from map(_package, PACKAGES)
    yield from _display()
    yield from _settings()
    yield from map(_folder, ("config", "data", "cache"))
    yield from _devices()
    yield _openvino()
    yield _starter()


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "not installed", f"{sys.executable} -m pip install {name}")


def _display() -> Iterator[Finding]:
    library = missing_library()
    if library:
        yield Finding("window libraries", f"{library} is missing", install_command())
    reason = no_display()
    if reason:
        yield Finding("display", f"none ({reason}); `detrdesk detect` works without")
    else:
        yield Finding("display", "there is one")


def _settings() -> Iterator[Finding]:
    from engine.settings import config_file, load_settings

    try:
        load_settings()
    except EngineError as error:
        yield Finding("settings", error.message, f"edit or remove {config_file()}")
    else:
        yield Finding("settings", f"{config_file()}" if config_file().exists() else "defaults")


def _folder(kind: str) -> Finding:
    folder: Path = getattr(paths, f"{kind}_dir")()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        mend = "make it writable, or set DETRDESK_HOME to a folder that is"
        return Finding(f"{kind} folder", f"{folder} cannot be written: {error.strerror or error}", mend)
    return Finding(f"{kind} folder", str(folder))


def _devices() -> Iterator[Finding]:
    try:
        from engine.runtimes.torch_runtime import available_devices

        names = [name for _, name in available_devices()]
    except (ImportError, OSError, RuntimeError) as error:
        yield Finding("torch runtime", str(error), f"{sys.executable} -m pip install --force-reinstall torch")
        return
    yield Finding("torch runtime", "works")
    yield Finding("devices", ", ".join(names))


def _openvino() -> Finding:
    from engine.runtimes.openvino_library import openvino

    try:
        openvino()
    except (ImportError, OSError) as error:
        state = f"{error}; torch serves, ONNX files cannot be opened"
        return Finding("openvino runtime", state, f"{sys.executable} -m pip install --force-reinstall openvino")
    return Finding("openvino runtime", "works")


def _starter() -> Finding:
    from engine.engine import Engine
    from engine.paths import resource

    try:
        found = Engine().detect(resource("samples", "parcels.jpg"), "starter")
    except EngineError as error:
        return Finding("starter model", error.message, "install detrdesk again")
    took = f"{found.timing.total:.0f} ms by {found.runtime}"
    return Finding("starter model", f"{len(found.above(0.5))} found in the sample in {took}")
