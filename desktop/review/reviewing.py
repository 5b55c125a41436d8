"""Deciding: what the user decides is in the session's file before it is on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from PyQt5.QtCore import QObject, Qt, pyqtSignal

from desktop.review.session_book import SessionBook
from desktop.state.holder import StateHolder
from desktop.state.viewer import select
from desktop.style.i18n import tr
from engine.detect.detection import Box
from engine.errors import EngineError
from engine.image.source import Source
from engine.review.image_review import ImageReview, accept, add, forget, reject, relabel, reshape
from engine.review.merge import Reviewed
from engine.review.session import Session, Step

Change = Callable[[ImageReview, Reviewed, int], ImageReview]


class Reviewing(QObject):
    """Changes what was decided about the shown image; used in the window's thread.

    Signals:
        place_wanted(int): The image at this place should be shown.
        box_wanted(int): This box of the shown image should be looked at.
    """

    place_wanted = pyqtSignal(int)
    box_wanted = pyqtSignal(int)

    def __init__(self, holder: StateHolder, book: SessionBook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._holder = holder
        self._book = book
        self._awaited: tuple[Source, int] | None = None
        self._seen_unsure: set[tuple[str, int]] = set()
        self._seen_in: tuple[object, str] | None = None
        holder.changed.connect(self._select_awaited, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    @property
    def has_decided(self) -> bool:
        """Whether anything is decided in the session."""
        state, session = self._holder.state, self._book.session
        return bool(state.decided.decisions) or (session is not None and bool(session.decided()))

    def accept(self) -> None:
        """Accept the selected boxes."""
        self._decide_selected("accept", accept)

    def reject(self) -> None:
        """Reject the selected boxes; added ones are deleted."""
        self._decide_selected("reject", reject)

    def forget(self) -> None:
        """Take back what was decided about the selected boxes."""
        self._decide_selected("forget", lambda before, seen, indices, _: forget(before, seen, indices))

    def relabel(self, label: str) -> None:
        """Give the selected boxes another class."""
        label = label.strip()
        if label:
            self._book.gave(label)
            self._decide_selected("relabel", lambda b, seen, indices, free: relabel(b, seen, indices, label, free))

    def reshape(self, boxes: Mapping[int, Box]) -> None:
        """Move or resize boxes, by index."""
        self._decide("move", lambda before, seen, free: reshape(before, seen, boxes, free))

    def add(self, box: Box, label: str) -> None:
        """Add a box that the model missed; it is selected."""
        label = label.strip()
        if not label:
            return
        self._book.gave(label)
        free = 0 if self._book.session is None else self._book.session.next_id
        if self._decide("add", lambda before, _, free: add(before, label, box, free)):
            self._holder.set(replace(self._holder.state, selected=frozenset({-free})))

    def set_note(self, note: str) -> None:
        """Write a note about the image."""
        self._decide("note", lambda before, _, __: replace(before, note=note))

    def toggle_reviewed(self) -> None:
        """Mark the image as reviewed, or not any more."""
        self._decide("reviewed", lambda before, _, __: replace(before, is_reviewed=not before.is_reviewed))

    def accept_all_and_go_on(self) -> None:
        """Accept every shown undecided box, mark the image as reviewed, and show the next that is not: one step."""

        state = self._holder.state
        if state.unreadable and state.stage is None:
            self.go_to_open(1)
            return
        if state.image is None or state.is_elsewhere:
            return  # the next one is still being opened: a fast second press must not pass it over
        if state.detections is None and state.stage is not None:
            return  # the model has not answered: nothing was seen that could be accepted

        def change(before: ImageReview, seen: Reviewed, free: int) -> ImageReview:
            return replace(accept(before, seen, seen.undecided, free), is_reviewed=True)

        if self._decide("accept_all", change) or self._holder.state.decided.is_reviewed:
            self.go_to_open(1)

    def go_to_open(self, step: int) -> None:
        """Show the next image in a direction that is not reviewed yet."""
        at = self._holder.state.at
        place = self._book.places.next_open(-1 if at is None else at, step)
        if place is not None:
            self.place_wanted.emit(place)
        elif step > 0:
            self._holder.tell(tr("No image behind this one is left to review."))
        else:
            self._holder.tell(tr("No image before this one is left to review."))

    def go_to_least_sure(self) -> None:
        """Show the undecided box, of all images, whose score is nearest its threshold; again: the next one."""
        state, places = self._holder.state, self._book.places
        if self._seen_in != (places, state.model):
            self._seen_in, self._seen_unsure = (places, state.model), set()
        order = state.scores.least_sure(state.chosen, state.refinement, places.are_reviewed)
        found = next(((n, i) for n, i in order if (places.hash_of(n), i) not in self._seen_unsure), None)
        if found is None:
            self._seen_unsure.clear()
            self._holder.tell(tr("Every detection that the model was asked for is decided or was looked at."))
            return
        number, index = found
        self._seen_unsure.add((places.hash_of(number), index))
        place = places.place(number)
        self._awaited = (state.sources[place], index)
        if place != state.at:
            self.place_wanted.emit(place)
        self._select_awaited()

    def _select_awaited(self) -> None:
        """Select the box that was asked for as soon as its image is shown and detected in."""
        state = self._holder.state
        if self._awaited is None or state.at is None or state.sources[state.at] is not self._awaited[0]:
            self._awaited = None
        elif state.detections is not None and state.image is not None:
            source, index = self._awaited
            if source is state.image.source:
                self._awaited = None
                self._holder.set(select(state, frozenset({index})))
                self.box_wanted.emit(index)

    def undo(self) -> None:
        """Take back the last thing that was decided, and show its image."""
        self._retrace(lambda session: session.undo(), lambda step: step.before)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._retrace(lambda session: session.redo(), lambda step: step.after)

    def labels(self) -> list[str]:
        """Class names to choose from, those that were given last first."""
        found = self._holder.state.detections
        names = [] if found is None else [found.names[label_id] for label_id in sorted(found.names)]
        return list(dict.fromkeys([*self._book.labels, *names]))

    def _decide_selected(
        self, text: str, change: Callable[[ImageReview, Reviewed, Iterable[int], int], ImageReview]
    ) -> None:
        selected = self._holder.state.selected
        if selected:
            self._decide(text, lambda before, seen, free: change(before, seen, selected, free))

    def _decide(self, text: str, change: Change) -> bool:
        """Whether something was decided and kept."""
        state, session = self._holder.state, self._book.session
        if state.image is None or state.seen is None:
            return False
        if session is not None and not self._book.content:
            return False  # the image on the screen is the former session's, its own is about to come
        if session is None:
            self._holder.tell(tr("Decisions cannot be kept here: the session's file could not be opened."))
            return False
        if session.is_read_only:
            self._holder.tell(tr("Another window has this session open: nothing can be decided here."))
            return False
        before = state.decided
        try:
            after = change(before, state.seen, session.next_id)
            if after == before:
                return False
            session.do(Step(self._book.content, text, before, after))
        except EngineError as error:
            self._holder.tell_error(error)
            return False
        self._show(self._book.content, after)
        return True

    def _retrace(self, go: Callable[[Session], Step | None], side: Callable[[Step], ImageReview]) -> None:
        if self._book.session is None or self._book.session.is_read_only:
            return
        try:
            step = go(self._book.session)
        except EngineError as error:
            self._holder.tell_error(error)
            return
        if step is None:
            return
        self._show(step.content_hash, side(step))
        is_here = step.content_hash == self._book.content
        places = sorted(map(self._book.places.place, self._book.places.having(step.content_hash)))
        if places and not (is_here and self._holder.state.at in places):
            self.place_wanted.emit(places[0])
        elif not places and not is_here:
            self._holder.tell(tr("That was in an image that is not in this list."))

    def _show(self, content_hash: str, kept: ImageReview) -> None:
        self._book.places.reviewed(content_hash, kept.is_reviewed)
        state = self._holder.state
        if content_hash == self._book.content:
            state = replace(state, decided=kept)
            if state.detections is not None:
                self._book.count(content_hash, state.detections)
            shown = state.shown
            left = frozenset() if shown is None else frozenset(shown.indices.tolist())
            state = replace(state, decided=kept, selected=state.selected & left)
        self._holder.set(self._book.remarked(state))
