"""The lock between processes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.storage.lock import FileLock

HOLD = """
import sys
from pathlib import Path
from engine.storage.lock import FileLock
lock = FileLock.take(Path(sys.argv[1]))
print(lock is not None, flush=True)
sys.stdin.read()
"""


def test_one_holder_at_a_time_in_one_process(tmp_path: Path) -> None:
    lock = FileLock.take(tmp_path / "a.lock")
    assert lock is not None
    assert FileLock.take(tmp_path / "a.lock") is None
    lock.release()
    again = FileLock.take(tmp_path / "a.lock")
    assert again is not None
    again.release()


def test_a_lock_of_another_process_ends_with_that_process(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert FileLock.take(path) is None
        holder.kill()
    lock = FileLock.take(path)
    assert lock is not None
    lock.release()


@pytest.mark.skipif(os.name != "posix", reason="flock")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_on_a_file_system_without_locks_nobody_is_excluded(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_flock(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", no_flock)
    first, second = FileLock.take(tmp_path / "a.lock"), FileLock.take(tmp_path / "a.lock")
    for lock in (first, second):
        assert lock is not None
        assert not lock.is_effective
        lock.release()


@pytest.mark.skipif(os.name != "posix", reason="flock")
@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_other_failures_of_a_lock_are_told(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(OSError, match=os.strerror(code)):
        FileLock.take(tmp_path / "a.lock")


def test_a_missing_folder_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"{os.strerror(errno.ENOTDIR)}|{os.strerror(errno.EEXIST)}"):
        FileLock.take(tmp_path / "file" / "a.lock")
