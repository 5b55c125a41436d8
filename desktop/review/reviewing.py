"""The decisions of the user about the shown image; each is in the session's file before it is on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from PyQt5.QtCore import QObject, Qt, pyqtSignal

from desktop.review.open_session import OpenSession
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
    """Changes what was decided about the shown image; used in the GUI thread.

    Signals:
        row_wanted(int): The image in this row should be shown.
        box_wanted(int): The box with this index should be brought into view.
    """

    row_wanted = pyqtSignal(int)
    box_wanted = pyqtSignal(int)
    _state_changed = pyqtSignal()

    def __init__(self, holder: StateHolder, session: OpenSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._holder = holder
        self._session = session
        self._awaited: tuple[Source, int] | None = None
        self._visited: set[tuple[str, int]] = set()
        self._visited_in: tuple[object, str] | None = None
        self._state_changed.connect(self._select_awaited, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def on_state_changed(self) -> None:
        """Select the box that was asked for, once its image is shown; to be called after each change of the state."""
        if self._awaited is not None:
            self._state_changed.emit()

    @property
    def has_decided(self) -> bool:
        """Whether anything was decided in the session."""
        state, session = self._holder.state, self._session.session
        return bool(state.decided.decisions) or (session is not None and bool(session.decided()))

    def accept(self) -> None:
        """Accept the selected boxes."""
        self._decide_selected("accept", accept)

    def reject(self) -> None:
        """Reject the selected boxes; added ones are deleted."""
        self._decide_selected("reject", reject)

    def forget(self) -> None:
        """Take back the decisions about the selected boxes."""
        self._decide_selected("forget", lambda before, reviewed, indices, _: forget(before, reviewed, indices))

    def relabel(self, label: str) -> None:
        """Give the selected boxes another class."""
        label = label.strip()
        if label:
            self._session.add_label(label)
            self._decide_selected(
                "relabel", lambda b, reviewed, indices, free: relabel(b, reviewed, indices, label, free)
            )

    def reshape(self, boxes: Mapping[int, Box]) -> None:
        """Move or resize boxes, by index; xyxy, pixels of the image."""
        self._decide("move", lambda before, reviewed, free: reshape(before, reviewed, boxes, free))

    def add(self, box: Box, label: str) -> None:
        """Add a box and select it; xyxy, pixels of the image."""
        label = label.strip()
        if not label:
            return
        self._session.add_label(label)
        free = 0 if self._session.session is None else self._session.session.next_id
        if self._decide("add", lambda before, _, free: add(before, label, box, free)):
            self._holder.set(replace(self._holder.state, selected=frozenset({-free})))

    def set_note(self, note: str) -> None:
        """Set the note about the image."""
        self._decide("note", lambda before, *_: replace(before, note=note))

    def toggle_reviewed(self) -> None:
        """Mark the image as reviewed, or not any more."""
        self._decide("reviewed", lambda before, *_: replace(before, is_reviewed=not before.is_reviewed))

    def accept_all_and_go_on(self) -> None:
        """Accept every shown undecided box, mark the image as reviewed, and show the next one that is not.

        Acceptance and mark are one step of undo.
        """
        state = self._holder.state
        if state.unreadable and state.stage is None:
            self.go_to_unreviewed(1)
            return
        if state.image is None or state.is_elsewhere:
            return  # the next image is still being opened: a fast second key press must not skip it
        if state.detections is None and state.stage is not None:
            return  # the model has not answered: no box is shown that could be accepted

        def change(before: ImageReview, reviewed: Reviewed, free: int) -> ImageReview:
            return replace(accept(before, reviewed, reviewed.undecided, free), is_reviewed=True)

        if self._decide("accept_all", change) or self._holder.state.decided.is_reviewed:
            self.go_to_unreviewed(1)

    def go_to_unreviewed(self, step: int) -> None:
        """Show the next image in the direction of `step` that is not reviewed."""
        at = self._holder.state.at
        row = self._session.images.next_unreviewed(-1 if at is None else at, step)
        if row is not None:
            self.row_wanted.emit(row)
        elif step > 0:
            self._holder.tell(tr("No image behind this one is left to review."))
        else:
            self._holder.tell(tr("No image before this one is left to review."))

    def go_to_least_sure(self) -> None:
        """Show the undecided box, of all images, whose score is nearest above its threshold; called again: the next."""
        state, images = self._holder.state, self._session.images
        if self._visited_in != (images, state.model):
            self._visited_in, self._visited = (images, state.model), set()
        order = state.scores.least_sure(state.chosen, state.refinement, images.are_reviewed)
        found = next(((n, i) for n, i in order if (images.hash_of(n), i) not in self._visited), None)
        if found is None:
            self._visited.clear()
            self._holder.tell(tr("Every detection that the model was asked for is decided or was looked at."))
            return
        number, index = found
        self._visited.add((images.hash_of(number), index))
        row = images.row(number)
        self._awaited = (state.sources[row], index)
        if row != state.at:
            self.row_wanted.emit(row)
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
        """Take back the last decision and show its image."""
        self._retrace(lambda session: session.undo(), lambda step: step.before)

    def redo(self) -> None:
        """Repeat the decision that was taken back last."""
        self._retrace(lambda session: session.redo(), lambda step: step.after)

    def labels(self) -> list[str]:
        """Return the class names to choose from, those that were given last first."""
        found = self._holder.state.detections
        names = [] if found is None else [found.names[label_id] for label_id in sorted(found.names)]
        return list(dict.fromkeys([*self._session.labels, *names]))

    def _decide_selected(
        self, text: str, change: Callable[[ImageReview, Reviewed, Iterable[int], int], ImageReview]
    ) -> None:
        selected = self._holder.state.selected
        if selected:
            self._decide(text, lambda before, reviewed, free: change(before, reviewed, selected, free))

    def _decide(self, text: str, change: Change) -> bool:
        """Keep a change and show it; return whether there was any."""
        state, session = self._holder.state, self._session.session
        if state.image is None or state.seen is None:
            return False
        if session is not None and not self._session.content_hash:
            return False  # the shown image is the former session's
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
            session.do(Step(self._session.content_hash, text, before, after))
        except EngineError as error:
            self._holder.tell_error(error)
            return False
        self._show(self._session.content_hash, after)
        return True

    def _retrace(self, go: Callable[[Session], Step | None], side: Callable[[Step], ImageReview]) -> None:
        if self._session.session is None or self._session.session.is_read_only:
            return
        try:
            step = go(self._session.session)
        except EngineError as error:
            self._holder.tell_error(error)
            return
        if step is None:
            return
        self._show(step.content_hash, side(step))
        is_here = step.content_hash == self._session.content_hash
        rows = sorted(map(self._session.images.row, self._session.images.numbers_of(step.content_hash)))
        if rows and not (is_here and self._holder.state.at in rows):
            self.row_wanted.emit(rows[0])
        elif not rows and not is_here:
            self._holder.tell(tr("That was in an image that is not in this list."))

    def _show(self, content_hash: str, review: ImageReview) -> None:
        self._session.images.set_reviewed(content_hash, review.is_reviewed)
        state = self._holder.state
        if content_hash == self._session.content_hash:
            state = replace(state, decided=review)
            if state.detections is not None:
                self._session.count(content_hash, state.detections)
            state = select(state, state.selected)
        self._holder.set(state)
