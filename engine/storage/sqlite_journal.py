"""The journal of an SQLite file: WAL, and DELETE where a network share or a stick has no shared memory for WAL."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

_REFUSED = (
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_SHMMAP,
)
_REFUSED_IN_GENERAL = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL)

Journal = Callable[[sqlite3.Connection, str], None]
"""Sets the journal of a file: takes a connection and the level of `synchronous` that suits WAL."""


def open_with_journal(path: Path, opened: Callable[[Journal], sqlite3.Connection]) -> sqlite3.Connection:
    """Open a file with WAL, or with DELETE where WAL is refused.

    Args:
        path: The file.
        opened: Opens it and calls the function that it is given before it writes; called again where WAL is refused.

    Raises:
        sqlite3.Error: The file cannot be used.
    """
    try:
        return opened(use_wal)
    except sqlite3.OperationalError as error:
        if not _is_refused(error):
            raise
        leave_wal(path)
        return opened(use_delete)


def use_wal(connection: sqlite3.Connection, synchronous: str) -> None:
    """Use WAL; with DELETE, which some file systems give instead, `synchronous` is FULL.

    Raises:
        sqlite3.Error: The file system has no shared memory.
    """
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    _read(connection)
    connection.execute(f"PRAGMA synchronous = {synchronous if mode == 'wal' else 'FULL'}")


def use_delete(connection: sqlite3.Connection, synchronous: str) -> None:
    """Use DELETE with FULL, which it needs to survive a power cut, whatever suits WAL."""
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")


def has_wal(connection: sqlite3.Connection) -> bool:
    """Whether the file uses WAL."""
    return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")


def leave_wal(path: Path) -> None:
    """Make a file use DELETE without shared memory, which only the sole user of a file can.

    Raises:
        sqlite3.Error: It is used elsewhere, or cannot be written.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        _read(connection)


def _is_refused(error: sqlite3.OperationalError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code in _REFUSED or code & 0xFF in _REFUSED_IN_GENERAL


def _read(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
