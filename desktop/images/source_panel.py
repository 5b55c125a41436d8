"""The panel on the left: the address field, the open button and the list of images."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QAction, QHBoxLayout, QProgressBar, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop.images.address_edit import AddressEdit
from desktop.images.open_button import OpenButton
from desktop.images.recent import RecentEntry
from desktop.images.source_list import SourceList
from desktop.images.source_rows import SourceRows
from desktop.state.viewer import Marks, ViewerState
from desktop.style.i18n import tr, tr_count
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID


class SourcePanel(QWidget):
    """Opens images and lists them.

    Signals:
        text_entered(str): A path, URL, data URI or base64 text.
        open_again(str): A recently opened path or URL was chosen.
        source_chosen(int): A row of the list was chosen.
        thumbnails_wanted(list): Visible sources, and those of the next page, that have no thumbnail yet.
    """

    text_entered = pyqtSignal(str)
    open_again = pyqtSignal(str)
    source_chosen = pyqtSignal(int)
    thumbnails_wanted = pyqtSignal(object)

    def __init__(self, open_actions: list[QAction], paste: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sources: object = None
        self._marks: Marks | None = None
        self._at: int | None = None
        self.edit = AddressEdit()
        self._rows = SourceRows()
        self.list = SourceList(self._rows)
        self._open = OpenButton(open_actions)
        self._hint = hint_label(tr("Drop images or a folder anywhere in this window."))
        self._count = hint_label("")
        self._count.setObjectName("sourceCount")
        self._done = _progress_bar()
        self._lay_out(paste)
        self.edit.text_entered.connect(self.text_entered)
        self._open.open_again.connect(self.open_again)
        self.list.row_chosen.connect(self.source_chosen)
        self.list.rows_seen.connect(self._on_seen)

    def show_state(self, state: ViewerState) -> None:
        """Show the list, the shown image's row, and the marks of each image."""
        has_other_sources, has_other_marks = state.sources is not self._sources, state.marks is not self._marks
        if has_other_sources:
            self._sources = state.sources
            with QSignalBlocker(self.list.selectionModel()):
                self._rows.show_sources(state.sources)
            self._hint.setVisible(not state.sources)
            self.list.setVisible(bool(state.sources))
        if has_other_marks:
            self._marks = state.marks
            self._rows.show_marks(state.marks)
        if has_other_sources or has_other_marks:
            self._show_progress(len(state.sources), state.marks.reviewed_count)
        if has_other_sources or state.at != self._at:
            self._at = state.at
            self.list.choose(state.at)
        elif not has_other_marks:
            return
        self.list.viewport().update()

    def show_thumbnail(self, source: object, thumbnail: QImage) -> None:
        """Show the thumbnail of a source."""
        self._rows.set_thumbnail(source, thumbnail)
        self.list.viewport().update()

    def show_failure(self, source: object, reason: str) -> None:
        """Mark a source as unreadable; the tool tip says why."""
        self._rows.set_thumbnail(source, reason)
        self.list.viewport().update()

    def show_recent(self, entries: Sequence[RecentEntry]) -> None:
        """List recently opened places in the menu of the open button."""
        self._open.show_recent(entries)

    def show_history(self, texts: Sequence[str]) -> None:
        """Set the history of the address field."""
        self.edit.show_history(texts)

    def _show_progress(self, count: int, reviewed: int) -> None:
        if reviewed:
            text = tr("{done:,} of {count:,} reviewed", done=reviewed, count=count)
        else:
            text = tr_count("{count} image", "{count} images", count) if count else ""
        self._count.setText(text)
        self._done.setRange(0, max(1, count))
        self._done.setValue(reviewed)
        self._done.setVisible(reviewed > 0)

    def _on_seen(self, rows: range) -> None:
        self.thumbnails_wanted.emit(self._rows.without_thumbnail(rows))

    def _lay_out(self, paste: QAction) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._open, 1)
        buttons.addWidget(_paste_button(paste), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.edit)
        layout.addLayout(buttons)
        layout.addWidget(self._hint, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._count, 0, Qt.AlignmentFlag.AlignBottom)
        layout.addWidget(self._done)


def _progress_bar() -> QProgressBar:
    bar = QProgressBar()
    bar.setObjectName("reviewedBar")
    bar.setAccessibleName(tr("Reviewed images"))
    bar.setTextVisible(False)
    bar.hide()
    return bar


def _paste_button(paste: QAction) -> QToolButton:
    button = QToolButton()
    button.setObjectName("pasteButton")
    button.setAccessibleName(tr("Paste"))
    button.setText(tr("Paste"))
    button.setIcon(icon("clipboard-paste"))
    button.setToolTip(tr("Paste an image, a file, a URL or base64 text  (Ctrl+V)"))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setIconSize(QSize(16, 16))
    button.clicked.connect(paste.trigger)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
