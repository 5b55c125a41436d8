"""Fixtures of all tests: no screen, a home of its own for each, the shared files."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("DETRDESK_RUNTIME", "torch")  # no test converts models unless it wants to
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="detrdesk-runtime-"))

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as property_settings

from engine.paths import resource
from tests.checkpoints import make_checkpoint

if TYPE_CHECKING:
    from engine.engine import Engine

# Limits of seconds fail where the machine is busy.
property_settings.register_profile("detrdesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_settings.load_profile("detrdesk")

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"
GRACE_S = 2.0


def pytest_collection_finish() -> None:
    """Freeze imported modules, so that the garbage collector skips them: each collection takes 0.3 s otherwise."""
    gc.freeze()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Config, data and cache of this test alone."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DETRDESK_HOME", str(home))
    return home


def end_helpers(home: Path) -> None:
    """Kill the conversion helpers of a home."""
    import psutil

    helpers = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "engine.inference.conversion_helper" in command and str(home / "cache" / "converted") in command:
            process.kill()
            helpers.append(process)
    psutil.wait_procs(helpers, timeout=10)


OTHERS_POOL = "ThreadPoolExecutor-"
"""How Python names the threads of pools without a name: those of other libraries, such as globox. Ours have names."""


@pytest.fixture(autouse=True)
def nothing_left(own_home: Path) -> Iterator[None]:
    """Fail a test that leaves a thread that is not a daemon, or a child process other than a conversion helper."""
    import psutil

    process = psutil.Process()
    processes, threads = set(process.children(recursive=True)), set(threading.enumerate())

    def left() -> list[str]:
        children = [each for each in process.children(recursive=True) if each not in processes]
        running = [each for each in children if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        started = [each for each in threading.enumerate() if not each.daemon and each not in threads]
        started = [each for each in started if not each.name.startswith(OTHERS_POOL)]
        return [*map(str, running), *map(str, started)]

    yield
    if (own_home / "cache" / "converted" / ".jobs").exists():
        end_helpers(own_home)
    until = time.monotonic() + GRACE_S
    while left() and time.monotonic() < until:
        time.sleep(0.01)
    assert left() == []


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photos and models that tests may read."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (photos and models that the project may not ship)")
    return SHARED


@pytest.fixture(scope="session")
def tiny_detr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DETR with random weights that answers in milliseconds."""
    checkpoint = make_checkpoint(tmp_path_factory.mktemp("models") / "tiny-detr", "detr")
    gc.freeze()  # PyTorch, too
    return checkpoint


@pytest.fixture(scope="session")
def sample() -> Path:
    """A bundled sample image with codes in it."""
    return resource("samples", "parcels.jpg")


@pytest.fixture(scope="session")
def session_engine() -> Iterator[Engine]:
    """One engine with the starter loaded, for tests that do not change it."""
    from engine.engine import Engine

    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    """A small JPEG with a Chinese name, in a folder of its own."""
    from PIL import Image, ImageDraw

    folder = tmp_path / "图片"
    folder.mkdir()
    image = Image.new("RGB", (320, 240), (200, 120, 60))
    ImageDraw.Draw(image).ellipse((40, 30, 200, 180), fill=(20, 80, 160))
    image.save(folder / "快递 1.jpg", quality=90)
    return folder / "快递 1.jpg"
