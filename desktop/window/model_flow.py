"""From the wish to change the models to the dialogs that do it; they are made when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from desktop.models.drop import models_in
from desktop.settings.preferences import PreferenceStore
from desktop.state.model import ModelRow, ModelView, NamesWanted
from desktop.state.viewer import Offer, ViewerState
from desktop.style.i18n import error_text, tr
from desktop.viewer.viewer import Viewer
from engine.engine import Given
from engine.errors import EngineError

if TYPE_CHECKING:
    from desktop.models.dialog import ModelDialog
    from desktop.models.names import NamesDialog


class ModelFlow(QObject):
    """Lives as long as the window.

    Attributes:
        dialog: The models; `None` before it is needed.
    """

    def __init__(self, viewer: Viewer, store: PreferenceStore, window: QWidget) -> None:
        super().__init__(window)
        self._viewer, self._manager, self._store, self._window = viewer, viewer.models, store, window
        self.dialog: ModelDialog | None = None
        self._names: NamesDialog | None = None
        self._search = viewer.models.search
        self._seen: tuple[object, ...] = ()
        manager = self._manager
        viewer.changed.connect(self._on_state)
        manager.listed.connect(self._show_rows)
        manager.described.connect(self._show_view)
        manager.failed.connect(self._on_failed)
        manager.added.connect(self._on_added)
        manager.renamed.connect(self._on_renamed)
        manager.names_wanted.connect(self._ask_names)
        manager.downloads.changed.connect(self._show_downloads)
        manager.downloads.arrived.connect(self._on_arrived)

    def open(self) -> None:
        """Show the models."""
        dialog = self._make_dialog()
        dialog.show()
        dialog.activateWindow()
        dialog.models.list.setFocus()

    def open_hub(self) -> None:
        """Show the models of the hub."""
        self.open()
        if self.dialog is not None:
            self.dialog.show_hub()
            self.dialog.hub.focus_search()

    def offer(self, given: list[Given]) -> bool:
        """Offer what was dropped as a model, if it is nothing but models; true where it is."""
        paths = models_in(given)
        if not paths:
            return False
        path = paths[0]
        text = tr("{model} is a model.", model=path.name)
        self._viewer.offer(text, Offer(tr("Use it"), lambda: self._manager.add(path, use=True)))
        return True

    def forget_dialog(self) -> None:
        """The dialogs are made anew the next time, in the language of that moment."""
        for dialog in (self.dialog, self._names):
            if dialog is not None:
                dialog.close()
                dialog.deleteLater()
        self.dialog = self._names = None

    def _make_dialog(self) -> ModelDialog:
        if self.dialog is None:
            from desktop.models.dialog import ModelDialog

            self.dialog = ModelDialog(self._window)
            self._wire_models(self.dialog)
            self._wire_hub(self.dialog)
            self._manager.downloads.find_left()
            if self._manager.rows:
                self._show_rows(self._manager.rows)
        return self.dialog

    def _wire_models(self, dialog: ModelDialog) -> None:
        manager, page = self._manager, dialog.models
        dialog.visible.connect(self._watch)
        dialog.path_given.connect(lambda path: self._do(lambda: manager.add(path)))
        page.list.chosen.connect(self._on_chosen)
        page.list.activated_name.connect(self._use)
        page.list.rename_asked.connect(lambda name, new: self._do(lambda: manager.rename(name, new)))
        page.removal_asked.connect(self._ask_removal)
        page.card.use_asked.connect(self._use)
        page.card.keep_asked.connect(lambda name: self._do(lambda: manager.keep(name)))
        page.card.names_asked.connect(manager.ask_names)
        page.card.download_asked.connect(self._download)
        page.card.choice.chosen.connect(lambda name, defaults: self._do(lambda: manager.set_defaults(name, defaults)))
        panel, precisions = page.card.precision, manager.precisions
        panel.show_view(precisions.view)
        precisions.changed.connect(panel.show_view)
        panel.precision_chosen.connect(lambda name, chosen: self._do(lambda: precisions.choose(name, chosen)))
        panel.measure_asked.connect(lambda: self._do(precisions.measure))
        panel.cancel_asked.connect(lambda: self._do(precisions.cancel))

    def _wire_hub(self, dialog: ModelDialog) -> None:
        hub, downloads = dialog.hub, self._manager.downloads
        hub.search_asked.connect(self._on_search)
        hub.download_asked.connect(self._manager.download)
        hub.pause_asked.connect(downloads.pause)
        hub.resume_asked.connect(downloads.resume)
        hub.cancel_asked.connect(downloads.cancel)
        hub.use_asked.connect(self._use)
        self._search.found.connect(hub.show_found)
        self._search.failed.connect(hub.show_problem)

    def _do(self, change: Callable[[], object]) -> None:
        """Begin a change; what an earlier one was refused for is over."""
        if self.dialog is not None:
            self.dialog.tell("")
        change()

    def _use(self, name: str) -> None:
        self._do(lambda: self._manager.choose(name))

    def _download(self, hub_id: str) -> None:
        self._manager.download(hub_id)
        self.open_hub()

    def _on_search(self, text: str) -> None:
        if text:
            self._search.search(text)
        else:
            self._search.cancel()

    def _on_state(self, state: ViewerState) -> None:
        """Another model is in use, or another one was loaded; why one was not is told where the user looks."""
        seen = state.model, state.stage, state.message
        if seen == self._seen:
            return
        self._seen = seen
        self._manager.list()
        if self.dialog is not None and state.message is not None and state.message.is_error:
            self.dialog.tell(state.message.text)

    def _watch(self, is_visible: bool) -> None:
        self._manager.is_watched = is_visible
        self._manager.list()

    def _on_chosen(self, row: ModelRow | None) -> None:
        self._manager.describe(row.name if row is not None else "")

    def _show_rows(self, rows: tuple[ModelRow, ...]) -> None:
        if self.dialog is not None:
            self.dialog.show_rows(rows, self._viewer.state.model)

    def _show_view(self, view: ModelView) -> None:
        if self.dialog is not None:
            self.dialog.models.show_view(view)

    def _show_downloads(self) -> None:
        if self.dialog is not None:
            self.dialog.hub.show_downloads(self._manager.downloads.states)

    def _on_failed(self, error: EngineError) -> None:
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.tell(error_text(error))
        else:
            self._viewer.tell_error(error)

    def _on_added(self, name: str) -> None:
        if self.dialog is not None:
            self.dialog.models.select_when_listed(name)

    def _on_renamed(self, name: str, new: str) -> None:
        if self._store.settings.model == name:
            self._store.change_settings(model=new)
        if self.dialog is not None:
            self.dialog.models.select_when_listed(new)

    def _on_arrived(self, name: str) -> None:
        text = tr("{model} is here.", model=name)
        self._viewer.offer(text, Offer(tr("Use now"), lambda: self._manager.choose(name)))

    def _ask_names(self, wanted: NamesWanted) -> None:
        from desktop.models.names import NamesDialog

        if self._names is not None:
            self._names.deleteLater()
        beside = self.dialog if self.dialog is not None and self.dialog.isVisible() else self._window
        self._names = NamesDialog(wanted, beside)
        self._names.named.connect(self._manager.name_classes)
        self._names.show()

    def _ask_removal(self, view: ModelView) -> None:
        box = removal_box(view, self.dialog or self._window)
        box.buttonClicked.connect(lambda button: self._remove(view, button))
        box.open()

    def _remove(self, view: ModelView, button: QPushButton) -> None:
        if button.objectName() in ("removeOnly", "removeFiles"):
            with_files = button.objectName() == "removeFiles"
            self._do(lambda: self._manager.remove(view.row.name, with_files))


def removal_box(view: ModelView, parent: QWidget) -> QMessageBox:
    """The question before a model is removed; only downloaded files may go too."""
    box = QMessageBox(parent)
    box.setObjectName("removalBox")
    box.setWindowTitle(tr("Remove a model"))
    box.setText(tr("Take {model} out of the list?", model=view.row.name))
    box.setInformativeText(
        tr("It was downloaded: its files can stay, or be deleted too.")
        if view.is_downloaded
        else tr("Its files stay where they are.")
    )
    only = box.addButton(tr("Remove"), QMessageBox.ButtonRole.AcceptRole)
    only.setObjectName("removeOnly")
    if view.is_downloaded:
        files = box.addButton(tr("Remove and delete the files"), QMessageBox.ButtonRole.DestructiveRole)
        files.setObjectName("removeFiles")
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(only)
    box.setEscapeButton(cancel)
    return box
