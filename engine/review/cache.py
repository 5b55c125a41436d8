"""The cache of detections on disk, bounded in size and shared by all sessions and processes."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.detect.detection import Detections
from engine.review import detection_table
from engine.storage.sqlite_journal import Journal, open_with_journal

SCHEMA_VERSION = 1
MOST_BYTES = 256 * 1024 * 1024
PATIENCE_S = 0.5
"""Seconds to wait for another process before doing without the cache."""

_SHRINK_TO = 0.95
"""Share of the limit to which a full cache is reduced."""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
_Result = TypeVar("_Result")


class DetectionCache:
    """Detections by image content and model fingerprint; safe to use from several threads and processes.

    No method raises: unreadable entries are absent, unwritable ones are not kept, and a damaged file is replaced.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path = path.absolute()
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    def get(self, content_hash: str, fingerprint: str) -> Detections | None:
        """Return every detection of an image by a model, without timing; `None` if absent. Counts as a use."""
        found = self._attempt(lambda connection: detection_table.get(connection, content_hash, fingerprint))
        if found is not None:
            self._attempt(lambda connection: detection_table.use(connection, content_hash, fingerprint))
        return found

    def put(self, content_hash: str, fingerprint: str, found: Detections) -> None:
        """Keep every detection of an image by a model; the least recently used entries are deleted if necessary."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            detection_table.put(connection, content_hash, fingerprint, found)
            if _bytes(connection) > self._most_bytes:
                _shrink(connection, int(self._most_bytes * _SHRINK_TO))
            connection.execute("COMMIT")

        self._attempt(write)

    def close(self) -> None:
        """Close the file; all entries are absent afterwards."""
        with self._lock:
            self._is_closed = True
            self._disconnect()

    def _attempt(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result | None:
        with self._lock:
            if self._is_closed:
                return None
            try:
                self._connection = self._connection or _connect(self._path)
                return work(self._connection)
            except (sqlite3.Error, OSError) as error:
                self._recover(error)
                return None

    def _recover(self, error: Exception) -> None:
        if self._connection and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
            self._disconnect()
            for side in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    Path(f"{self._path}{side}").unlink()

    def _disconnect(self) -> None:
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)

    def opened(journal: Journal) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
        try:
            journal(connection, "NORMAL")
            if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                _make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    return open_with_journal(path, opened)


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process has just done so.

    Raises:
        sqlite3.Error: SQLITE_ERROR over tables of another version, so that the file is replaced.
    """
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        for statement in detection_table.SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _shrink(connection: sqlite3.Connection, most_bytes: int) -> None:
    while count := connection.execute("SELECT count(*) FROM found").fetchone()[0]:
        if _bytes(connection) <= most_bytes:
            return
        detection_table.drop_oldest(connection, 1 + count // 50)
