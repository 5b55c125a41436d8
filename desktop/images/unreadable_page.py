"""The page in place of the canvas for an image that cannot be opened."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import IconLabel, hint_label
from desktop.style.theme import GRID

ICON_SIDE = 48


class UnreadablePage(QWidget):
    """Shows the image's name and the reason; the keys of the canvas work here too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("unreadablePage")
        self.setAccessibleName(tr("This image cannot be opened."))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        sign = IconLabel(ICON_SIDE)
        sign.show_icon(icon("ban", "text_muted"))
        self._name, self._reason = QLabel(), hint_label("")
        self._name.setProperty("heading", True)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._reason.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        layout.setSpacing(GRID)
        layout.addStretch(1)
        for label in (sign, self._name, self._reason):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        layout.addStretch(1)

    def show_state(self, state: ViewerState) -> None:
        """Show the name of the image and why it cannot be opened."""
        if state.unreadable and state.at is not None:
            self._name.setText(state.sources[state.at].name)
            self._reason.setText(state.unreadable)
