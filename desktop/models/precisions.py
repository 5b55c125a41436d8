"""The controller of model precisions: reading, measuring on the open images, choosing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.holder import StateHolder
from desktop.state.precision import Measurement, PrecisionFigures, PrecisionOffer, PrecisionView
from desktop.style.i18n import error_text
from desktop.work.task_runner import Task, TaskRunner
from engine.detect.precision import Precision
from engine.engine import Engine
from engine.errors import CancelledError, EngineError

if TYPE_CHECKING:
    from engine.batch.precisions import Offer


class ModelPrecisions(QObject):
    """Reads, measures and chooses the precisions of one model in the background.

    Attributes:
        view: What is known of them.

    Signals:
        changed(PrecisionView): `view` has changed, or is to be shown again.
        chosen(str): A model computes in another precision from its next detection on.
        failed(EngineError): Something could not be done.
    """

    changed = pyqtSignal(object)
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
        """Read the precisions of a model; `changed` follows where they differ from `view`."""
        if name != self.view.model:
            self._show(PrecisionView(name, measurement=self.view.measurement))

        def work(task: Task) -> tuple[Offer, ...]:
            from engine.batch.precisions import offers

            try:
                return offers(self._engine, name)
            except EngineError:
                return ()  # why the model cannot be used is told by its card

        self._reading.run(work, lambda found: self._on_read(name, found))

    def choose(self, name: str, precision: Precision) -> None:
        """Have a model compute in this precision from its next detection on."""

        def work(task: Task) -> None:
            from engine.batch.precisions import choose

            choose(self._engine, name, precision)

        def then(_: None) -> None:
            self.read(name)
            self.chosen.emit(name)

        self._reading.run(work, then)

    def measure(self) -> None:
        """Measure the measurable precisions of the model in view on the open images, one after the other."""
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
        """Cancel the measurement."""
        self._cancelled.set()
        if self.view.measurement is not None:
            self._show(replace(self.view, measurement=replace(self.view.measurement, is_cancelled=True)))

    def stop(self, seconds: float) -> bool:
        """Cancel, and return whether every thread ended in time."""
        self._cancelled.set()
        until = time.monotonic() + seconds
        ended = [each.stop(max(until - time.monotonic(), 0.1)) for each in (self._measuring, self._reading)]
        return all(ended)

    def _show(self, view: PrecisionView) -> None:
        if view != self.view:
            self.view = view
            self.changed.emit(view)

    def _on_read(self, name: str, found: tuple[Offer, ...]) -> None:
        if name == self.view.model:
            self._show(_view_of(name, found, len(self._holder.state.sources), self.view.measurement))

    def _on_progress(self, measurement: Measurement) -> None:
        if self.view.measurement is not None and not self.view.measurement.is_cancelled:
            self._show(replace(self.view, measurement=measurement))

    def _on_over(self) -> None:
        self._show(replace(self.view, measurement=None))
        self.read(self.view.model)

    def _on_refused(self, error: EngineError) -> None:
        self.failed.emit(error)
        self.changed.emit(self.view)  # the list shows the refused precision as chosen

    def _on_failed(self, error: EngineError) -> None:
        self._on_over()
        self.failed.emit(error)


def _view_of(name: str, offers: Sequence[Offer], images: int, measurement: Measurement | None) -> PrecisionView:
    from engine.batch.measuring import LEAST_IMAGES

    shown = tuple(_shown(offer) for offer in offers)
    possible = [offer.precision for offer in shown if offer.can_be_measured]
    return PrecisionView(
        model=name,
        offers=shown,
        measurable=tuple(precision for precision in possible if images >= LEAST_IMAGES[precision]),
        least_images=LEAST_IMAGES[possible[0]] if possible else 0,
        measurement=measurement,
    )


def _shown(offer: Offer) -> PrecisionOffer:
    got, problem = offer.figures, offer.problem
    return PrecisionOffer(
        precision=offer.precision,
        is_chosen=offer.is_chosen,
        can_be_chosen=offer.can_be_chosen,
        can_be_measured=problem is None or problem.code == "precision_not_worth",
        problem="" if problem is None else error_text(problem),
        figures=None
        if got is None
        else PrecisionFigures(
            got.images, got.threshold, got.kept, got.lost, got.new, got.average_precision, got.speedup
        ),
    )
