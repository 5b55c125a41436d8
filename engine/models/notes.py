"""What a user should know of a model that can be used all the same."""

from __future__ import annotations

from engine.errors import EngineError


class Note(EngineError):  # noqa: N818 (a sentence that is shown, not raised)
    """One sentence about a model, worded and translated as an error is."""
