"""Reviews of images and the steps that led to them, in a session's tables; the caller has begun a transaction."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Sequence

from engine.review.difference import DamagedError, Difference, decode, encode
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


def review(connection: sqlite3.Connection, content_hash: str) -> ImageReview:
    """What was decided about an image; an empty review where nothing was."""
    rows = connection.execute(
        "SELECT is_reviewed, note, value FROM image LEFT JOIN decision ON decision.image = image.id "
        "WHERE content_hash = ? ORDER BY decision.id",
        (content_hash,),
    ).fetchall()
    return _review_of(rows) if rows else ImageReview()


def reviews_after(connection: sqlite3.Connection, last: int, limit: int) -> tuple[int, list[tuple[str, ImageReview]]]:
    """Content hash and review of up to `limit` images with a number above `last` that have one; their last number."""
    rows = connection.execute(_REVIEWS_AFTER, (last, limit)).fetchall()
    of_images = itertools.groupby(rows, key=lambda row: str(row[1]))
    reviews = [(content_hash, _review_of([row[2:] for row in of_image])) for content_hash, of_image in of_images]
    return rows[-1][0] if rows else last, reviews


def image_id(connection: sqlite3.Connection, content_hash: str) -> int:
    """The number of an image, which gets one where it has none."""
    connection.execute("INSERT INTO image (content_hash) VALUES (?) ON CONFLICT DO NOTHING", (content_hash,))
    row = connection.execute("SELECT id FROM image WHERE content_hash = ?", (content_hash,)).fetchone()
    return int(row[0])


def write(connection: sqlite3.Connection, image: int, difference: Difference, after: ImageReview) -> ImageReview:
    """Make `after` what is kept of an image, by what the difference says is new; return it."""
    for decision in difference.before:
        connection.execute("DELETE FROM decision WHERE image = ? AND id = ?", (image, decision.id))
    connection.executemany(
        "INSERT OR REPLACE INTO decision (image, id, value) VALUES (?, ?, ?)",
        [(image, decision.id, encode(decision)) for decision in difference.after],
    )
    connection.execute(
        "UPDATE image SET is_reviewed = ?, note = ? WHERE id = ?",
        (after.is_reviewed, json.dumps(after.note), image),
    )
    return after


def step(connection: sqlite3.Connection, number: int) -> tuple[str, int, str, Difference] | None:
    """A step: content hash, number of the image, text, what it changed; `None` where there is none."""
    row = connection.execute(
        "SELECT content_hash, image, text, difference FROM step JOIN image ON image.id = step.image WHERE number = ?",
        (number,),
    ).fetchone()
    return row and (*row[:3], Difference.decode(row[3]))


def done(connection: sqlite3.Connection) -> int:
    """The number of the last step that is not undone, 0 where there is none."""
    return int(connection.execute("SELECT done FROM state").fetchone()[0])


def set_done(connection: sqlite3.Connection, number: int) -> None:
    """Make a step the last one that is not undone."""
    connection.execute("UPDATE state SET done = ?, revision = revision + 1", (number,))


def add_step(connection: sqlite3.Connection, image: int, text: str, difference: Difference) -> None:
    """Put a step behind the last one that is not undone, in place of those that could be redone."""
    number = done(connection) + 1
    connection.execute("DELETE FROM step WHERE number >= ?", (number,))
    connection.execute(
        "INSERT INTO step (number, image, text, difference) VALUES (?, ?, ?, ?)",
        (number, image, text, difference.encode()),
    )
    highest = max((decision.id for decision in difference.after), default=0)
    connection.execute("UPDATE state SET next_id = max(next_id, ?)", (highest + 1,))
    set_done(connection, number)


def _review_of(rows: Sequence[tuple[int, str, str | None]]) -> ImageReview:
    """The review of one image from its rows: reviewed or not, note, and a decision each."""
    decisions = decode(value for _, _, value in rows if value is not None)
    try:
        note = str(json.loads(rows[0][1]))
    except (ValueError, TypeError) as error:
        raise DamagedError("a note cannot be read") from error
    return ImageReview(decisions, bool(rows[0][0]), note)
