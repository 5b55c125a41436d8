"""The export dialog, the export that was made last, and messages about exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QWidget

from desktop.export.exporter import Exporter, ExportRequest, Scope
from desktop.state.holder import StateHolder
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from engine.errors import EngineError
from engine.image.source import Source

if TYPE_CHECKING:
    from desktop.export.dialog import ExportDialog
    from engine.export.job import ExportSummary


@dataclass(frozen=True)
class ExportContext:
    """What the suggestions of the export dialog depend on.

    Attributes:
        selected: How many images are selected in the list.
        has_decided: Whether any decision was made.
        session: The file of the open session.
        folder, format: The folder and format of the last export; empty before the first one.
    """

    selected: int
    has_decided: bool
    session: Path | None
    folder: str
    format: str


class ExportController(QObject):
    """Connects the export dialog to the exporter; lives as long as the window.

    Attributes:
        dialog: The dialog; `None` before it is needed.

    Signals:
        export_asked(ExportRequest): An export is to be started.
    """

    export_asked = pyqtSignal(object)

    def __init__(
        self, exporter: Exporter, holder: StateHolder, context: Callable[[], ExportContext], window: QWidget
    ) -> None:
        super().__init__(window)
        self._exporter, self._holder, self._context, self._window = exporter, holder, context, window
        self.dialog: ExportDialog | None = None
        self._last: ExportRequest | None = None
        self._last_in: Path | None = None
        exporter.progressed.connect(self._on_progress)
        exporter.finished.connect(self._on_finished)
        exporter.failed.connect(self._on_failed)

    def export_as(self) -> None:
        """Open the export dialog."""
        state, context = self._holder.state, self._context()
        source = self._source_of(state)
        if source is None:
            self._holder.tell(tr("There is nothing to export yet: open an image first."))
            return
        dialog = self._make_dialog(context)
        beside = Path(source.location).parent if source.kind == "path" else Path.home()
        folder = Path(context.folder) if context.folder else beside
        dialog.ask(
            folder if folder.is_dir() else beside,
            Path(source.name).stem or "image",
            context.selected,
            len(state.sources),
            context.has_decided,
        )

    def export(self) -> None:
        """Repeat the last export, of the shown image under its own name; the first time, open the dialog."""
        image = self._holder.state.image
        if self._last is None or image is None or self._last_in != self._context().session:
            self.export_as()
            return
        from engine.export.format import FilePerImage

        request = self._last
        if request.scope is Scope.IMAGE and isinstance(request.format.writer, FilePerImage) and request.target.suffix:
            name = f"{Path(image.source.name).stem or 'image'}_detections{request.target.suffix}"
            request = replace(request, target=request.target.with_name(name))
        self._start(request)

    def forget_dialog(self) -> None:
        """Delete the dialog, which is made again in the present language when it is needed."""
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
            self.dialog = None

    @staticmethod
    def _source_of(state: ViewerState) -> Source | None:
        """Return the shown image, or the requested one that cannot be opened."""
        if state.image is not None:
            return state.image.source
        return None if state.at is None else state.sources[state.at]

    def _make_dialog(self, context: ExportContext) -> ExportDialog:
        if self.dialog is None:
            from desktop.export.dialog import ExportDialog

            self.dialog = ExportDialog(self._window)
            self.dialog.choose_format(context.format)
            self.dialog.asked.connect(self._start)
            self.dialog.cancel_asked.connect(self._exporter.cancel)
        return self.dialog

    def _start(self, request: ExportRequest) -> None:
        self._last, self._last_in = request, self._context().session
        self.export_asked.emit(request)

    def _on_progress(self, done: int, total: int) -> None:
        if self.dialog is not None:
            self.dialog.show_progress(done, total)

    def _on_finished(self, summary: ExportSummary) -> None:
        from desktop.export.words import summary_text

        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_summary(summary)
        self._holder.tell(summary_text(summary))

    def _on_failed(self, error: EngineError) -> None:
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_error(error)
        self._holder.tell_error(error)
