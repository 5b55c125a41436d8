"""Paths of shipped resources and of the user's config, data and cache folders."""

from __future__ import annotations

import os
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Return the path of a shipped file or folder, e.g. `resource("samples", "poster.jpg")`.

    A wheel carries the resources inside the `engine` package; a checkout has them beside it.
    """
    inside = _HERE / "resources"
    root = inside if inside.is_dir() else _HERE.parent / "resources"
    return root.joinpath(*parts)


def config_dir() -> Path:
    """The folder of `config.toml` and `models.toml`."""
    return _home("config")


def data_dir() -> Path:
    """The folder of sessions, downloaded models and logs."""
    return _home("data")


def cache_dir() -> Path:
    """The folder of data that can be recomputed."""
    return _home("cache")


def _home(kind: str) -> Path:
    moved = os.environ.get("DETRDESK_HOME")
    if moved:
        return Path(moved).expanduser() / kind
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("detrdesk", appauthor=False))
