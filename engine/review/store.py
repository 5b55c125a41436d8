"""The SQLite file of a session: schema, checks and connections."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.review import detection_table
from engine.review.change import DamagedError
from engine.storage.sqlite_journal import Journal, has_wal, open_with_journal

APPLICATION_ID = int.from_bytes(b"dtrS", "big")
SCHEMA_VERSION = 1
PATIENCE_S = 10.0
"""Seconds that one connection waits for a transaction of the other, which takes milliseconds."""

SCHEMA = (
    """CREATE TABLE image (
        id INTEGER PRIMARY KEY,
        content_hash TEXT NOT NULL UNIQUE,
        width INTEGER,
        height INTEGER,
        is_reviewed INTEGER NOT NULL DEFAULT 0,
        note TEXT NOT NULL DEFAULT '""' -- JSON
    )""",
    """CREATE TABLE place (
        location TEXT PRIMARY KEY,
        image INTEGER REFERENCES image (id),
        name TEXT NOT NULL DEFAULT '',
        unreadable TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID""",
    """CREATE TABLE decision (
        image INTEGER NOT NULL REFERENCES image (id),
        id INTEGER NOT NULL,
        value TEXT NOT NULL, -- JSON, see change.py
        PRIMARY KEY (image, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE step (
        number INTEGER PRIMARY KEY,
        image INTEGER NOT NULL REFERENCES image (id),
        text TEXT NOT NULL,
        difference TEXT NOT NULL -- JSON, see change.py
    )""",
    """CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        done INTEGER NOT NULL DEFAULT 0, -- steps that are not undone
        next_id INTEGER NOT NULL DEFAULT 1,
        revision INTEGER NOT NULL DEFAULT 0, -- counts steps, undone and redone ones too
        view TEXT NOT NULL DEFAULT '{}' -- JSON
    )""",
    "INSERT INTO state (id) VALUES (1)",
    *detection_table.SCHEMA,
)
DECIDED_TABLES = ("image", "place", "decision", "step", "state")
"""Tables that cannot be computed again; foreign keys refer to earlier ones."""

_TABLES = frozenset((*DECIDED_TABLES, "model", "found"))
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLITE_ERROR means a missing column or invalid UTF-8, since the statements that open a session are valid."""


class Channel:
    """A connection shared by several threads, one at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path, is_read_only: bool) -> None:
        self._connection = connection
        self._path = path
        self._is_read_only = is_read_only
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lock the connection for a single reading statement.

        Raises:
            EngineError: SQLite failed; the message names the session's path.
        """
        with self._lock, _translated(self._path):
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lock the connection for a transaction, which is committed at the end of the block or rolled back.

        Raises:
            EngineError: The session is read-only or SQLite failed; the message names the session's path.
        """
        if self._is_read_only:
            raise EngineError("session_read_only", "The session {path} is open read-only.", path=self._path)
        with self._lock, _translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Wait for the thread that uses the connection, then close it."""
        with self._lock, _translated(self._path):
            self._connection.close()


@dataclass(frozen=True)
class Copy:
    """A temporary copy of a session in a folder where SQLite cannot write its auxiliary files."""

    folder: tempfile.TemporaryDirectory[str]
    path: Path

    @classmethod
    def of(cls, path: Path) -> Copy:
        """Copy the file and its write-ahead log, if any.

        Raises:
            OSError: The file cannot be read, or the disk is full.
        """
        folder = tempfile.TemporaryDirectory(prefix="detrdesk-")
        copy = cls(folder, Path(folder.name) / "session")
        try:
            shutil.copyfile(path, copy.path)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}-wal", f"{copy.path}-wal")
        except BaseException:
            folder.cleanup()
            raise
        return copy


def connect(path: Path) -> sqlite3.Connection:
    """Open for writing and check the file; a missing or empty file becomes a session.

    Raises:
        EngineError: The file belongs to another program or a newer detrdesk.
        DamagedError, sqlite3.Error: See `is_damage`.
    """

    def opened(journal: Journal) -> sqlite3.Connection:
        connection = _connected(path)
        with _closed_on_failure(connection):
            _check_or_make(connection, journal)
        return connection

    return open_with_journal(path, opened)


def connect_again(path: Path) -> sqlite3.Connection:
    """Open a second connection to a file opened by `connect`; its last transactions may be lost in a power cut."""
    connection = _connected(path)
    with _closed_on_failure(connection):
        connection.execute(f"PRAGMA synchronous = {'NORMAL' if has_wal(connection) else 'FULL'}")
    return connection


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    with _closed_on_failure(connection):
        connection.execute("PRAGMA foreign_keys = ON")
    return connection


def connect_reading(path: Path) -> sqlite3.Connection:
    """Open read-only and check the file; raises like `connect`."""
    address = f"{path.as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=PATIENCE_S, check_same_thread=False)
    with _closed_on_failure(connection):
        _check(connection)
    return connection


@contextlib.contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _check_or_make(connection: sqlite3.Connection, journal: Journal) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _check(connection)
        journal(connection, "FULL")
        connection.execute("BEGIN IMMEDIATE")  # fails on a write-protected file
        connection.execute("UPDATE state SET done = done")
        connection.execute("ROLLBACK")
    else:
        journal(connection, "FULL")
        make_tables(connection)


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a session in an empty database, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _check(connection: sqlite3.Connection) -> None:
    application_id, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    refuse_others(path, application_id, version)
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if problem != "ok" or not tables >= _TABLES:
        raise DamagedError("it is damaged")


def refuse_others(path: Path, application_id: int, version: int) -> None:
    """Check that a file is a session that this version can read.

    Raises:
        EngineError: The file belongs to another program or a newer detrdesk.
    """
    if application_id != APPLICATION_ID:
        raise EngineError("session_foreign", "{path} is not a session of detrdesk; choose another file.", path=path)
    if version > SCHEMA_VERSION:
        raise EngineError(
            "session_newer",
            "The session {path} was written by a newer detrdesk; open it with that one.",
            path=path,
        )


def is_damage(error: Exception) -> bool:
    """Return whether a failure to open means that the file's content is damaged."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return isinstance(error, DamagedError) or code & 0xFF in _DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ


def failure(path: Path, error: Exception) -> EngineError:
    """Translate an error of SQLite or of the system for the user."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return EngineError(
            "session_disk_full", "The session {path} cannot be written: the disk is full; make room.", path=path
        )
    reason = (isinstance(error, OSError) and error.strerror) or error
    return EngineError("session_failed", "The session {path} cannot be used: {reason}.", path=path, reason=reason)


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, DamagedError) as error:
        raise failure(path, error) from error
