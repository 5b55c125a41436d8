"""Models as the window shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from engine.models.catalog.entry import STARTER, Defaults

__all__ = ["STARTER", "ConversionProgress", "Defaults", "Fact", "ModelRow", "ModelView", "NamesWanted", "Presence"]


class Presence(Enum):
    """The state of a model in the list."""

    IN_USE = "in_use"
    IN_MEMORY = "in_memory"
    HERE = "here"
    NOT_HERE = "not_here"
    BROKEN = "broken"
    DOWNLOADING = "downloading"


@dataclass(frozen=True)
class ModelRow:
    """A row in the list of models.

    Attributes:
        name: Its name in the catalog.
        presence: Its state.
        problem: Why it cannot be used, in the window's language; empty where it can.
        place: Folder, file or id on the hub.
        size: The size of its files, bytes.
        percent: How much of it is downloaded.
    """

    name: str
    presence: Presence
    problem: str = ""
    place: str = ""
    size: int = 0
    percent: int = 0

    @property
    def is_starter(self) -> bool:
        """Whether it comes with the program: it can be neither renamed nor removed."""
        return self.name == STARTER


@dataclass(frozen=True)
class Fact:
    """One line of a model's card.

    Attributes:
        title: The property.
        text: Its value, or the unit of `number`.
        number: A numeric value, right-aligned.
    """

    title: str
    text: str
    number: str = ""


@dataclass(frozen=True)
class ConversionProgress:
    """The progress of a model's conversion for this processor.

    Attributes:
        percent: How much is done, whole percents; `None` while it waits for another conversion.
    """

    percent: int | None


@dataclass(frozen=True)
class ModelView:
    """What the card of a model shows.

    Attributes:
        row: Its row in the list.
        facts: Properties, one a line.
        notes: Warnings and hints, one sentence each.
        classes: Class numbers and names; several classes may have one name.
        defaults: The threshold, top_k and classes it begins with.
        is_kept: Whether it is still in the catalog at the next start.
        is_downloaded: Whether this program downloaded its files, so that it may delete them.
        hub_id: Its id on the hub; empty where it is not from there.
        names_unknown: Whether its class names are missing.
        conversion: Its conversion, while it waits or runs.
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
    conversion: ConversionProgress | None = None


@dataclass(frozen=True)
class NamesWanted:
    """A model whose class names are unknown.

    Attributes:
        model: Its name.
        path: Its file.
        count: How many classes it has; 0 where that is unknown too.
    """

    model: str
    path: Path
    count: int
