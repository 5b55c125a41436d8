"""SQL for image reviews and the steps that led to them; writing functions need an open transaction."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Sequence

from engine.review.change import DamagedError, ReviewChange, decode_decisions, encode_decision
from engine.review.image_review import ImageReview

_REVIEWS_AFTER = """
    SELECT image.id, content_hash, is_reviewed, note, value
    FROM image LEFT JOIN decision ON decision.image = image.id
    WHERE image.id IN (
        SELECT id FROM image AS one
        WHERE id > ? AND (is_reviewed OR note <> '""' OR EXISTS (SELECT 1 FROM decision WHERE decision.image = one.id))
        ORDER BY id LIMIT ?
    )
    ORDER BY image.id, decision.id
"""


def get_review(connection: sqlite3.Connection, content_hash: str) -> ImageReview:
    """Return the review of an image; an empty one if there are no decisions."""
    rows = connection.execute(
        "SELECT is_reviewed, note, value FROM image LEFT JOIN decision ON decision.image = image.id "
        "WHERE content_hash = ? ORDER BY decision.id",
        (content_hash,),
    ).fetchall()
    return _review_of(rows) if rows else ImageReview()


def reviews_after(connection: sqlite3.Connection, last: int, limit: int) -> tuple[int, list[tuple[str, ImageReview]]]:
    """Return the reviews of up to `limit` images with ids above `last`: the highest id, and (content hash, review)."""
    rows = connection.execute(_REVIEWS_AFTER, (last, limit)).fetchall()
    of_images = itertools.groupby(rows, key=lambda row: str(row[1]))
    reviews = [(content_hash, _review_of([row[2:] for row in of_image])) for content_hash, of_image in of_images]
    return rows[-1][0] if rows else last, reviews


def image_id(connection: sqlite3.Connection, content_hash: str) -> int:
    """Return the id of an image; a new image is inserted."""
    connection.execute("INSERT INTO image (content_hash) VALUES (?) ON CONFLICT DO NOTHING", (content_hash,))
    row = connection.execute("SELECT id FROM image WHERE content_hash = ?", (content_hash,)).fetchone()
    return int(row[0])


def write(connection: sqlite3.Connection, image: int, change: ReviewChange, after: ImageReview) -> ImageReview:
    """Store `after` as the review of an image, writing only what `change` contains, and return it."""
    for decision in change.before:
        connection.execute("DELETE FROM decision WHERE image = ? AND id = ?", (image, decision.id))
    connection.executemany(
        "INSERT OR REPLACE INTO decision (image, id, value) VALUES (?, ?, ?)",
        [(image, decision.id, encode_decision(decision)) for decision in change.after],
    )
    connection.execute(
        "UPDATE image SET is_reviewed = ?, note = ? WHERE id = ?",
        (after.is_reviewed, json.dumps(after.note), image),
    )
    return after


def step(connection: sqlite3.Connection, number: int) -> tuple[str, int, str, ReviewChange] | None:
    """Return a step: content hash and id of the image, text, change; `None` if there is no such step."""
    row = connection.execute(
        "SELECT content_hash, image, text, difference FROM step JOIN image ON image.id = step.image WHERE number = ?",
        (number,),
    ).fetchone()
    return row and (*row[:3], ReviewChange.decode(row[3]))


def done(connection: sqlite3.Connection) -> int:
    """Return the number of the last step that is not undone, 0 if there is none."""
    return int(connection.execute("SELECT done FROM state").fetchone()[0])


def set_done(connection: sqlite3.Connection, number: int) -> None:
    """Set the number of the last step that is not undone."""
    connection.execute("UPDATE state SET done = ?, revision = revision + 1", (number,))


def add_step(connection: sqlite3.Connection, image: int, text: str, change: ReviewChange) -> None:
    """Append a step after the last one that is not undone; steps that could be redone are deleted."""
    number = done(connection) + 1
    connection.execute("DELETE FROM step WHERE number >= ?", (number,))
    connection.execute(
        "INSERT INTO step (number, image, text, difference) VALUES (?, ?, ?, ?)",
        (number, image, text, change.encode()),
    )
    highest = max((decision.id for decision in change.after), default=0)
    connection.execute("UPDATE state SET next_id = max(next_id, ?)", (highest + 1,))
    set_done(connection, number)


def _review_of(rows: Sequence[tuple[int, str, str | None]]) -> ImageReview:
    """Make the review of one image from its rows: (is_reviewed, note, decision)."""
    decisions = decode_decisions(value for _, _, value in rows if value is not None)
    try:
        note = str(json.loads(rows[0][1]))
    except (ValueError, TypeError) as error:
        raise DamagedError("a note cannot be read") from error
    return ImageReview(decisions, bool(rows[0][0]), note)
