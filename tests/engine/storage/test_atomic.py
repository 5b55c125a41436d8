"""Files that are written, and the old ones when they cannot be (FAULTS 31)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.detect.detection import Detections, Filter
from engine.errors import EngineError
from engine.export.formats import FORMATS, export
from engine.storage.atomic import write_atomic
from tests.children import child_environment, needs_modes

IMAGE = Image.new("RGB", (64, 48), "white")
FOUND = Detections.from_arrays(
    np.array([0.9], np.float32), np.array([0]), np.array([[4, 5, 40, 30]], np.float32), {0: "二维码"}, 64, 48
)


@pytest.mark.parametrize("ending", [suffix for known in FORMATS for suffix in known.suffixes])
def test_each_ending_writes_its_format(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"标注{ending.upper()}"
    export(path, IMAGE, FOUND, Filter())
    if ending == ".json":
        assert json.loads(path.read_text("utf-8"))["predictions"][0]["result"][0]["label"] == "二维码"
    else:
        with Image.open(path) as written:
            assert written.size == (64, 48)
            assert written.format == ("PNG" if ending == ".png" else "JPEG")


def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"\.png"):
        export(tmp_path / "a.docx", IMAGE, FOUND, Filter())


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.json", b"one")
    write_atomic(tmp_path / "a.json", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"two"


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"one")
    path.chmod(0o640)
    write_atomic(path, b"two")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        write_atomic(tmp_path / "gone" / "a.json", b"x")
    assert caught.value.code == "cannot_write"
    assert str(tmp_path / "gone" / "a.json") in caught.value.message


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WRITE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=child_environment(), timeout=60)


WRITE = """
import resource, signal, sys, tempfile
from pathlib import Path
from engine.errors import EngineError
from engine.storage.atomic import write_atomic
from tests.children import obey_modes
limit = int(sys.argv[2])
if sys.argv[3] == "True": obey_modes()
if limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try: write_atomic(Path(sys.argv[1]), b"x" * 100_000)
except EngineError as error: print(error.message)
"""


@needs_modes
def test_a_read_only_folder_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """FAULTS 31."""
    folder = tmp_path / "read only"
    folder.mkdir()
    (folder / "a.json").write_bytes(b"old")
    folder.chmod(0o555)
    done = run(folder / "a.json", 0, True)
    folder.chmod(0o755)
    assert "cannot be written: Permission denied" in done.stdout, done.stderr
    assert str(folder / "a.json") in done.stdout
    assert (folder / "a.json").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_file_size_limit_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """FAULTS 31."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    done = run(path, 50_000, False)
    assert "File too large" in done.stdout, done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
    assert path.read_bytes() == b"old"
