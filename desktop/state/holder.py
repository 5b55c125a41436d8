"""The holder of the viewer's state: every change goes through it."""

from __future__ import annotations

from collections.abc import Callable

from desktop.state.viewer import Message, ViewerState, told
from engine.errors import EngineError

Derivation = Callable[[ViewerState], ViewerState]
"""Fills in what follows from the rest of a state and from what its owner knows."""


class StateHolder:
    """Holds the state and derives what can be derived; used in the GUI thread."""

    def __init__(
        self,
        state: ViewerState,
        changed: Callable[[ViewerState], object],
        error_text: Callable[[EngineError], str],
    ) -> None:
        """Hold a first state, for which `changed` is not called.

        Args:
            state: The first state.
            changed: Called with every later state.
            error_text: Returns what an error says in the language of the window.
        """
        self._state = state
        self._changed = changed
        self._error_text = error_text
        self._derivations: list[Derivation] = []
        self._is_telling = self._is_told = False

    @property
    def state(self) -> ViewerState:
        """The present state."""
        return self._state

    def derive(self, derivation: Derivation) -> None:
        """Apply a derivation to every state from now on, after those that were given before."""
        self._derivations.append(derivation)

    def set(self, state: ViewerState) -> None:
        """Make this the present state; one that is set while another is being told is told after it, to everyone."""
        for derivation in self._derivations:
            state = derivation(state)
        self._state = state
        self._is_told = False
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while not self._is_told:
                self._is_told = True
                self._changed(self._state)
        finally:
            self._is_telling = False

    def refresh(self) -> None:
        """Derive anew, because what derivations know has changed."""
        self.set(self._state)

    def tell(self, text: str) -> None:
        """Show a sentence in the message bar."""
        self.set(told(self._state, Message(text, is_error=False)))

    def tell_error(self, error: EngineError) -> None:
        """Show an error in the message bar."""
        self.set(told(self._state, Message(self._error_text(error))))
