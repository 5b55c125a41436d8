"""Detections by image content and model fingerprint in two SQLite tables, the same in a session and in the cache."""

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
"""A higher `found.id` was put, or used, later."""

_NEWEST = "(SELECT coalesce(max(id), 0) + 1 FROM found)"


def put(connection: sqlite3.Connection, content_hash: str, fingerprint: str, found: Detections) -> None:
    """Keep an image's detections in place of older ones; the caller has begun a transaction."""
    about = describe(found)
    connection.execute("INSERT INTO model (about) VALUES (?) ON CONFLICT DO NOTHING", (about,))
    connection.execute(
        "INSERT OR REPLACE INTO found (id, content_hash, fingerprint, model, packed) "
        f"VALUES ({_NEWEST}, ?, ?, (SELECT id FROM model WHERE about = ?), ?)",
        (content_hash, fingerprint, about, pack(found)),
    )


def get(connection: sqlite3.Connection, content_hash: str, fingerprint: str) -> Detections | None:
    """An image's detections, `None` where they are absent or damaged."""
    row = connection.execute(
        "SELECT packed, about FROM found JOIN model ON model.id = found.model "
        "WHERE content_hash = ? AND fingerprint = ?",
        (content_hash, fingerprint),
    ).fetchone()
    return unpack(*row) if row else None


def after(
    connection: sqlite3.Connection, fingerprint: str, last: int, limit: int
) -> Iterator[tuple[int, str, Detections | None]]:
    """Up to `limit` rows of a model with an id above `last`: id, content hash, detections."""
    rows = connection.execute(
        "SELECT found.id, content_hash, packed, about FROM found JOIN model ON model.id = found.model "
        "WHERE found.id > ? AND fingerprint = ? ORDER BY found.id LIMIT ?",
        (last, fingerprint, limit),
    ).fetchall()
    return ((row_id, content_hash, unpack(packed, about)) for row_id, content_hash, packed, about in rows)


def use(connection: sqlite3.Connection, content_hash: str, fingerprint: str) -> None:
    """Make an image's detections the last used ones."""
    connection.execute(
        f"UPDATE found SET id = {_NEWEST} WHERE content_hash = ? AND fingerprint = ?", (content_hash, fingerprint)
    )


def drop_oldest(connection: sqlite3.Connection, count: int) -> None:
    """Forget the detections of the `count` images that were used longest ago."""
    connection.execute("DELETE FROM found WHERE id IN (SELECT id FROM found ORDER BY id LIMIT ?)", (count,))
