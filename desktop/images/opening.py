"""The controller of the image list: thumbnails, recently opened places, typed addresses."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage

from desktop.images.mime import lines_of
from desktop.images.recent import AddressHistory, Recent
from desktop.images.source_panel import SourcePanel
from desktop.images.thumbnails import Thumbnails
from desktop.state.viewer import ViewerState
from engine.image.opened import OpenedImage
from engine.image.source import Source, SourceLike


class Opening(QObject):
    """Lives as long as the window; the panel that it serves is replaced when the language changes.

    Signals:
        open_asked(list[str]): The user wants to open these addresses or paths.
        recent_changed(list[RecentEntry]): The recently opened places, newest first.
    """

    open_asked = pyqtSignal(object)
    recent_changed = pyqtSignal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._recent, self._history = Recent(), AddressHistory()
        self._sources: SourcePanel | None = None
        self._image: OpenedImage | None = None
        self._thumbnails = Thumbnails(self)
        self._thumbnails.made.connect(self._show_thumbnail)
        self._thumbnails.failed.connect(self._show_failure)

    def serve(self, sources: SourcePanel) -> None:
        """Connect a panel in place of the one before."""
        self._sources = sources
        sources.thumbnails_wanted.connect(self._thumbnails.want)
        sources.text_entered.connect(self._open_typed)
        sources.open_again.connect(self.open_again)
        self.recent_changed.connect(sources.show_recent)
        sources.show_history(self._history.texts)
        self.recent_changed.emit(self._recent.entries)

    def open_again(self, text: str) -> None:
        """Open one of the recent places."""
        self.open_asked.emit([text])

    def remember(self, given: Sequence[SourceLike]) -> None:
        """Put what is opened in front of the recent places."""
        self._recent.add(given)
        self.recent_changed.emit(self._recent.entries)

    def show_state(self, state: ViewerState) -> None:
        """Make the thumbnail of an image that was just opened."""
        if state.image is not None and state.image is not self._image:
            self._thumbnails.offer(state.image.source, state.image.pixels)
        self._image = state.image

    def stop(self, seconds: float) -> bool:
        """Make no more thumbnails, and return whether every thread ended in time."""
        return self._thumbnails.stop(seconds)

    def _open_typed(self, text: str) -> None:
        self._history.add(text)
        if self._sources is not None:
            self._sources.show_history(self._history.texts)
        self.open_asked.emit(lines_of(text))

    def _show_thumbnail(self, source: Source, image: QImage) -> None:
        if self._sources is not None:
            self._sources.show_thumbnail(source, image)

    def _show_failure(self, source: Source, reason: str) -> None:
        if self._sources is not None:
            self._sources.show_failure(source, reason)
