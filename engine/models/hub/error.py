"""The error of the hub package."""

from __future__ import annotations

from engine.errors import ModelError


class HubError(ModelError):
    """The hub cannot be reached, refuses, or does not have what was asked for."""
