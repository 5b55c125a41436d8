"""The one place where the state is: whoever changes it does so here, and everyone hears of it."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.i18n import error_text
from desktop.viewer_state import Message, ViewerState, told
from engine.errors import EngineError


class StateHolder(QObject):
    """Holds what is shown.

    Attributes:
        state: What is shown now.

    Signals:
        changed(ViewerState): The state is another one now.
    """

    changed = pyqtSignal(object)

    def __init__(self, state: ViewerState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state

    def set(self, state: ViewerState) -> None:
        """Show another state."""
        self.state = state
        self.changed.emit(state)

    def tell(self, text: str) -> None:
        """Say something in the message bar."""
        self.set(told(self.state, Message(text, is_error=False)))

    def tell_error(self, error: EngineError) -> None:
        """Say what went wrong in the message bar."""
        self.set(told(self.state, Message(error_text(error))))
