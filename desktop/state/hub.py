"""Models of the hub and their downloads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from engine.models.hub.progress import Progress


class Phase(Enum):
    """The phase of a download."""

    RUNNING = "running"
    PAUSED = "paused"
    LEFT = "left"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class Download:
    """A download of a model from the hub.

    Attributes:
        model: Its id on the hub.
        phase: `LEFT` was not finished by an earlier run.
        revision: Branch, tag or commit; empty for the usual one.
        progress: The progress.
        problem: Why it failed, in the window's language.
        name: In the catalog, when it is downloaded.
    """

    model: str
    phase: Phase = Phase.RUNNING
    revision: str = ""
    progress: Progress = field(default_factory=lambda: Progress("asking"))
    problem: str = ""
    name: str = ""

    @property
    def percent(self) -> int:
        """How much is downloaded, whole percent."""
        return int(self.progress.done * 100 / self.progress.total) if self.progress.total else 0


@dataclass(frozen=True)
class HubRow:
    """A model on the hub, as the list shows it.

    Attributes:
        id: Its id on the hub.
        family: E.g. `detr`; empty where that is not known.
        ap: COCO AP, percent; `None` where that is not known.
        megabytes: Of its files, about; 0 where that is not known.
        downloads: In the last 30 days; `None` where that is not known.
        licence: As the hub names it.
        about: One sentence; for what a search finds, why it cannot be used, if so.
        is_usable: Whether it can be downloaded and used, as far as is known.
    """

    id: str
    family: str = ""
    ap: float | None = None
    megabytes: int = 0
    downloads: int | None = None
    licence: str = ""
    about: str = ""
    is_usable: bool = True
