"""The dialogs of the models room: made when first needed, connected to the manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from desktop.models.drop import models_in
from desktop.models.manager import ModelManager
from desktop.state.holder import StateHolder
from desktop.state.model import ModelRow, ModelView, NamesWanted
from desktop.state.viewer import Message, Offer, ViewerState, told
from desktop.style.i18n import error_text, tr
from engine.errors import EngineError
from engine.image.source import SourceLike

if TYPE_CHECKING:
    from desktop.models.dialog import ModelDialog
    from desktop.models.names import NamesDialog


class ModelDialogs(QObject):
    """Opens the dialogs; lives as long as the window.

    Attributes:
        dialog: The models dialog; `None` before it is needed.
    """

    def __init__(self, manager: ModelManager, holder: StateHolder, window: QWidget) -> None:
        super().__init__(window)
        self._manager, self._holder, self._window = manager, holder, window
        self.dialog: ModelDialog | None = None
        self._names: NamesDialog | None = None
        self._seen: tuple[object, ...] = ()
        manager.views.listed.connect(self._show_rows)
        manager.views.described.connect(self._show_view)
        for part in (manager.views, manager.editor, manager.names, manager.precisions):
            part.failed.connect(self._on_failed)
        manager.editor.added.connect(self._on_added)
        manager.editor.renamed.connect(self._on_renamed)
        manager.names.wanted.connect(self._ask_names)
        manager.downloads.changed.connect(self._show_downloads)
        manager.downloads.arrived.connect(self._on_arrived)

    def open(self) -> None:
        """Show the models dialog."""
        dialog = self._make_dialog()
        dialog.show()
        dialog.activateWindow()
        dialog.models.list.setFocus()

    def open_hub(self) -> None:
        """Show the hub's page of the models dialog."""
        self.open()
        if self.dialog is not None:
            self.dialog.show_hub()
            self.dialog.hub.focus_search()

    def offer(self, given: list[SourceLike]) -> bool:
        """Offer to use the first of several dropped models; return whether only models were dropped."""
        paths = models_in(given)
        if not paths:
            return False
        path = paths[0]
        text = tr("{model} is a model.", model=path.name)
        self._offer(text, Offer(tr("Use it"), lambda: self._manager.editor.add(path, use=True)))
        return True

    def forget_dialog(self) -> None:
        """Close the dialogs; they are made anew when next needed, in the language of that time."""
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
            if self._manager.views.rows:
                self._show_rows(self._manager.views.rows)
        return self.dialog

    def _wire_models(self, dialog: ModelDialog) -> None:
        manager, editor, page = self._manager, self._manager.editor, dialog.models
        dialog.visible.connect(manager.set_visible)
        for source in (dialog, page):
            source.path_given.connect(lambda path: self._do(lambda: editor.add(path)))
        page.list.chosen.connect(self._on_chosen)
        page.list.activated_name.connect(self._use)
        page.list.rename_asked.connect(lambda name, new: self._do(lambda: editor.rename(name, new)))
        page.removal_asked.connect(self._ask_removal)
        page.card.use_asked.connect(self._use)
        page.card.keep_asked.connect(lambda name: self._do(lambda: editor.keep(name)))
        page.card.names_asked.connect(manager.names.ask)
        page.card.cancel_conversion_asked.connect(manager.conversions.cancel)
        page.card.download_asked.connect(self._download)
        page.card.defaults.chosen.connect(lambda name, defaults: self._do(lambda: editor.set_defaults(name, defaults)))
        panel, precisions = page.card.precision, manager.precisions
        panel.show_view(precisions.view)
        precisions.changed.connect(panel.show_view)
        panel.precision_chosen.connect(lambda name, chosen: self._do(lambda: precisions.choose(name, chosen)))
        panel.measure_asked.connect(lambda: self._do(precisions.measure))
        panel.cancel_asked.connect(lambda: self._do(precisions.cancel))

    def _wire_hub(self, dialog: ModelDialog) -> None:
        hub, downloads, search = dialog.hub, self._manager.downloads, self._manager.search
        hub.search_asked.connect(self._on_search)
        hub.download_asked.connect(downloads.start)
        hub.pause_asked.connect(downloads.pause)
        hub.resume_asked.connect(downloads.resume)
        hub.cancel_asked.connect(downloads.cancel)
        hub.use_asked.connect(self._use)
        search.found.connect(hub.show_found)
        search.failed.connect(hub.show_problem)

    def _do(self, change: Callable[[], object]) -> None:
        """Begin a change, and clear why an earlier one was refused."""
        if self.dialog is not None:
            self.dialog.tell("")
        change()

    def _use(self, name: str) -> None:
        self._do(lambda: self._manager.use(name))

    def _download(self, hub_id: str) -> None:
        self._manager.downloads.start(hub_id)
        self.open_hub()

    def _on_search(self, text: str) -> None:
        if text:
            self._manager.search.search(text)
        else:
            self._manager.search.cancel()

    def show_state(self, state: ViewerState) -> None:
        """Read the list again when another model is used or loaded; the dialog shows why one could not be."""
        seen = state.model, state.stage, state.message
        if seen == self._seen:
            return
        self._seen = seen
        self._manager.read()
        if self.dialog is not None and state.message is not None and state.message.is_error:
            self.dialog.tell(state.message.text)

    def _on_chosen(self, row: ModelRow | None) -> None:
        self._manager.select(row.name if row is not None else "")

    def _show_rows(self, rows: tuple[ModelRow, ...]) -> None:
        if self.dialog is not None:
            self.dialog.show_rows(rows, self._holder.state.model)

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
            self._holder.tell_error(error)

    def _on_added(self, name: str, is_to_be_used: bool) -> None:
        if self.dialog is not None:
            self.dialog.models.select_when_listed(name)

    def _on_renamed(self, name: str, new: str) -> None:
        if self.dialog is not None:
            self.dialog.models.select_when_listed(new)

    def _on_arrived(self, name: str) -> None:
        text = tr("{model} is downloaded.", model=name)
        self._offer(text, Offer(tr("Use now"), lambda: self._manager.use(name)))
        if self.dialog is not None:
            self.dialog.models.select_when_listed(name)

    def _offer(self, text: str, offer: Offer) -> None:
        self._holder.set(told(self._holder.state, Message(text, is_error=False, offer=offer)))

    def _ask_names(self, wanted: NamesWanted) -> None:
        from desktop.models.names import NamesDialog

        if self._names is not None:
            self._names.deleteLater()
        beside = self.dialog if self.dialog is not None and self.dialog.isVisible() else self._window
        self._names = NamesDialog(wanted, beside)
        self._names.named.connect(self._manager.names.save)
        self._names.show()

    def _ask_removal(self, view: ModelView) -> None:
        box = removal_box(view, self.dialog or self._window)
        box.buttonClicked.connect(lambda button: self._remove(view, button))
        box.open()

    def _remove(self, view: ModelView, button: QPushButton) -> None:
        if button.objectName() in ("removeOnly", "removeFiles"):
            with_files = button.objectName() == "removeFiles"
            self._do(lambda: self._manager.editor.remove(view.row.name, with_files))


def removal_box(view: ModelView, parent: QWidget) -> QMessageBox:
    """Return the message box that asks before a model is removed; only downloaded files can be deleted too."""
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
