"""A session: images, detections and decisions kept together in one file, every decision on disk when it is made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.detect.detection import Detections
from engine.review import decision_table, detection_table
from engine.review.difference import Difference
from engine.review.image_review import ImageReview
from engine.review.names import session_name, session_path, storable
from engine.review.opening import Store, open_store

__all__ = ["Place", "Session", "Step", "session_path"]

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the user did.

    Attributes:
        content_hash: Of the image it was done to.
        text: A stable English key such as `accept`, which the window translates.
        before, after: The image's review on either side, decisions in the order of their ids.
    """

    content_hash: str
    text: str
    before: ImageReview
    after: ImageReview


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a location; a text is empty where nothing is.

    Attributes:
        content_hash: Of the image that was last seen there.
        is_reviewed: Whether a person is done with that image.
        unreadable: Why no image could be read there, when it was last tried.
    """

    content_hash: str
    is_reviewed: bool
    unreadable: str


class Session:
    """An open session; any thread may use it.

    Attributes:
        path: Its file.
        notice: What the user should know of its opening, e.g. that a backup was opened in place of a damaged file.
    """

    def __init__(self, path: Path, store: Store) -> None:
        self.path = path
        self.notice = store.notice
        self._store = store
        self._decided, self._noted = store.decided, store.noted

    @classmethod
    def open(cls, path: Path) -> Session:
        """Open a session's file; it and its folder are made where they are absent.

        A damaged file is set aside and the newest good backup opened; one that is open elsewhere, or that may not be
        written, is opened read-only. Either way `notice` says so.

        Raises:
            EngineError: naming the path: it cannot be read or made, or is another program's or a newer detrdesk's.
        """
        return cls(path, open_store(path.resolve()))

    def close(self) -> None:
        """Close the file; whatever is asked of the session afterwards raises an EngineError."""
        self._store.close()

    @property
    def name(self) -> str:
        """What to call it: the folder's name where `session_path` made the file's name."""
        return session_name(self.path)

    @property
    def is_read_only(self) -> bool:
        """Whether every change raises `session_read_only`."""
        return self._store.is_read_only

    def image(self, content_hash: str) -> ImageReview:
        """What was decided about an image; an empty review where nothing was."""
        with self._decided.reading() as connection:
            return decision_table.review(connection, content_hash)

    @property
    def next_id(self) -> int:
        """The first decision id that was never used."""
        with self._decided.reading() as connection:
            return int(connection.execute("SELECT next_id FROM state").fetchone()[0])

    def do(self, step: Step) -> None:
        """Keep a step; it is on disk afterwards, and what could be redone is forgotten. One without effect is not kept.

        Raises:
            EngineError: it could not be written and did not happen.
        """
        difference = Difference.between(step.before, step.after)
        if difference == Difference((), ()):
            return
        with self._decided.writing() as connection:
            image = decision_table.image_id(connection, step.content_hash)
            decision_table.write(connection, image, difference, step.after)
            decision_table.add_step(connection, image, step.text, difference)

    @property
    def undo_text(self) -> str:
        """The text of the step that `undo` would take back, empty where there is none."""
        return self._text_of_step(0)

    @property
    def redo_text(self) -> str:
        """The text of the step that `redo` would do again, empty where there is none."""
        return self._text_of_step(1)

    def undo(self) -> Step | None:
        """Take the last step back and return it; `None` where there is none.

        Raises:
            EngineError: it could not be written and did not happen.
        """
        with self._decided.writing() as connection:
            number = decision_table.done(connection)
            row = decision_table.step(connection, number)
            if row is None:
                return None
            content_hash, image, text, difference = row
            after = decision_table.review(connection, content_hash)
            back = difference.reversed()
            before = decision_table.write(connection, image, back, back.applied(after))
            decision_table.set_done(connection, number - 1)
            return Step(content_hash, text, before, after)

    def redo(self) -> Step | None:
        """Do the step that was taken back last again and return it; `None` where there is none. Raises like `undo`."""
        with self._decided.writing() as connection:
            number = decision_table.done(connection) + 1
            row = decision_table.step(connection, number)
            if row is None:
                return None
            content_hash, image, text, difference = row
            before = decision_table.review(connection, content_hash)
            after = decision_table.write(connection, image, difference, difference.applied(before))
            decision_table.set_done(connection, number)
            return Step(content_hash, text, before, after)

    def note_place(self, location: str, content_hash: str, name: str, width: int, height: int) -> None:
        """Note which image lies at a location: its name and its size as shown, pixels."""
        with self._noted.writing() as connection:
            image = decision_table.image_id(connection, content_hash)
            connection.execute("UPDATE image SET width = ?, height = ? WHERE id = ?", (width, height, image))
            connection.execute(
                "INSERT OR REPLACE INTO place (location, image, name) VALUES (?, ?, ?)",
                (storable(location), image, storable(name)),
            )

    def note_unreadable(self, location: str, reason: str) -> None:
        """Note that no image can be read at a location now; which one was there before stays known."""
        with self._noted.writing() as connection:
            connection.execute(
                "INSERT INTO place (location, unreadable) VALUES (?, ?) "
                "ON CONFLICT (location) DO UPDATE SET unreadable = excluded.unreadable",
                (storable(location), storable(reason)),
            )

    def places(self, locations: Sequence[str]) -> dict[str, Place]:
        """What is known of these locations; those that nothing is known of are absent."""
        asked = {storable(location): location for location in locations}
        with self._noted.reading() as connection:
            rows = connection.execute(
                "SELECT location, coalesce(content_hash, ''), coalesce(is_reviewed, 0), unreadable "
                "FROM json_each(?) JOIN place ON location = json_each.value LEFT JOIN image ON image.id = place.image",
                (json.dumps(list(asked)),),
            ).fetchall()
        return {asked[key]: Place(content_hash, bool(done), reason) for key, content_hash, done, reason in rows}

    def put_detections(self, content_hash: str, fingerprint: str, found: Detections) -> None:
        """Keep every detection of an image by a model, in place of earlier ones."""
        with self._noted.writing() as connection:
            detection_table.put(connection, content_hash, fingerprint, found)

    def detections(self, content_hash: str, fingerprint: str) -> Detections | None:
        """Every detection of an image by a model; `None` where they are absent or damaged."""
        with self._noted.reading() as connection:
            return detection_table.get(connection, content_hash, fingerprint)

    def all_detections(self, fingerprint: str) -> Iterator[tuple[str, Detections]]:
        """Content hash and detections of every image by a model, a few at a time in memory."""
        last = 0
        while True:
            with self._noted.reading() as connection:
                read = detection_table.after(connection, fingerprint, last, _AT_ONCE)
            rows = list(read)  # unpacked here, where nobody waits for the connection
            if not rows:
                return
            last = rows[-1][0]
            yield from ((content_hash, found) for _, content_hash, found in rows if found is not None)

    def all_reviews(self) -> Iterator[tuple[str, ImageReview]]:
        """Content hash and review of every image that has one, a few at a time in memory."""
        last = 0
        while True:
            with self._noted.reading() as connection:
                last, reviews = decision_table.reviews_after(connection, last, _AT_ONCE)
            if not reviews:
                return
            yield from reviews

    def decided(self) -> frozenset[str]:
        """Content hashes of the images that have decisions or are reviewed."""
        with self._noted.reading() as connection:
            rows = connection.execute(
                "SELECT content_hash FROM image "
                "WHERE is_reviewed OR EXISTS (SELECT 1 FROM decision WHERE decision.image = image.id)"
            )
            return frozenset(content_hash for (content_hash,) in rows)

    def view(self) -> dict[str, Any]:
        """Where one was, as `set_view` was given it; empty at first."""
        with self._noted.reading() as connection:
            text = connection.execute("SELECT view FROM state").fetchone()[0]
        try:
            view = json.loads(text)
        except ValueError:
            return {}
        return view if isinstance(view, dict) else {}

    def set_view(self, view: Mapping[str, Any]) -> None:
        """Keep where one is: anything that is JSON."""
        text = json.dumps(dict(view))
        with self._noted.writing() as connection:
            connection.execute("UPDATE state SET view = ?", (text,))

    def _text_of_step(self, ahead: int) -> str:
        with self._decided.reading() as connection:
            row = connection.execute(
                "SELECT text FROM step WHERE number = (SELECT done FROM state) + ?", (ahead,)
            ).fetchone()
        return str(row[0]) if row else ""
