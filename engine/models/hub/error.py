"""The error raised for failures of the hub."""

from __future__ import annotations

from engine.errors import ModelError


class HubError(ModelError):
    """The hub is unreachable, refuses, or does not have the model."""
