"""Following changes of `models.toml`, by this program and by others."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from desktop.state.holder import StateHolder
from desktop.state.model import STARTER
from desktop.state.viewer import choose_model
from desktop.style.i18n import tr
from engine.errors import EngineError
from engine.models.catalog.catalog import Catalog


class CatalogWatcher(QObject):
    """Keeps the names of the models in the state, and reports a file that cannot be used.

    Signals:
        changed: The catalog has changed.
        removed(str): The model in use is in the catalog no longer; the starter is to be used.
    """

    changed = pyqtSignal()
    removed = pyqtSignal(str)

    def __init__(self, catalog: Catalog, holder: StateHolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalog, self._holder = catalog, holder
        self._edition = -1
        self._problem: EngineError | None = None

    def refresh(self) -> None:
        """Read the file if it has changed; one that cannot be used changes nothing."""
        edition = self._catalog.refresh()
        if edition != self._edition:
            self._edition = edition
            self._show_names()
            self.changed.emit()
            self._show_problem()

    def _show_names(self) -> None:
        state, names = self._holder.state, self._catalog.names
        if names != state.models:
            self._holder.set(choose_model(state, state.model, names))
        if state.model not in names and state.model in state.models:
            self._holder.tell(tr("There is no model {model} any more; the starter is used.", model=state.model))
            self.removed.emit(STARTER)

    def _show_problem(self) -> None:
        problem = self._catalog.problem or next(iter(self._catalog.notes), None)
        if problem is not None and (self._problem is None or problem.message != self._problem.message):
            self._holder.tell_error(problem)
        elif problem is None and self._problem is not None:
            self._holder.tell(tr("models.toml can be used again."))
        self._problem = problem
