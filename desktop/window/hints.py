"""At most three hints, one line each, over the canvas of a new user; each is shown once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.theme import GRID
from engine.image.opened import OpenedImage

ACCEPT, THRESHOLD, KEYS = "accept", "threshold", "keys"

DONE_BY: Mapping[str, str] = {
    "acceptAll": ACCEPT,
    "thresholdUp": THRESHOLD,
    "thresholdDown": THRESHOLD,
    "keys": KEYS,
}
"""The hint about an action, by the action's name."""


@dataclass(frozen=True)
class Hint:
    """A hint.

    Attributes:
        name: Identifies it among the hints that were seen.
        text: The line, in the window's language.
    """

    name: str
    text: str


def hint_for(state: ViewerState, seen: Collection[str], keys: Mapping[str, str]) -> Hint | None:
    """Return the hint to show now, if any.

    Args:
        state: The present state.
        seen: Names of hints that are not to be shown again.
        keys: The first key of actions as this system writes it, by the action's name; without one there is no hint.
    """
    if state.image is None or state.detections is None or state.stage is not None:
        return None
    for name, is_moment in ((ACCEPT, bool(state.shown)), (THRESHOLD, state.hidden_count > 0), (KEYS, True)):
        text = _text(name, keys) if is_moment and name not in seen else ""
        if text:
            return Hint(name, text)
    return None


class HintStrip(QFrame):
    """Shows a hint at the lower edge of the canvas for one image, until it is clicked or its action is used.

    Attributes:
        hint: The shown hint.

    Signals:
        seen(str): The name of a hint that is not to be shown again.
    """

    seen = pyqtSignal(str)

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("hintStrip")
        self.setAccessibleName(tr("Hint"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._canvas = canvas
        self.hint: Hint | None = None
        self._image: OpenedImage | None = None
        self._has_shown = False
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        close = QToolButton()
        close.setObjectName("closeHint")
        close.setIcon(icon("x", "accent_text"))
        close.setAutoRaise(True)
        close.setAccessibleName(tr("Close the hint"))
        close.setToolTip(tr("Close the hint"))
        close.clicked.connect(self._dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID // 2, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(self._text)
        row.addWidget(close)
        canvas.installEventFilter(self)
        self.hide()

    def show_state(self, state: ViewerState, seen: Collection[str], keys: Mapping[str, str]) -> None:
        """Show the hint that `hint_for` returns; a hint whose image is gone has been seen."""
        if state.image is not self._image:
            self._image, self._has_shown = state.image, False
            seen = seen if self.hint is None else {*seen, self.hint.name}
            self._dismiss()
        hint = None if self._has_shown else hint_for(state, seen, keys)
        if hint is not None:
            self._has_shown = True
            self._show(hint)

    def did(self, action: str) -> None:
        """Close the hint of an action that the user has used, and do not show it later."""
        name = DONE_BY.get(action)
        if name is not None and (self.hint is None or self.hint.name != name):
            self.seen.emit(name)
        elif name is not None:
            self._dismiss()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dismiss()

    def eventFilter(self, canvas: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(canvas, event)

    def _dismiss(self) -> None:
        if self.hint is not None:
            name = self.hint.name
            self._show(None)
            self.seen.emit(name)

    def _show(self, hint: Hint | None) -> None:
        self.hint = hint
        self.setVisible(hint is not None)
        if hint is not None:
            self._text.setText(hint.text)
            self.setAccessibleDescription(hint.text)
            self._place()
            self.raise_()

    def _place(self) -> None:
        """Move to the middle of the lower edge, in one line where there is room."""
        canvas = self._canvas
        room = canvas.width() - 2 * GRID
        self._text.setWordWrap(False)
        size = self.sizeHint()
        if size.width() > room:
            self._text.setWordWrap(True)
            size = QSize(room, self.heightForWidth(room))
        self.resize(size)
        self.move((canvas.width() - size.width()) // 2, canvas.height() - size.height() - 2 * GRID)


def _text(name: str, keys: Mapping[str, str]) -> str:
    """Return the text of a hint; empty where one of its actions has no key."""
    accept, down, up, listed = (keys.get(each, "") for each in ("acceptAll", "thresholdDown", "thresholdUp", "keys"))
    if name == ACCEPT and accept:
        return tr("{key} accepts what is shown and goes on to the next image.", key=accept)
    if name == THRESHOLD and down and up:
        return tr("{down} and {up} move the threshold: fewer or more detections at once.", down=down, up=up)
    if name == KEYS and listed:
        return tr("{key} lists every key and lets you change them.", key=listed)
    return ""
