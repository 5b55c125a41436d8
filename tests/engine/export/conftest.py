"""A reviewed session for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.export.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Three images below a folder with a Chinese name and a space."""
    return Session.make(tmp_path / "图像 集")
