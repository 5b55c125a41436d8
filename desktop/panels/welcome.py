"""What the canvas shows before an image is open."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.i18n import tr
from desktop.icons import icon
from desktop.panels.parts import hint_label
from desktop.theme import GRID

ICON_SIDE = 48


class Welcome(QWidget):
    """Says how to begin.

    Signals:
        open_asked, samples_asked: The buttons.
    """

    open_asked = pyqtSignal()
    samples_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        picture = QLabel()
        picture.setPixmap(icon("images", "text_muted").pixmap(ICON_SIDE, ICON_SIDE))
        title = QLabel(tr("Drop images here, paste one, or press Ctrl+O"))
        title.setProperty("heading", True)
        hint = hint_label(tr("Files, folders, links and pictures from a browser all work."))
        hint.setWordWrap(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        for text, signal, primary in (
            (tr("Open images"), self.open_asked, True),
            (tr("Show the samples"), self.samples_asked, False),
        ):
            button = QPushButton(text)
            button.setProperty("primary", primary)
            button.clicked.connect(signal)
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(GRID)
        layout.addStretch(1)
        for label in (picture, title, hint):
            layout.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(GRID)
        layout.addLayout(buttons)
        layout.addStretch(1)
