"""Remarks on usable models."""

from __future__ import annotations

from engine.errors import EngineError


class Note(EngineError):  # noqa: N818 (a sentence that is shown, not raised)
    """A remark about a model, worded and translated as an error is."""
