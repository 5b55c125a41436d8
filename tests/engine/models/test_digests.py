"""A large file is read once, not at each start; and a changed one is read again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engine.models import digests
from engine.models.digests import file_digest

SIZE = 2_000_000


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "模型.safetensors"
    path.write_bytes(os.urandom(SIZE))
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    return path


@pytest.fixture(autouse=True)
def restart(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forget what this process knows, as a new one does."""

    def forget() -> None:
        monkeypatch.setattr(digests, "_known", {})

    forget()
    return forget


def reads_nothing() -> Any:
    return patch.object(digests, "_read", side_effect=AssertionError("read again"))


def test_the_next_start_does_not_read_it_again(large: Path, restart: Callable[[], None]) -> None:
    expected = hashlib.blake2b(large.read_bytes(), digest_size=16).digest()
    assert file_digest(large) == expected
    restart()
    with reads_nothing():
        assert file_digest(large) == expected


@pytest.mark.parametrize("keeps_time", [False, True])
def test_a_changed_file_is_read_again(large: Path, restart: Callable[[], None], keeps_time: bool) -> None:
    before = file_digest(large)
    stat = large.stat()
    data = bytearray(large.read_bytes())
    data[-1] ^= 1
    large.write_bytes(data)
    if keeps_time:  # as a careful copy does
        os.utime(large, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    restart()
    assert file_digest(large) != before


def test_a_file_that_was_written_just_now_is_not_noted(large: Path, own_home: Path) -> None:
    os.utime(large)
    file_digest(large)
    assert not (own_home / "cache" / "digests.json").exists()


def test_a_small_file_is_not_noted(tmp_path: Path, own_home: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    os.utime(path, (1e9, 1e9))
    file_digest(path)
    assert not (own_home / "cache").exists()


@pytest.mark.parametrize("garbage", [b"", b"[]", b"{", b"\xff", b"null", b"[" * 100_000])
def test_garbage_is_as_good_as_nothing(
    large: Path, own_home: Path, restart: Callable[[], None], garbage: bytes
) -> None:
    expected = file_digest(large)
    (own_home / "cache" / "digests.json").write_bytes(garbage)
    restart()
    assert file_digest(large) == expected
    restart()
    with reads_nothing():
        assert file_digest(large) == expected


@pytest.mark.parametrize(
    "change", [lambda row: [*row[:-1], "ab"], lambda row: [*row[:-1], 7], lambda row: [], lambda row: 5]
)
def test_a_wrong_note_is_not_believed(
    large: Path, own_home: Path, restart: Callable[[], None], change: Callable[[list[Any]], Any]
) -> None:
    expected = file_digest(large)
    notes = own_home / "cache" / "digests.json"
    notes.write_text(json.dumps({place: change(row) for place, row in json.loads(notes.read_text()).items()}))
    restart()
    assert file_digest(large) == expected


def test_no_more_are_noted_than_allowed(large: Path, own_home: Path, restart: Callable[[], None]) -> None:
    notes = own_home / "cache" / "digests.json"
    notes.parent.mkdir()
    notes.write_text(json.dumps({str(at): [1, 2, 3, 4, "00" * 16] for at in range(400)}))
    file_digest(large)
    kept = json.loads(notes.read_text())
    assert len(kept) == 256
    assert str(large) in kept


def test_a_folder_that_cannot_be_written_costs_a_read_alone(large: Path, own_home: Path) -> None:
    (own_home / "cache").write_bytes(b"in the way")
    assert file_digest(large) == hashlib.blake2b(large.read_bytes(), digest_size=16).digest()
