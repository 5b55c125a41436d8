"""The faster precisions of the model that is looked at: read, measured on the open images, chosen."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.holder import StateHolder
from desktop.work.task_runner import Task, TaskRunner
from engine.detect.precision import Precision
from engine.engine import Engine
from engine.errors import CancelledError, EngineError

if TYPE_CHECKING:
    from engine.batch.precisions import Offer


@dataclass(frozen=True)
class Measurement:
    """How far a measurement is.

    Attributes:
        model: Whose.
        precision: What is being measured.
        stage: What is done just now, in the engine's word.
        done, total: How many of how many of its steps are done; 0 of 0 where that is not known.
        is_cancelled: Whether it is about to end.
    """

    model: str
    precision: Precision
    stage: str = "loading"
    done: int = 0
    total: int = 0
    is_cancelled: bool = False


@dataclass(frozen=True)
class PrecisionView:
    """What is known of the precisions of a model.

    Attributes:
        model: Its name.
        offers: Its faster precisions; none where the model cannot be used.
        images: How many are open to measure with.
        measurement: What is being measured, of this model or another one.
    """

    model: str = ""
    offers: tuple[Offer, ...] = ()
    images: int = 0
    measurement: Measurement | None = None

    @property
    def possible(self) -> tuple[Precision, ...]:
        """Those that this machine can measure, given images enough."""
        return tuple(
            each.precision for each in self.offers if each.problem is None or each.problem.code == "precision_not_worth"
        )

    @property
    def measurable(self) -> tuple[Precision, ...]:
        """Those for which images enough are open."""
        from engine.batch.measuring import LEAST_IMAGES

        return tuple(each for each in self.possible if self.images >= LEAST_IMAGES[each])


class ModelPrecisions(QObject):
    """Reads, measures and chooses beside the window.

    Attributes:
        view: What is known.

    Signals:
        changed: `view` is another one.
        chosen(str): A model computes in another precision from now on.
        failed(EngineError): Something could not be done.
    """

    changed = pyqtSignal()
    chosen = pyqtSignal(str)
    failed = pyqtSignal(object)

    def __init__(self, engine: Engine, holder: StateHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = PrecisionView()
        self._engine, self._holder = engine, holder
        self._reading = TaskRunner("precisions-read", self)
        self._measuring = TaskRunner("precisions-measure", self)
        self._cancelled = threading.Event()
        self._reading.failed.connect(self._on_refused)
        self._measuring.failed.connect(self._on_failed)

    def read(self, name: str) -> None:
        """Read what there is for a model; `changed` tells, where it is another thing than before."""
        if name != self.view.model:
            self._show(PrecisionView(name, images=self._count(), measurement=self.view.measurement))

        def work(task: Task) -> tuple[Offer, ...]:
            from engine.batch.precisions import offers

            try:
                return offers(self._engine, name)
            except EngineError:
                return ()  # why the model cannot be used is told by its card

        self._reading.run(work, lambda found: self._on_read(name, found))

    def choose(self, name: str, precision: Precision) -> None:
        """Let a model compute in this precision from its next answer on."""

        def work(task: Task) -> None:
            from engine.batch.precisions import choose

            choose(self._engine, name, precision)

        def then(_: None) -> None:
            self.read(name)
            self.chosen.emit(name)

        self._reading.run(work, then)

    def measure(self) -> None:
        """Measure what can be measured of the model in view, on the images that are open; one at a time."""
        name, wanted, images = self.view.model, self.view.measurable, self._holder.state.sources
        if self.view.measurement is not None or not wanted:
            return
        self._cancelled = cancelled = threading.Event()

        def work(task: Task) -> None:
            from engine.batch.measuring import measure

            def report(precision: Precision, stage: str, done: int, total: int) -> None:
                task.report(Measurement(name, precision, stage, done, total))

            with contextlib.suppress(CancelledError):
                for precision in wanted:
                    progress = partial(report, precision)
                    measure(self._engine, name, precision, images, progress, cancelled.is_set, in_haste=True)

        self._show(replace(self.view, measurement=Measurement(name, wanted[0])))
        self._measuring.run(work, lambda _: self._on_over(), reported=self._on_progress)

    def cancel(self) -> None:
        """Give up what is being measured."""
        self._cancelled.set()
        if self.view.measurement is not None:
            self._show(replace(self.view, measurement=replace(self.view.measurement, is_cancelled=True)))

    def stop(self, seconds: float) -> bool:
        """Begin nothing more; whether every thread ended in time."""
        self._cancelled.set()
        until = time.monotonic() + seconds
        ended = [each.stop(max(until - time.monotonic(), 0.1)) for each in (self._measuring, self._reading)]
        return all(ended)

    def _count(self) -> int:
        return len(self._holder.state.sources)

    def _show(self, view: PrecisionView) -> None:
        if view != self.view:
            self.view = view
            self.changed.emit()

    def _on_read(self, name: str, found: tuple[Offer, ...]) -> None:
        if name == self.view.model:
            self._show(replace(self.view, offers=found, images=self._count()))

    def _on_progress(self, measurement: Measurement) -> None:
        if self.view.measurement is not None and not self.view.measurement.is_cancelled:
            self._show(replace(self.view, measurement=measurement))

    def _on_over(self) -> None:
        self._show(replace(self.view, measurement=None))
        self.read(self.view.model)

    def _on_refused(self, error: EngineError) -> None:
        self.failed.emit(error)
        self.changed.emit()  # what is shown as chosen is not

    def _on_failed(self, error: EngineError) -> None:
        self._on_over()
        self.failed.emit(error)
