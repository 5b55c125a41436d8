"""What the user can do with results: export, copy the annotated image, copy the JSON."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.export.data import Candidate
from desktop.export.exporter import Exporter, ExportImages, ExportRequest, Scope
from desktop.review.open_session import OpenSession
from desktop.review.session_worker import SessionWorker
from desktop.state.holder import StateHolder
from desktop.state.viewer import row_of
from desktop.style.i18n import tr
from desktop.work.task_runner import TaskRunner
from engine.answer import detection_answer, to_json
from engine.engine import Engine
from engine.review.decision import Status
from engine.review.session import Session


class Exports(QObject):
    """Exports what is shown; a retired session is closed when no export reads it any more.

    Attributes:
        exporter: Writes the files.

    Signals:
        copied(bytes): The annotated image as PNG, for the clipboard.
    """

    copied = pyqtSignal(object)

    def __init__(
        self,
        engine: Engine,
        holder: StateHolder,
        session: OpenSession,
        worker: SessionWorker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._holder, self._session, self._worker = holder, session, worker
        self._retired: list[Session] = []
        self._drawing = TaskRunner("copy", self)
        self._drawing.failed.connect(holder.tell_error)
        self.exporter = Exporter(engine, self)
        self.exporter.idle.connect(self._close_retired)
        session.retired.connect(self._on_retired)

    def export(self, request: ExportRequest, selected: Sequence[int]) -> None:
        """Write the shown image, those in the selected rows, or all, in a format; `exporter` reports."""
        listed = self.candidates()
        here = next((at for at, each in enumerate(listed) if each.image is not None), None)
        wanted: Sequence[int] = () if here is None else (here,)
        if request.scope is not Scope.IMAGE:
            wanted = selected if request.scope is Scope.SELECTION else range(len(listed))
        self.exporter.start(request, ExportImages(listed, wanted), self._holder.state, self._session.session)

    def candidates(self) -> list[Candidate]:
        """Return every image that can be exported: those of the list, and the shown one in any case."""
        state, images = self._holder.state, self._session.images
        listed = [
            Candidate(source, images.hash_of(images.number(row)), found=self._session.held(row))
            for row, source in enumerate(state.sources)
        ]
        if state.image is not None:
            here = Candidate(state.image.source, self._session.content_hash, state.image)
            row = row_of(state.image.source, state.sources)
            if row is None:
                listed.append(here)
            else:
                listed[row] = here
        return listed

    def copy_image(self) -> None:
        """Draw the annotated image for the clipboard; `copied` brings it."""
        image, reviewed = self._holder.state.image, self._holder.state.reviewed
        if image is None or reviewed is None:
            self._holder.tell(tr("There is nothing to copy yet: open an image first."))
            return
        drawn = reviewed.without(Status.REJECTED)

        def work(_: object) -> bytes:
            from engine.render.render import draw_detections, encode_image

            return encode_image(draw_detections(image.pixels, drawn), "PNG")

        self._drawing.run(work, self.copied.emit)

    def answer_json(self) -> str:
        """Return the API's answer for the shown image; empty where nothing was detected."""
        state = self._holder.state
        return "" if state.detections is None else to_json(detection_answer(state.detections, state.chosen))

    def close(self) -> None:
        """Cancel what runs and wait for it."""
        self.exporter.stop()
        self._drawing.wait()
        self._close_retired()

    def _on_retired(self, session: Session) -> None:
        self._retired.append(session)
        if not self.exporter.is_busy:
            self._close_retired()

    def _close_retired(self) -> None:
        while self._retired:
            self._worker.close(self._retired.pop())
