"""SQL for detections by image content and model fingerprint, used by sessions and the cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from engine.detect.detection import Detections
from engine.review.packing import describe, pack, unpack

SCHEMA = (
    "CREATE TABLE model (id INTEGER PRIMARY KEY, about TEXT NOT NULL UNIQUE)",
    """CREATE TABLE found (
        id INTEGER PRIMARY KEY,
        content_hash TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        model INTEGER NOT NULL REFERENCES model (id),
        packed BLOB NOT NULL,
        UNIQUE (content_hash, fingerprint)
    )""",
)
"""`found.id` grows with the time of the last write or use."""

_NEWEST = "(SELECT coalesce(max(id), 0) + 1 FROM found)"


def put(connection: sqlite3.Connection, content_hash: str, fingerprint: str, found: Detections) -> None:
    """Insert or replace the detections of an image; needs an open transaction."""
    about = describe(found)
    connection.execute("INSERT INTO model (about) VALUES (?) ON CONFLICT DO NOTHING", (about,))
    connection.execute(
        "INSERT OR REPLACE INTO found (id, content_hash, fingerprint, model, packed) "
        f"VALUES ({_NEWEST}, ?, ?, (SELECT id FROM model WHERE about = ?), ?)",
        (content_hash, fingerprint, about, pack(found)),
    )


def get(connection: sqlite3.Connection, content_hash: str, fingerprint: str) -> Detections | None:
    """Return the detections of an image; `None` if absent or damaged."""
    row = connection.execute(
        "SELECT packed, about FROM found JOIN model ON model.id = found.model "
        "WHERE content_hash = ? AND fingerprint = ?",
        (content_hash, fingerprint),
    ).fetchone()
    return unpack(*row) if row else None


def after(
    connection: sqlite3.Connection, fingerprint: str, last: int, limit: int
) -> Iterator[tuple[int, str, Detections | None]]:
    """Return up to `limit` rows of a model with ids above `last`: (id, content hash, detections)."""
    rows = connection.execute(
        "SELECT found.id, content_hash, packed, about FROM found JOIN model ON model.id = found.model "
        "WHERE found.id > ? AND fingerprint = ? ORDER BY found.id LIMIT ?",
        (last, fingerprint, limit),
    ).fetchall()
    return ((row_id, content_hash, unpack(packed, about)) for row_id, content_hash, packed, about in rows)


def use(connection: sqlite3.Connection, content_hash: str, fingerprint: str) -> None:
    """Mark the detections of an image as the most recently used."""
    connection.execute(
        f"UPDATE found SET id = {_NEWEST} WHERE content_hash = ? AND fingerprint = ?", (content_hash, fingerprint)
    )


def drop_oldest(connection: sqlite3.Connection, count: int) -> None:
    """Delete the `count` least recently used rows."""
    connection.execute("DELETE FROM found WHERE id IN (SELECT id FROM found ORDER BY id LIMIT ?)", (count,))
