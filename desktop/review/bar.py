"""The bar below the table with decisions about the selected boxes and the image."""

from __future__ import annotations

from typing import NamedTuple

from PyQt5.QtCore import QSize, pyqtBoundSignal, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QIcon
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr, tr_count
from desktop.style.icons import icon
from desktop.style.theme import GRID
from engine.review.decision import Status

MOST_CHARACTERS = 2000


class ReviewBar(QWidget):
    """Buttons that decide, and the note.

    Signals:
        accept_asked, reject_asked, relabel_asked, forget_asked: About the selected boxes.
        reviewed_asked: Accept every undecided box, the image is reviewed, on to the next.
        note_changed(str): The new note about the image.
    """

    accept_asked = pyqtSignal()
    reject_asked = pyqtSignal()
    relabel_asked = pyqtSignal()
    forget_asked = pyqtSignal()
    reviewed_asked = pyqtSignal()
    note_changed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[object, ...] = ()
        self.note = _NoteEdit()
        self.note.finished.connect(self.note_changed)
        self._accept = _button("acceptButton", "check", tr("Accept the selected boxes  (Return)"), self.accept_asked)
        self._reject = _button("rejectButton", "x", tr("Reject the selected boxes  (X)"), self.reject_asked)
        self._relabel = _button(
            "relabelButton", "pencil", tr("Give the selected boxes another class  (Ctrl+E)"), self.relabel_asked
        )
        tip = tr("Take back what was decided about the selected boxes  (Backspace)")
        self._forget = _button("forgetButton", "rotate-ccw", tip, self.forget_asked)
        self._forget.setAccessibleName(tr("Take back"))
        self._forget.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._reviewed = QPushButton(tr("Reviewed, next"))
        self._reviewed.setObjectName("reviewedButton")
        self._reviewed.setAccessibleName(tr("Reviewed, next"))
        self._reviewed.setToolTip(tr("Accept every shown box that is undecided, and go to the next image  (Space)"))
        self._reviewed.setProperty("primary", True)
        self._reviewed.clicked.connect(self.reviewed_asked)
        decisions, whole = QHBoxLayout(), QHBoxLayout()
        for button in (self._accept, self._reject, self._relabel):
            decisions.addWidget(button, 1)
        whole.addWidget(self._forget)
        whole.addWidget(self.note, 1)
        whole.addWidget(self._reviewed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        for row in (decisions, whole):
            row.setSpacing(GRID)
            layout.addLayout(row)

    def show_state(self, state: ViewerState) -> None:
        """Show how many boxes are selected, what is possible, and the note."""
        can_decide = state.image is not None and not state.session.is_read_only
        possible = _possible(state) if can_decide else _NOTHING
        shown = (len(state.selected), possible, can_decide, state.decided.is_reviewed)
        if shown != self._shown:
            self._shown = shown
            self._show_buttons(*shown)
        self.note.show_note(state.image, state.decided.note)
        self.note.setEnabled(can_decide)

    def _show_buttons(self, selected: int, possible: _Possible, can_decide: bool, is_reviewed: bool) -> None:
        texts = (
            (self._accept, possible.accept, tr("Accept"), tr_count("Accept {count}", "Accept {count}", selected)),
            (self._reject, possible.reject, tr("Reject"), tr_count("Reject {count}", "Reject {count}", selected)),
            (self._relabel, possible.relabel, tr("Relabel"), tr_count("Relabel {count}", "Relabel {count}", selected)),
        )
        for button, is_possible, plain, counted in texts:
            button.setText(counted if selected else plain)
            button.setMinimumWidth(button.sizeHint().width())
            button.setAccessibleName(button.text())
            button.setEnabled(is_possible)
        self._forget.setEnabled(possible.forget)
        self._reviewed.setEnabled(can_decide)
        self._reviewed.setIcon(icon("check", "accent_text") if is_reviewed else QIcon())


class _Possible(NamedTuple):
    """Which decisions would change anything about the selected boxes."""

    accept: bool
    reject: bool
    relabel: bool
    forget: bool


_NOTHING = _Possible(accept=False, reject=False, relabel=False, forget=False)


def _possible(state: ViewerState) -> _Possible:
    """Return what is possible; an added box counts as accepted, and rejecting it deletes it."""
    decisions = {} if state.reviewed is None else state.reviewed.decisions
    now = [decisions[index].status if index in decisions else None for index in state.selected]
    return _Possible(
        accept=any(status in (None, Status.REJECTED) for status in now),
        reject=any(status is not Status.REJECTED for status in now),
        relabel=bool(now),
        forget=any(status in (Status.ACCEPTED, Status.REJECTED) for status in now),
    )


class _NoteEdit(QLineEdit):
    """Reports its text when it is finished: on Return and when the focus is lost."""

    finished = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._image: object = None
        self._note = ""
        self.setObjectName("noteEdit")
        self.setAccessibleName(tr("Note about the image"))
        self.setPlaceholderText(tr("Note"))
        self.setMaxLength(MOST_CHARACTERS)
        self.returnPressed.connect(self.finish)

    def finish(self) -> None:
        """Report the text, if it is new."""
        if self.text() != self._note:
            self._note = self.text()
            self.finished.emit(self._note)

    def show_note(self, image: object, note: str) -> None:
        """Show the note of an image; unfinished text about the same image stays."""
        if image is not self._image or note != self._note:
            self._image, self._note = image, note
            self.setText(note)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.finish()


def _button(name: str, drawn: str, tip: str, asked: pyqtBoundSignal) -> QPushButton:
    button = QPushButton(icon(drawn), "")
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setIconSize(QSize(16, 16))
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.clicked.connect(asked)
    return button
