"""The cache: complete answers, a bound, and no failure whatever happens to its file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.review.cache import DetectionCache
from tests.children import PROJECT
from tests.engine.review.test_packing import assert_same, some

MODEL = "f" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "缓存 50%?#" / "detections.sqlite"


@pytest.fixture
def cache(path: Path) -> Iterator[DetectionCache]:
    cache = DetectionCache(path)
    yield cache
    cache.close()


def test_entries_come_back_complete(cache: DetectionCache, path: Path) -> None:
    cache.put("a", MODEL, some(300))
    cache.put("a", "other", some(2))
    cache.put("a", "other", some(1))
    cache.close()
    again = DetectionCache(path)
    assert_same(again.get("a", MODEL), some(300))
    assert_same(again.get("a", "other"), some(1))
    assert again.get("b", MODEL) is None
    again.close()


def test_the_least_recently_used_entry_is_deleted(path: Path) -> None:
    cache = DetectionCache(path, most_bytes=1_000_000)
    cache.put("used", MODEL, some(300))
    for at in range(400):
        cache.put(f"{at}", MODEL, some(300))
        assert cache.get("used", MODEL) is not None
    assert cache.get("0", MODEL) is None
    assert cache.get("399", MODEL) is not None
    kept = sum(cache.get(f"{at}", MODEL) is not None for at in range(400))
    cache.close()
    assert 80 < kept < 150
    assert path.stat().st_size < 1_100_000


def test_a_bound_below_one_image_keeps_none(path: Path) -> None:
    cache = DetectionCache(path, most_bytes=1)
    cache.put("a", MODEL, some(300))
    assert cache.get("a", MODEL) is None
    cache.close()


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000, b""])
def test_a_file_that_is_not_a_cache_is_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    cache = DetectionCache(path)
    assert cache.get("a", MODEL) is None
    cache.put("a", MODEL, some())
    assert_same(cache.get("a", MODEL), some())
    cache.close()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_a_cut_cache_works_again(cache: DetectionCache, path: Path, share: float) -> None:
    for at in range(40):
        cache.put(f"{at}", MODEL, some(300))
    cache.close()
    os.truncate(path, int(path.stat().st_size * share))
    again = DetectionCache(path)
    for at in range(40):
        found = again.get(f"{at}", MODEL)
        assert found is None or len(found) == 300
    again.put("new", MODEL, some())
    assert_same(again.get("new", MODEL), some())
    again.close()


def test_a_cache_of_another_version_is_replaced(cache: DetectionCache, path: Path) -> None:
    cache.put("a", MODEL, some())
    cache.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    again = DetectionCache(path)
    assert again.get("a", MODEL) is None
    again.put("a", MODEL, some())
    assert again.get("a", MODEL) is not None
    again.close()


def test_a_locked_cache_is_ignored_and_then_used(cache: DetectionCache, path: Path) -> None:
    cache.put("a", MODEL, some())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        cache.put("b", MODEL, some())
        assert cache.get("a", MODEL) is not None
        assert cache.get("b", MODEL) is None
        other.execute("ROLLBACK")
    cache.put("b", MODEL, some())
    assert cache.get("b", MODEL) is not None


def test_a_place_that_cannot_hold_a_cache_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = DetectionCache(tmp_path / "file" / "cache.sqlite")
    cache.put("a", MODEL, some())
    assert cache.get("a", MODEL) is None
    cache.close()


def test_a_closed_cache_holds_nothing(cache: DetectionCache) -> None:
    cache.put("a", MODEL, some())
    cache.close()
    cache.put("b", MODEL, some())
    assert cache.get("a", MODEL) is None


def test_threads_share_it(cache: DetectionCache) -> None:
    def work(worker: int) -> None:
        for at in range(50):
            cache.put(f"{worker}-{at}", MODEL, some(worker))
            cache.get(f"{(worker + 1) % 4}-{at}", MODEL)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in range(4):
        assert_same(cache.get(f"{worker}-49", MODEL), some(worker))


FILL = """
import sys
from pathlib import Path
from engine.review.cache import DetectionCache
from tests.engine.review.test_packing import some
cache = DetectionCache(Path(sys.argv[1]))
for at in range(60): cache.put(f"{sys.argv[2]}-{at}", "f" * 32, some(at))
cache.close()
"""


def test_processes_share_it(cache: DetectionCache, path: Path) -> None:
    """They also begin it at the same time."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    fillers = [
        subprocess.Popen([sys.executable, "-c", FILL, str(path), str(one)], env=environment, stderr=subprocess.PIPE)
        for one in range(3)
    ]
    for filler in fillers:
        _, stderr = filler.communicate(timeout=100)
        assert filler.returncode == 0, stderr
    kept = sum(cache.get(f"{one}-{at}", MODEL) is not None for one in range(3) for at in range(60))
    assert kept > 150  # a process may go without while another writes
