"""Opening of a session's file: for writing, read-only, or recovered from a backup."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.review.backups import back_up, backups, recover
from engine.review.change import DamagedError
from engine.review.store import (
    Channel,
    Copy,
    connect,
    connect_again,
    connect_reading,
    failure,
    is_damage,
    refuse_others,
)
from engine.storage.lock import FileLock

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_VERSION_AT, _APPLICATION_AT = 60, 68
_PROTECTED = (errno.EACCES, errno.EPERM, errno.EROFS)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


@dataclass(frozen=True)
class Store:
    """An open session file.

    Attributes:
        durable: Connection for decisions, synced to disk with every transaction.
        derived: Connection for data that can be computed again; a decision waits for one of its short transactions at
            most.
        notice: What to tell the user about the opening, if anything.
        lock: Held by the only process that may write.
        copy: The temporary copy that is read in place of the file, if any.
    """

    durable: Channel
    derived: Channel
    is_read_only: bool
    notice: EngineError | None
    lock: FileLock | None
    copy: Copy | None = None

    def close(self) -> None:
        """Close the file and release its lock."""
        try:
            self.derived.close()
            self.durable.close()
        finally:
            if self.lock:
                self.lock.release()
            if self.copy:
                self.copy.folder.cleanup()


def open_store(path: Path) -> Store:
    """Open the session at an absolute path; a missing one is made.

    Raises:
        EngineError: The session cannot be opened; the message names the path.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock.take(path.with_name(f"{path.name}.lock"))
    except OSError as error:
        if error.errno not in _PROTECTED:
            raise failure(path, error) from error
        return _open_protected(path, error)
    if lock is None:
        notice = EngineError(
            "session_in_use", "The session {path} is open elsewhere, so it can only be read here.", path=path
        )
        return _open_reading(path, notice)
    try:
        return _open_writing(path, lock)
    except sqlite3.Error as error:
        lock.release()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNWRITABLE and path.is_file():
            return _open_protected(path, error)
        raise failure(path, error) from error
    except OSError as error:
        lock.release()
        raise failure(path, error) from error
    except BaseException:
        lock.release()
        raise


def _open_writing(path: Path, lock: FileLock) -> Store:
    notice = None
    try:
        _check_header(path)
        durable = connect(path)
    except (sqlite3.Error, DamagedError) as error:
        if not is_damage(error):
            raise
        notice = recover(path)
        durable = connect(path)
    try:
        notice = notice or _back_up(path, durable)
        derived = connect_again(path)
    except BaseException:
        durable.close()
        raise
    if notice is None and not lock.is_effective:
        notice = EngineError(
            "session_unlocked",
            "The disk of the session {path} has no locks: do not open it in two windows at the same time.",
            path=path,
        )
    return Store(
        Channel(durable, path, is_read_only=False), Channel(derived, path, is_read_only=False), False, notice, lock
    )


def _back_up(path: Path, connection: sqlite3.Connection) -> EngineError | None:
    """Back up the session; return a notice if that failed, since the session itself can be used."""
    try:
        back_up(path, connection)
    except (sqlite3.Error, OSError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        return EngineError(
            "session_no_backup", "The session {path} could not be backed up: {reason}.", path=path, reason=reason
        )
    return None


def _check_header(path: Path) -> None:
    """Check the file's header before SQLite opens the file: SQLite would overwrite an empty or truncated one.

    Raises:
        DamagedError: The file is damaged.
        EngineError: It belongs to another program or a newer detrdesk.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    if not header and not backups(path) and not _has_content(Path(f"{path}-wal")):
        return
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise DamagedError("it is damaged")
    version, application_id = (int.from_bytes(header[at : at + 4], "big") for at in (_VERSION_AT, _APPLICATION_AT))
    if application_id:
        refuse_others(path, application_id, version)


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _open_protected(path: Path, error: Exception) -> Store:
    """Open a write-protected session read-only."""
    if not path.is_file():
        raise failure(path, error) from error
    notice = EngineError(
        "session_protected",
        "The session {path} can only be read: its folder or the file itself is write-protected.",
        path=path,
    )
    return _open_reading(path, notice)


def _open_reading(path: Path, notice: EngineError) -> Store:
    """Open read-only; if SQLite would have to write beside the file, open a temporary copy."""
    copy = None
    try:
        try:
            connection = connect_reading(path)
        except sqlite3.Error as error:
            if is_damage(error):
                raise
            copy = Copy.of(path)
            connection = connect(copy.path)
    except (sqlite3.Error, OSError, DamagedError) as error:
        if copy:
            copy.folder.cleanup()
        raise failure(path, error) from error
    channel = Channel(connection, path, is_read_only=True)
    return Store(channel, channel, True, notice, None, copy)
