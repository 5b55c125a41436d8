"""Exporting in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.viewer import ViewerState
from desktop.work.task_runner import TaskRunner
from engine.engine import Engine
from engine.errors import EngineError
from engine.review.session import Session

if TYPE_CHECKING:
    from desktop.export.data import Candidate
    from engine.export.format import ExportFormat
    from engine.export.item import Choice, ExportItem
    from engine.export.job import ExportSummary
    from engine.export.names import ExportName

PROGRESS_EVERY = 10
"""Images between two reports."""


class Scope(Enum):
    """Which images an export takes."""

    IMAGE = auto()
    SELECTION = auto()
    SESSION = auto()


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        format: The format.
        scope: Which images.
        choice: Which boxes.
        target: The file or folder to write.
    """

    format: ExportFormat
    scope: Scope
    choice: Choice
    target: Path


@dataclass(frozen=True, eq=False)
class ExportImages:
    """Which images to export.

    Attributes:
        listed: All images of the session, so that a file name does not depend on the selection.
        wanted: Indices into `listed`.
    """

    listed: Sequence[Candidate]
    wanted: Sequence[int]


class Exporter(QObject):
    """Runs one export after the other.

    Signals:
        progressed(int, int): Images done, of how many.
        finished(ExportSummary): The result of an export.
        failed(EngineError): An export failed.
        idle: No export runs any more.
    """

    progressed = pyqtSignal(int, int)
    finished = pyqtSignal(object)
    failed = pyqtSignal(object)
    idle = pyqtSignal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._cancelled = threading.Event()
        self._tasks = TaskRunner("export", self)
        self._tasks.failed.connect(self._on_failed)
        self._running = 0

    @property
    def is_busy(self) -> bool:
        """Whether an export runs or waits."""
        return self._running > 0

    def start(self, request: ExportRequest, images: ExportImages, state: ViewerState, session: Session | None) -> None:
        """Export images with the filters of `state`; `finished` or `failed` follows."""
        self._cancelled.clear()
        self._running += 1
        self._tasks.run(lambda task: self._export(request, images, state, session), self._on_finished)

    def cancel(self) -> None:
        """Cancel the running export; files that were written stay, and `finished` follows."""
        self._cancelled.set()

    def stop(self) -> None:
        """Cancel, and wait for the end."""
        self.cancel()
        self._tasks.wait()
        self._running = 0

    def _on_finished(self, summary: ExportSummary) -> None:
        self.finished.emit(summary)
        self._rest()

    def _on_failed(self, error: EngineError) -> None:
        self.failed.emit(error)
        self._rest()

    def _rest(self) -> None:
        self._running = max(self._running - 1, 0)
        if not self._running:
            self.idle.emit()

    def _export(
        self, request: ExportRequest, images: ExportImages, state: ViewerState, session: Session | None
    ) -> ExportSummary:
        from desktop.export.data import ExportData
        from engine.export.item import ExportItem
        from engine.export.job import Skipped, export_items
        from engine.export.names import export_names

        data = ExportData(self._engine, state, session)
        places = export_names([each.source for each in images.listed])
        skipped: list[Skipped] = []
        chosen: list[tuple[Candidate, ExportName]] = []
        for at in images.wanted:
            if self._cancelled.is_set():
                break
            each = images.listed[at]
            if data.has(each):
                chosen.append((each, places[at]))
            else:
                reason = EngineError("not_detected", "Nothing was detected in it yet.")
                skipped.append(Skipped(each.source.name, reason))
        if not chosen and not self._cancelled.is_set():
            raise EngineError("nothing_to_export", "There is nothing to export yet: detect in the images first.")

        def items() -> Iterator[ExportItem]:
            for each, place in chosen:
                try:
                    found, reviewed = data.of(each)
                except EngineError as error:
                    skipped.append(Skipped(each.source.name, error))
                    continue
                yield ExportItem.of_reviewed(
                    each.source,
                    place,
                    reviewed,
                    request.choice,
                    found=found,
                    chosen=state.chosen,
                    pixels=lambda each=each: data.pixels(each),  # type: ignore[misc]
                )

        def progress(done: int) -> None:
            if done % PROGRESS_EVERY == 0 or done == len(chosen):
                self.progressed.emit(done, len(chosen))

        summary = export_items(
            request.format,
            items(),
            request.target,
            data.classes([each for each, _ in chosen]),
            progress=progress,
            cancelled=self._cancelled.is_set,
        )
        return replace(summary, skipped=(*summary.skipped, *skipped))
