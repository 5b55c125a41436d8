"""The one place where the state is: whoever changes it does so here, and everyone hears of it."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.viewer import Message, ViewerState, told
from desktop.style.i18n import error_text
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
        self._is_telling = self._tells_again = False

    def set(self, state: ViewerState) -> None:
        """Show another state; one that is set while another is being told is told after it, to everyone."""
        self.state = state
        self._tells_again = True
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._tells_again:
                self._tells_again = False
                self.changed.emit(self.state)
        finally:
            self._is_telling = False

    def tell(self, text: str) -> None:
        """Say something in the message bar."""
        self.set(told(self.state, Message(text, is_error=False)))

    def tell_error(self, error: EngineError) -> None:
        """Say what went wrong in the message bar."""
        self.set(told(self.state, Message(error_text(error))))
