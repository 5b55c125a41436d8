"""Sessions: images, detections and decisions in one SQLite file, with each decision written as it is made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.detect.detection import Detections
from engine.review import decision_table, detection_table
from engine.review.change import ReviewChange
from engine.review.image_review import ImageReview
from engine.review.names import session_name, session_path, storable
from engine.review.opening import Store, open_store

__all__ = ["KnownImage", "Session", "Step", "session_path"]

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Step:
    """One undoable action on an image.

    Attributes:
        content_hash: Content hash of the image.
        text: A stable English key such as `accept`, which the window translates.
        before, after: The image's review before and after, decisions ordered by id.
    """

    content_hash: str
    text: str
    before: ImageReview
    after: ImageReview


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What the session knows about the image at a location; unknown texts are empty.

    Attributes:
        content_hash: Content hash of the image last read there.
        is_reviewed: Whether that image is marked as reviewed.
        unreadable: Why the last attempt to read an image there failed.
    """

    content_hash: str
    is_reviewed: bool
    unreadable: str


class Session:
    """An open session; safe to use from several threads.

    Attributes:
        path: Its file.
        store: The open file and its connections.
        notice: What to tell the user about the opening, e.g. that a backup replaced a damaged file.
    """

    def __init__(self, path: Path, store: Store) -> None:
        self.path = path
        self.notice = store.notice
        self.store = store

    @classmethod
    def open(cls, path: Path) -> Session:
        """Open a session's file; the file and its folder are made if missing.

        A damaged file is renamed and replaced with its newest intact backup. A file that is open elsewhere or
        write-protected is opened read-only. `notice` says so in either case.

        Raises:
            EngineError: The file cannot be read or made, or belongs to another program or a newer detrdesk; the
                message names the path.
        """
        return cls(path, open_store(path.resolve()))

    def close(self) -> None:
        """Close the file; all other methods raise `EngineError` afterwards."""
        self.store.close()

    @property
    def name(self) -> str:
        """Display name: that of the folder of images, if `session_path` named the file."""
        return session_name(self.path)

    @property
    def is_read_only(self) -> bool:
        """Whether every change raises `session_read_only`."""
        return self.store.is_read_only

    def image(self, content_hash: str) -> ImageReview:
        """Return the review of an image; an empty one if there are no decisions."""
        with self.store.durable.reading() as connection:
            return decision_table.get_review(connection, content_hash)

    @property
    def next_id(self) -> int:
        """The first unused decision id."""
        with self.store.durable.reading() as connection:
            return int(connection.execute("SELECT next_id FROM state").fetchone()[0])

    def do(self, step: Step) -> None:
        """Write a step to disk and delete the steps that could be redone; a step without effect is ignored.

        Raises:
            EngineError: It could not be written; the session is unchanged.
        """
        change = ReviewChange.between(step.before, step.after)
        if change == ReviewChange((), ()):
            return
        with self.store.durable.writing() as connection:
            image = decision_table.image_id(connection, step.content_hash)
            decision_table.write(connection, image, change, step.after)
            decision_table.add_step(connection, image, step.text, change)

    @property
    def undo_text(self) -> str:
        """The text of the step that `undo` would undo, empty if there is none."""
        return self._text_of_step(0)

    @property
    def redo_text(self) -> str:
        """The text of the step that `redo` would redo, empty if there is none."""
        return self._text_of_step(1)

    def undo(self) -> Step | None:
        """Undo the last step and return it; `None` if there is none.

        Raises:
            EngineError: It could not be written; the session is unchanged.
        """
        with self.store.durable.writing() as connection:
            number = decision_table.done(connection)
            row = decision_table.step(connection, number)
            if row is None:
                return None
            content_hash, image, text, difference = row
            after = decision_table.get_review(connection, content_hash)
            back = difference.reversed()
            before = decision_table.write(connection, image, back, back.applied(after))
            decision_table.set_done(connection, number - 1)
            return Step(content_hash, text, before, after)

    def redo(self) -> Step | None:
        """Do the step that was taken back last again and return it; `None` where there is none. Raises like `undo`."""
        with self.store.durable.writing() as connection:
            number = decision_table.done(connection) + 1
            row = decision_table.step(connection, number)
            if row is None:
                return None
            content_hash, image, text, difference = row
            before = decision_table.get_review(connection, content_hash)
            after = decision_table.write(connection, image, difference, difference.applied(before))
            decision_table.set_done(connection, number)
            return Step(content_hash, text, before, after)

    def note_image(self, location: str, content_hash: str, name: str, width: int, height: int) -> None:
        """Record the image at a location, with its name and its size as shown in pixels."""
        with self.store.derived.writing() as connection:
            image = decision_table.image_id(connection, content_hash)
            connection.execute("UPDATE image SET width = ?, height = ? WHERE id = ?", (width, height, image))
            connection.execute(
                "INSERT OR REPLACE INTO place (location, image, name) VALUES (?, ?, ?)",
                (storable(location), image, storable(name)),
            )

    def note_unreadable(self, location: str, reason: str) -> None:
        """Record that no image can be read at a location; the image last read there stays known."""
        with self.store.derived.writing() as connection:
            connection.execute(
                "INSERT INTO place (location, unreadable) VALUES (?, ?) "
                "ON CONFLICT (location) DO UPDATE SET unreadable = excluded.unreadable",
                (storable(location), storable(reason)),
            )

    def known_images(self, locations: Sequence[str]) -> dict[str, KnownImage]:
        """Return what is known about the images at these locations; unknown locations are absent."""
        asked = {storable(location): location for location in locations}
        with self.store.derived.reading() as connection:
            rows = connection.execute(
                "SELECT location, coalesce(content_hash, ''), coalesce(is_reviewed, 0), unreadable "
                "FROM json_each(?) JOIN place ON location = json_each.value LEFT JOIN image ON image.id = place.image",
                (json.dumps(list(asked)),),
            ).fetchall()
        return {asked[key]: KnownImage(content_hash, bool(done), reason) for key, content_hash, done, reason in rows}

    def put_detections(self, content_hash: str, fingerprint: str, found: Detections) -> None:
        """Store every detection of an image by a model, replacing earlier ones."""
        with self.store.derived.writing() as connection:
            detection_table.put(connection, content_hash, fingerprint, found)

    def detections(self, content_hash: str, fingerprint: str) -> Detections | None:
        """Return every detection of an image by a model; `None` if absent or damaged."""
        with self.store.derived.reading() as connection:
            return detection_table.get(connection, content_hash, fingerprint)

    def all_detections(self, fingerprint: str) -> Iterator[tuple[str, Detections]]:
        """Yield content hash and detections of every image by a model; only a few are in memory at a time."""
        last = 0
        while True:
            with self.store.derived.reading() as connection:
                read = detection_table.after(connection, fingerprint, last, _AT_ONCE)
            rows = list(read)  # decoded after the connection is released
            if not rows:
                return
            last = rows[-1][0]
            yield from ((content_hash, found) for _, content_hash, found in rows if found is not None)

    def all_reviews(self) -> Iterator[tuple[str, ImageReview]]:
        """Yield content hash and review of every image that has one; only a few are in memory at a time."""
        last = 0
        while True:
            with self.store.derived.reading() as connection:
                last, reviews = decision_table.reviews_after(connection, last, _AT_ONCE)
            if not reviews:
                return
            yield from reviews

    def decided(self) -> frozenset[str]:
        """Return the content hashes of images that have decisions or are reviewed."""
        with self.store.derived.reading() as connection:
            rows = connection.execute(
                "SELECT content_hash FROM image "
                "WHERE is_reviewed OR EXISTS (SELECT 1 FROM decision WHERE decision.image = image.id)"
            )
            return frozenset(content_hash for (content_hash,) in rows)

    def view(self) -> dict[str, Any]:
        """Return the mapping last stored by `set_view`; empty if there is none."""
        with self.store.derived.reading() as connection:
            text = connection.execute("SELECT view FROM state").fetchone()[0]
        try:
            view = json.loads(text)
        except ValueError:
            return {}
        return view if isinstance(view, dict) else {}

    def set_view(self, view: Mapping[str, Any]) -> None:
        """Store the state of the view, such as the current image: a mapping of JSON values."""
        text = json.dumps(dict(view))
        with self.store.derived.writing() as connection:
            connection.execute("UPDATE state SET view = ?", (text,))

    def _text_of_step(self, ahead: int) -> str:
        with self.store.durable.reading() as connection:
            row = connection.execute(
                "SELECT text FROM step WHERE number = (SELECT done FROM state) + ?", (ahead,)
            ).fetchone()
        return str(row[0]) if row else ""
