"""The export dialog, the export that was made last, and messages about exports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QWidget

from desktop.export.exporter import ExportRequest, Scope
from desktop.settings.preferences import PreferenceStore
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.viewer.viewer import Viewer
from engine.errors import EngineError
from engine.image.source import Source

if TYPE_CHECKING:
    from desktop.export.dialog import ExportDialog
    from engine.export.job import ExportSummary


class ExportFlow(QObject):
    """Connects the export dialog to the viewer; lives as long as the window.

    Attributes:
        dialog: The dialog; `None` before it is needed.
    """

    def __init__(
        self, viewer: Viewer, selected: Callable[[], Sequence[int]], store: PreferenceStore, window: QWidget
    ) -> None:
        super().__init__(window)
        self._viewer, self._selected, self._store, self._window = viewer, selected, store, window
        self.dialog: ExportDialog | None = None
        self._last: ExportRequest | None = None
        self._last_in: Path | None = None
        viewer.exports.exporter.progressed.connect(self._on_progress)
        viewer.exports.exporter.finished.connect(self._on_finished)
        viewer.exports.exporter.failed.connect(self._on_failed)

    def export_as(self) -> None:
        """Open the export dialog."""
        state = self._viewer.state
        source = self._source_of(state)
        if source is None:
            self._viewer.tell(tr("There is nothing to export yet: open an image first."))
            return
        dialog = self._make_dialog()
        beside = Path(source.location).parent if source.kind == "path" else Path.home()
        folder = Path(self._store.value.export_folder) if self._store.value.export_folder else beside
        dialog.ask(
            folder if folder.is_dir() else beside,
            Path(source.name).stem or "image",
            len(self._selected()),
            len(state.sources),
            self._viewer.reviewing.has_decided,
        )

    def export(self) -> None:
        """Repeat the last export, of the shown image under its own name; the first time, open the dialog."""
        image = self._viewer.state.image
        if self._last is None or image is None or self._last_in != self._viewer.session_path:
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

    def _make_dialog(self) -> ExportDialog:
        if self.dialog is None:
            from desktop.export.dialog import ExportDialog

            self.dialog = ExportDialog(self._window)
            self.dialog.choose_format(self._store.value.export_format)
            self.dialog.asked.connect(self._start)
            self.dialog.cancel_asked.connect(self._viewer.exports.exporter.cancel)
        return self.dialog

    def _start(self, request: ExportRequest) -> None:
        self._last, self._last_in = request, self._viewer.session_path
        self._store.change(export_folder=str(request.target.parent), export_format=request.format.key)
        self._viewer.exports.export(request, self._selected())

    def _on_progress(self, done: int, total: int) -> None:
        if self.dialog is not None:
            self.dialog.show_progress(done, total)

    def _on_finished(self, summary: ExportSummary) -> None:
        from desktop.export.words import summary_text

        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_summary(summary)
        self._viewer.tell(summary_text(summary))

    def _on_failed(self, error: EngineError) -> None:
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_error(error)
        self._viewer.tell_error(error)
