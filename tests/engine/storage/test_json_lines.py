"""JSON Lines and what a killed process leaves of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.storage.json_lines import append_line, done_sources
from tests.children import PROJECT


def test_each_record_is_one_line_and_chinese_stays_chinese(tmp_path: Path) -> None:
    path = tmp_path / "结果.jsonl"
    append_line(path, {"source": "街道/图\n一.jpg", "predictions": []})
    append_line(path, {"source": "b.jpg"})
    lines = path.read_text("utf-8").splitlines()
    assert "街道" in lines[0]
    assert [json.loads(line)["source"] for line in lines] == ["街道/图\n一.jpg", "b.jpg"]
    assert done_sources(path) == {"街道/图\n一.jpg", "b.jpg"}


def test_a_name_that_is_no_text_comes_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"/tmp/\xff\xfe.jpg")
    append_line(tmp_path / "a.jsonl", {"source": name})
    assert done_sources(tmp_path / "a.jsonl") == {name}


def test_images_that_failed_are_not_done(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    append_line(path, {"source": "bad.jpg", "error": {"message": "no"}})
    append_line(path, {"source": "good.jpg"})
    assert done_sources(path) == {"good.jpg"}


def test_no_file_and_an_empty_one_have_none(tmp_path: Path) -> None:
    assert done_sources(tmp_path / "a.jsonl") == set()
    assert not (tmp_path / "a.jsonl").exists()
    (tmp_path / "a.jsonl").touch()
    assert done_sources(tmp_path / "a.jsonl") == set()


@pytest.mark.parametrize("long", [0, 100_000])
def test_a_line_cut_anywhere_is_cut_off_and_the_next_is_whole(tmp_path: Path, long: int) -> None:
    path = tmp_path / "a.jsonl"
    append_line(path, {"source": "one.jpg"})
    whole = path.read_bytes()
    append_line(path, {"source": "二.jpg", "more": "x" * long})
    second = path.read_bytes()[len(whole) :]
    cuts = range(1, len(second)) if not long else (1, 20, 65_535, 65_536, 65_537, len(second) - 1)
    for cut in cuts:
        path.write_bytes(whole + second[:cut])
        assert done_sources(path) == {"one.jpg"}
        assert path.read_bytes() == whole
    append_line(path, {"source": "two.jpg"})
    assert done_sources(path) == {"one.jpg", "two.jpg"}


def test_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\0\0\0\n[1]\n\n{"source": "a.jpg"}\n')
    assert done_sources(path) == {"a.jpg"}


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    for action in (lambda: append_line(tmp_path, {}), lambda: done_sources(tmp_path)):
        with pytest.raises(EngineError) as caught:
            action()
        assert caught.value.code == "cannot_write"
        assert str(tmp_path) in caught.value.message


LIMITED = """
import resource, signal, sys
from pathlib import Path
from engine.errors import EngineError
from engine.storage.json_lines import append_line
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
append_line(path, {"source": "a.jpg"})
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
try: append_line(path, {"source": "b" * 100})
except EngineError as error: print(error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert f"{path} cannot be written: File too large." in done.stdout, done.stderr
    assert path.read_bytes() == b'{"source": "a.jpg"}\n'
