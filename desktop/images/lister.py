"""Lists the images of files, folders and URLs in the background, delivered in parts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.work.task_runner import Task, TaskRunner
from engine.errors import SourceError
from engine.image.listing import ListingNotes, walk_sources
from engine.image.source import Source, SourceLike

_FIRST_AFTER, _MORE_AFTER = 0.05, 0.1
"""Seconds between two deliveries: each costs the window a new list."""


@dataclass(frozen=True)
class ListPart:
    """Some of the listed images.

    Attributes:
        sources: The next ones; empty where nothing more was found.
        is_first, is_last: Whether this is the first or the last part.
        notes: In the last part, what the user should know of the listing.
    """

    sources: tuple[Source, ...]
    is_first: bool
    is_last: bool
    notes: tuple[SourceError, ...] = ()


class Lister(QObject):
    """Lists what was asked for last; an unresponsive disk delays no other listing.

    Signals:
        listed(ListPart): More images.
        failed(EngineError): Listing failed.
    """

    listed = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner("listing", self, threads=None)
        self._tasks.failed.connect(self.failed)

    def start(self, given: Sequence[SourceLike]) -> None:
        """List these; the listing before is cancelled."""
        self._tasks.cancel()
        self._tasks.run(partial(_list, given), reported=self.listed.emit)

    def cancel(self) -> None:
        """Cancel the listing; nothing more is delivered."""
        self._tasks.cancel()

    def stop(self, seconds: float) -> bool:
        """Cancel, and return whether every thread ended in time."""
        return self._tasks.stop(seconds)


def _list(given: Sequence[SourceLike], task: Task) -> None:
    """Report the images of folders as they are found, and single images in one part."""
    waiting: list[Source] = []
    is_first, since, notes = True, time.monotonic(), ListingNotes()
    for found in walk_sources(given, task.cancelled, notes):
        waiting += found
        waited = time.monotonic() - since
        is_enough = len(waiting) > 1 and (len(found) > 1 or waited > _FIRST_AFTER)
        if is_enough if is_first else waited > _MORE_AFTER:
            task.report(ListPart(tuple(waiting), is_first, is_last=False))
            waiting, is_first, since = [], False, time.monotonic()
    if is_first and not waiting:
        raise SourceError("no_images", "There are no images in this folder.")
    task.report(ListPart(tuple(waiting), is_first, is_last=True, notes=tuple(notes.told())))
