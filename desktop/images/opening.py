"""Around the list of images: thumbnails, what was opened before, addresses that were typed."""

from __future__ import annotations

from PyQt5.QtCore import QObject
from PyQt5.QtGui import QImage

from desktop.images.mime import lines_of
from desktop.images.recent import AddressHistory, Recent
from desktop.images.source_panel import SourcePanel
from desktop.images.thumbnails import Thumbnails
from desktop.state.viewer import ViewerState
from desktop.viewer.viewer import Viewer
from desktop.window.welcome import Welcome
from engine.engine import OpenedImage
from engine.image.source import Source


class Opening(QObject):
    """Lives as long as the window; the panels that it serves may be made anew."""

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._recent, self._history = Recent(), AddressHistory()
        self._sources: SourcePanel | None = None
        self._welcome: Welcome | None = None
        self._image: OpenedImage | None = None
        self._thumbnails = Thumbnails(self)
        self._thumbnails.made.connect(self._show_thumbnail)
        self._thumbnails.failed.connect(self._show_failure)
        viewer.browsing.opening.connect(self._remember)
        viewer.changed.connect(self._offer)

    def serve(self, sources: SourcePanel, welcome: Welcome) -> None:
        """Bring these panels what they show, and open what is asked for in them."""
        self._sources, self._welcome = sources, welcome
        sources.thumbnails_wanted.connect(self._thumbnails.want)
        sources.text_entered.connect(self._open_typed)
        sources.open_again.connect(self._open_again)
        welcome.open_again.connect(self._open_again)
        sources.show_history(self._history.texts)
        self._show_recent()

    def stop(self, seconds: float) -> bool:
        """Make no more thumbnails; whether every thread ended in time."""
        return self._thumbnails.stop(seconds)

    def _open_typed(self, text: str) -> None:
        self._history.add(text)
        if self._sources is not None:
            self._sources.show_history(self._history.texts)
        self._viewer.browsing.open(lines_of(text))

    def _open_again(self, text: str) -> None:
        self._viewer.browsing.open([text])

    def _remember(self, given: object) -> None:
        self._recent.add(given)  # type: ignore[arg-type]
        self._show_recent()

    def _show_recent(self) -> None:
        if self._sources is not None and self._welcome is not None:
            self._sources.show_recent(self._recent.entries)
            self._welcome.show_recent(self._recent.entries)

    def _offer(self, state: ViewerState) -> None:
        if state.image is not None and state.image is not self._image:
            self._thumbnails.offer(state.image.source, state.image.pixels)
        self._image = state.image

    def _show_thumbnail(self, source: Source, image: QImage) -> None:
        if self._sources is not None:
            self._sources.show_thumbnail(source, image)

    def _show_failure(self, source: Source, reason: str) -> None:
        if self._sources is not None:
            self._sources.show_failure(source, reason)
