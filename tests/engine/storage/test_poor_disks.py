"""Disks that cannot do all: exFAT, network shares, file systems in user space."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.storage.atomic import WriteError, write_atomic
from engine.storage.json_lines import append_line
from engine.storage.sqlite_journal import Journal, has_wal, open_with_journal

Poor = Callable[[str, int], None]


@pytest.fixture
def poor(monkeypatch: pytest.MonkeyPatch) -> Poor:
    """Let a function of `os` fail with an error."""

    def make(name: str, code: int) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(f"os.{name}", fail)

    return make


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EACCES])
def test_a_disk_without_modes_is_written_all_the_same(tmp_path: Path, poor: Poor, code: int) -> None:
    poor("chmod", code)
    write_atomic(tmp_path / "a.txt", b"new")
    write_atomic(tmp_path / "a.txt", b"newer")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"newer"]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_disk_that_cannot_sync_is_written_all_the_same(tmp_path: Path, poor: Poor, code: int) -> None:
    poor("fsync", code)
    write_atomic(tmp_path / "a.txt", b"new")
    append_line(tmp_path / "a.jsonl", {"a": 1})
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert (tmp_path / "a.jsonl").read_text() == '{"a": 1}\n'


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_told(tmp_path: Path, poor: Poor, code: int) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")
    poor("fsync", code)
    with pytest.raises(WriteError, match=os.strerror(code)):
        write_atomic(tmp_path / "a.txt", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def opened(path: Path, level: str = "NORMAL") -> sqlite3.Connection:
    def attempt(journal: Journal) -> sqlite3.Connection:
        connection = connected(path)
        try:
            journal(connection, level)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return open_with_journal(path, attempt)


def synchronous(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA synchronous").fetchone()[0])


@pytest.mark.parametrize("level", ["NORMAL", "FULL"])
def test_wal_where_it_can_be(tmp_path: Path, level: str) -> None:
    connection = opened(tmp_path / "a.sqlite", level)
    assert has_wal(connection)
    assert synchronous(connection) == {"NORMAL": 1, "FULL": 2}[level]
    connection.close()


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
@pytest.mark.parametrize("was_wal", [False, True])
def test_without_shared_memory_delete_and_full(tmp_path: Path, was_wal: bool) -> None:
    """A link, which SQLite does not follow, where its shared memory goes; what was written by WAL elsewhere stays."""
    path = tmp_path / "a.sqlite"
    before = connected(path)
    if was_wal:
        before.execute("PRAGMA journal_mode = WAL")
    before.execute("CREATE TABLE t (a)")
    before.execute("INSERT INTO t VALUES (5)")
    before.close()
    (tmp_path / "a.sqlite-shm").symlink_to(tmp_path / "nowhere" / "shm")
    connection = opened(path)
    assert (has_wal(connection), synchronous(connection)) == (False, 2)
    connection.execute("INSERT INTO t VALUES (6)")
    other = connected(path)
    assert other.execute("SELECT a FROM t").fetchall() == [(5,), (6,)]
    other.execute("INSERT INTO t VALUES (7)")
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)
    for each in (connection, other):
        each.close()


def test_damage_is_not_taken_for_a_poor_disk(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.DatabaseError):
        opened(tmp_path / "a.sqlite")
