"""What the user can do with models: the parts of the models room, connected."""

from __future__ import annotations

import time

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QGuiApplication

from desktop.models.class_names import ClassNames
from desktop.models.conversions import ModelConversions
from desktop.models.editor import CatalogEditor
from desktop.models.hub_downloads import HubDownloads
from desktop.models.hub_search import HubSearch
from desktop.models.precisions import ModelPrecisions
from desktop.models.views import ModelViews
from desktop.models.watcher import CatalogWatcher
from desktop.state.holder import StateHolder
from desktop.state.model import STARTER
from desktop.style.i18n import tr
from engine.engine import Engine

POLL_MS = 2000


class ModelManager(QObject):
    """Connects the parts, and polls `models.toml` while the window is active.

    Attributes:
        views: The list of models and the card of the selected one.
        editor: Changes the catalog.
        names: Class names of ONNX files without any.
        conversions: Conversions for this processor.
        precisions: The precisions of the selected model.
        downloads, search: Models of the hub.

    Signals:
        wanted(str): This model is to be used.
        renamed(str, str): A model has another name: the former one, the new one. Emitted before the state gets the new
            names, among which the former one is missing.
    """

    wanted = pyqtSignal(str)
    renamed = pyqtSignal(str, str)

    def __init__(self, engine: Engine, holder: StateHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine, self._holder = engine, holder
        self._watcher = CatalogWatcher(engine.catalog, holder, self)
        self.editor, self.names = CatalogEditor(engine.catalog, self), ClassNames(engine, self)
        self.downloads, self.search = HubDownloads(engine, self), HubSearch(engine, self)
        self.views = ModelViews(engine, lambda: holder.state.model, lambda: self.downloads.states, self)
        self.precisions, self.conversions = ModelPrecisions(engine, holder, self), ModelConversions(engine, self)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()

    def use(self, name: str) -> None:
        """Have a model used."""
        self.wanted.emit(name)

    def read(self) -> None:
        """Read what the dialog shows again, if it is visible."""
        self.views.read()
        if self.views.is_visible and self.views.selected:
            self.precisions.read(self.views.selected)

    def select(self, name: str) -> None:
        """Show a model's card and precisions."""
        self.views.select(name)
        if self.views.is_visible and name:
            self.precisions.read(name)

    def set_visible(self, is_visible: bool) -> None:
        """Read and measure for the dialog only while it is visible."""
        self.views.is_visible = is_visible
        if not is_visible:
            self.precisions.cancel()
        self.read()

    def interrupt(self) -> None:
        """End downloads, searches and measurements, because the window closes."""
        self._timer.stop()
        self.downloads.interrupt()
        self.search.cancel()
        self.precisions.cancel()

    def stop(self, seconds: float) -> bool:
        """Interrupt, and return whether every thread ended in time, but those that wait for conversions."""
        self.interrupt()
        until = time.monotonic() + seconds
        parts = self.downloads, self.search, self.precisions, self.editor, self.names, self.views
        ended = [part.stop(max(until - time.monotonic(), 0.1)) for part in parts]
        return all(ended)

    def _connect(self) -> None:
        self._watcher.changed.connect(self.read)
        self._watcher.removed.connect(self.wanted)
        self.editor.added.connect(self._on_added)
        self.editor.renamed.connect(self._on_renamed)
        self.editor.removed.connect(self._on_removed)
        self.editor.defaults_changed.connect(self._on_changed)
        self.names.given.connect(self._on_names_given)
        self.precisions.chosen.connect(self._on_changed)
        self.conversions.changed.connect(self.views.read)
        self.downloads.changed.connect(self.views.show_downloads)
        self.downloads.arrived.connect(self._on_arrived)

    def _poll(self) -> None:
        if QGuiApplication.applicationState() == Qt.ApplicationState.ApplicationActive:
            self._watcher.refresh()
            self.read()

    def _on_added(self, name: str, is_to_be_used: bool) -> None:
        self._on_changed(name)
        self.conversions.start(name)
        if is_to_be_used:
            self.use(name)

    def _on_arrived(self, name: str) -> None:
        self._on_added(name, is_to_be_used=False)

    def _on_renamed(self, name: str, new: str) -> None:
        self.views.rename(name, new)
        self.renamed.emit(name, new)
        self._watcher.refresh()

    def _on_removed(self, name: str, path: str) -> None:
        if self._holder.state.model == name:
            self.use(STARTER)
        self._watcher.refresh()
        if path:
            self._holder.tell(tr("{model} is out of the list; its files stay in {place}.", model=name, place=path))
        else:
            self._holder.tell(tr("{model} is out of the list.", model=name))

    def _on_names_given(self, name: str) -> None:
        self.views.forget(name)
        self.read()

    def _on_changed(self, name: str) -> None:
        self._watcher.refresh()
        self.read()
