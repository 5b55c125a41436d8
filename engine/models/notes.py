"""What a user should know of a model that can be used all the same."""

from __future__ import annotations

from engine.errors import EngineError


class ModelNote(EngineError):
    """One sentence about a model, worded and translated as an error is; shown, never raised."""
