"""The page in place of the canvas before an image is open."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.images.recent import RecentEntry
from desktop.images.recent_button import RecentButton
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID

ICON_SIDE = 48
_LIST_WIDTH = 60 * GRID
_MOST_SHOWN = 6


class Welcome(QWidget):
    """Explains how to begin, and offers what was opened before.

    Signals:
        open_asked, samples_asked: The buttons.
        open_again(str): A path or URL that was opened before.
    """

    open_asked = pyqtSignal()
    samples_asked = pyqtSignal()
    open_again = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAccessibleName(tr("How to begin"))
        sign = QLabel()
        sign.setPixmap(icon("images", "text_muted").pixmap(ICON_SIDE, ICON_SIDE))
        title = QLabel(tr("Drop images here, paste one, or press Ctrl+O"))
        title.setProperty("heading", True)
        hint = hint_label(tr("Files, folders, links and pictures from a browser all work."))
        hint.setWordWrap(False)
        self._recent = QWidget()
        self._recent.setObjectName("recentList")
        self._recent.setAccessibleName(tr("Open again"))
        self._recent.setMaximumWidth(_LIST_WIDTH)
        self._rows = QVBoxLayout(self._recent)
        self._rows.setContentsMargins(0, 2 * GRID, 0, 0)
        self._rows.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setSpacing(GRID)
        layout.addStretch(1)
        for label in (sign, title, hint):
            layout.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(GRID)
        layout.addLayout(self._buttons())
        layout.addWidget(self._recent, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.show_recent(())

    def show_recent(self, entries: Sequence[RecentEntry]) -> None:
        """List what was opened before and still exists."""
        while self._rows.count():
            former = self._rows.takeAt(0).widget()
            former.hide()
            former.deleteLater()
        there = [entry for entry in entries if entry.is_there][:_MOST_SHOWN]
        self._recent.setVisible(bool(there))
        if there:
            heading = hint_label(tr("Open again"))
            heading.setContentsMargins(GRID, 0, 0, GRID // 2)
            self._rows.addWidget(heading)
        for entry in there:
            button = RecentButton(entry, _LIST_WIDTH)
            button.clicked.connect(lambda _, text=entry.text: self.open_again.emit(text))
            self._rows.addWidget(button)

    def _buttons(self) -> QHBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        for name, text, signal, primary in (
            ("welcomeOpen", tr("Open images"), self.open_asked, True),
            ("welcomeSamples", tr("Show the samples"), self.samples_asked, False),
        ):
            button = QPushButton(text)
            button.setObjectName(name)
            button.setAccessibleName(text)
            button.setProperty("primary", primary)
            button.clicked.connect(signal)
            buttons.addWidget(button)
        buttons.addStretch(1)
        return buttons
