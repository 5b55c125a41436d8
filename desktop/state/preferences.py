"""What the user prefers of the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

Language = Literal["", "en", "zh_CN"]
PreferredScheme = Literal["system", "light", "dark"]


@dataclass(frozen=True)
class Preferences:
    """The window's table in `config.toml`.

    Attributes:
        language: The language of the window; empty for the system's.
        scheme: The colours; `system` follows the desktop.
        threshold: The threshold at the start, 0..1.
        detect_on_opening: Whether opening an image starts a detection.
        keys: Key sequences that the user gave actions, by the action's name; an empty tuple for no key.
        hints_seen: Names of the hints that are not shown again.
        export_folder, export_format: The folder and format of the last export.
    """

    language: Language = ""
    scheme: PreferredScheme = "system"
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    detect_on_opening: bool = True
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hints_seen: frozenset[str] = frozenset()
    export_folder: str = ""
    export_format: str = ""
