"""The models as the window shows them: values, no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from engine.models.catalog.entry import STARTER, Defaults

__all__ = ["STARTER", "Defaults", "Fact", "ModelRow", "ModelView", "NamesWanted", "Presence"]


class Presence(Enum):
    """Where a model is."""

    IN_USE = "in_use"
    IN_MEMORY = "in_memory"
    HERE = "here"
    NOT_HERE = "not_here"
    BROKEN = "broken"
    DOWNLOADING = "downloading"


@dataclass(frozen=True)
class ModelRow:
    """A line of the list of models.

    Attributes:
        name: What it is called.
        presence: Where it is.
        problem: Why it cannot be used, in the window's language; empty where it can.
        place: Folder, file or id on the hub.
        size: Of its files, bytes.
        percent: How much of it is downloaded, while it is.
    """

    name: str
    presence: Presence
    problem: str = ""
    place: str = ""
    size: int = 0
    percent: int = 0

    @property
    def is_starter(self) -> bool:
        """Whether it comes with the program: it keeps its name and stays."""
        return self.name == STARTER


@dataclass(frozen=True)
class Fact:
    """One line of a card.

    Attributes:
        title: What it is about.
        text: What is so; behind a number, its unit.
        number: Set apart, so that numbers stand under each other.
    """

    title: str
    text: str
    number: str = ""


@dataclass(frozen=True)
class ModelView:
    """A model, in words.

    Attributes:
        row: Its line of the list.
        facts: What is known of it.
        notes: What the user should know of it, one sentence each.
        classes: Class names with their numbers; several may have one name.
        defaults: How its detections are chosen where nobody says.
        is_kept: Whether it is there at the next start too.
        is_downloaded: Whether this program brought its files, so that it may delete them.
        hub_id: Its id, where it is one of the hub's.
        names_unknown: Whether nothing tells its class names.
    """

    row: ModelRow
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[tuple[int, str], ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    is_kept: bool = True
    is_downloaded: bool = False
    hub_id: str = ""
    names_unknown: bool = False


@dataclass(frozen=True)
class NamesWanted:
    """A model that does not know what its classes are called.

    Attributes:
        model: Its name.
        path: Its file.
        count: How many classes it has; 0 where that is not known either.
    """

    model: str
    path: Path
    count: int
