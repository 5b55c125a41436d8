"""What the user can do: each action changes the state or asks the engine for something."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL.Image import Image as PixelImage
from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.background import BackgroundWork
from desktop.detection_runner import DetectionRunner, Done, Event, Failed, Given, Listed, Opened, Recalled, Request
from desktop.i18n import error_text, tr
from desktop.received import Received
from desktop.viewer_state import (
    Message,
    Stage,
    ViewerState,
    arrived,
    choose_model,
    choose_threshold,
    choose_top_k,
    detected,
    emptied,
    listed,
    opened,
    place_of,
    pointed,
    recalled,
    select,
    told,
    waiting,
)
from engine.answer import detection_answer, to_json
from engine.detect.detection import Detections, Filter
from engine.engine import Engine
from engine.errors import EngineError, ModelError
from engine.export.formats import ANNOTATED_PNG, export


class Viewer(QObject):
    """Holds the state and the one road to the engine.

    Attributes:
        state: What is shown.
        canvas_image: The pixels of `state.image` as Qt draws them.

    Signals:
        changed(ViewerState): The state is another one now.
        copied(bytes): A PNG for the clipboard is ready.
    """

    changed = pyqtSignal(object)
    copied = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self.state = ViewerState(model=engine.default_model, models=engine.catalog.names)
        self.canvas_image: QImage | None = None
        self._answering_model = self.state.model
        self._known: dict[str, Detections] = {}
        self._runner = DetectionRunner(engine, self)
        self._runner.happened.connect(self._on_event)
        self._exports = BackgroundWork(self)
        self._exports.finished.connect(self._on_exported)
        self._exports.failed.connect(self.tell_error)

    def open(self, given: Sequence[Given]) -> None:
        """Open files, folders, URLs or pasted data; the first image is shown and detected in."""
        if given:
            self._ask(Request(self.state.model, given=tuple(given)))

    def go(self, step: int) -> None:
        """Show the image that is `step` places further in the list, if there is one."""
        at = (self.state.at if self.state.at is not None else -1) + step
        if 0 <= at < len(self.state.sources):
            self.show_source(at)

    def show_source(self, at: int) -> None:
        """Show the image at a place in the list."""
        self._set(pointed(self.state, at))
        source = self.state.sources[at]
        known = self._known.get(source.location) if at >= len(self.state.sources) - self.state.received else None
        self._ask(Request(self.state.model, source=source, known=known))

    def detect_again(self) -> None:
        """Ask the model again about the image that is shown."""
        if self.state.image is not None:
            self._ask(Request(self.state.model, image=self.state.image))

    def warm_up(self) -> None:
        """Load the model before it is needed."""
        if self.state.stage is None and self.state.image is None:
            self._ask(Request(self.state.model))

    def cancel(self) -> None:
        """Give up what is being waited for; the last good state stays."""
        self._runner.cancel()
        self._set(waiting(self.state, None))

    def set_model(self, model: str) -> None:
        """Use another model, for the image that is shown too."""
        if model != self.state.model:
            self._set(choose_model(self.state, model, self._engine.catalog.names))
            self._ask(Request(model, image=self.state.image))

    def add_model(self, folder: Path) -> None:
        """Use a checkpoint folder as a model."""
        name = self._engine.catalog.add(folder)
        self._set(choose_model(self.state, self.state.model, self._engine.catalog.names))
        self.set_model(name)

    def set_threshold(self, threshold: float) -> None:
        """Show only scores greater than this, 0..1."""
        if threshold != self.state.chosen.threshold:
            self._set(choose_threshold(self.state, threshold))

    def set_top_k(self, top_k: int | None) -> None:
        """Show at most this many; `None` shows all."""
        if top_k != self.state.chosen.top_k:
            self._set(choose_top_k(self.state, top_k))

    def select(self, indices: frozenset[int]) -> None:
        """Select detections by their index."""
        if indices != self.state.selected:
            self._set(select(self.state, indices))

    def tell(self, text: str) -> None:
        """Say something in the message bar."""
        self._set(told(self.state, Message(text, is_error=False)))

    def tell_error(self, error: EngineError) -> None:
        """Say what went wrong in the message bar."""
        self._set(told(self.state, Message(error_text(error))))

    def dismiss_message(self) -> None:
        """Close the message bar."""
        self._set(told(self.state, None))

    def receive(self, images: Sequence[Received]) -> None:
        """Put what clients of the API sent, and were answered, at the end of the list."""
        self._known.update({each.source.location: each.found for each in images})
        self._set(arrived(self.state, [each.source for each in images]))
        self._forget_all_but_inbox()

    def empty_inbox(self) -> None:
        """Take what clients sent out of the list."""
        self._set(emptied(self.state))
        self._forget_all_but_inbox()

    def export(self, path: Path) -> None:
        """Write what is shown in the format of the file's suffix."""

        def write(image: PixelImage, found: Detections, chosen: Filter) -> Path:
            export(path, image, found, chosen)
            return path

        self._export(write)

    def copy_image(self) -> None:
        """Make the annotated image for the clipboard; `copied` brings it."""
        self._export(ANNOTATED_PNG.encode)

    def answer_json(self) -> str:
        """The API's answer for what is shown; empty where nothing is."""
        if self.state.detections is None:
            return ""
        return to_json(detection_answer(self.state.detections, self.state.chosen))

    def close(self, seconds: float) -> bool:
        """Stop every thread and unload the models; false where a model runs longer than that."""
        until = time.monotonic() + seconds
        ended = self._runner.stop(seconds)
        self._exports.wait()
        unloading = threading.Thread(target=self._engine.close, name="unloading", daemon=True)
        unloading.start()
        unloading.join(max(until - time.monotonic(), 0.1))
        return ended and not unloading.is_alive()

    def _forget_all_but_inbox(self) -> None:
        kept = {source.location for source in self.state.inbox}
        self._known = {location: found for location, found in self._known.items() if location in kept}

    def _export(self, encode: Callable[[PixelImage, Detections, Filter], Path | bytes]) -> None:
        image, found, chosen = self.state.image, self.state.detections, self.state.chosen
        if image is None or found is None:
            self._set(told(self.state, Message(tr("There is nothing to export yet: open an image first."))))
            return
        self._exports.run(lambda: encode(image.pixels, found, chosen))

    def _on_exported(self, result: Path | bytes) -> None:
        if isinstance(result, bytes):
            self.copied.emit(result)
        else:
            self.tell(tr("Exported to {path}.", path=result))

    def _ask(self, request: Request) -> None:
        self._set(waiting(self.state, request.first_stage))
        self._runner.ask(request)

    def _on_event(self, event: Event) -> None:
        match event:
            case Stage():
                self._set(waiting(self.state, event))
            case Listed():
                self._set(listed(self.state, event.sources))
            case Opened():
                self.canvas_image = event.canvas_image
                self._set(opened(self.state, event.image, place_of(event.image.source, self.state.sources)))
            case Recalled():
                self._set(recalled(self.state, event.detections))
            case Detections():
                self._answering_model = event.model
                self._set(detected(self.state, event))
            case Failed():
                self._on_failed(event.error)
            case Done():
                self._set(waiting(self.state, None))

    def _on_failed(self, error: EngineError) -> None:
        self._set(waiting(self.state, None))
        self.tell_error(error)
        if isinstance(error, ModelError) and self.state.model != self._answering_model:
            self._set(choose_model(self.state, self._answering_model, self._engine.catalog.names))

    def _set(self, state: ViewerState) -> None:
        self.state = state
        self.changed.emit(state)
