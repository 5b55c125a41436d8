"""The main window: panels, actions, drag and drop, closing."""

from __future__ import annotations

import time

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PyQt5.QtWidgets import QDialog, QDockWidget, QMainWindow, QWidget

from desktop.canvas.view import ImageView
from desktop.export.controller import ExportContext, ExportController
from desktop.export.exporter import ExportRequest
from desktop.images.mime import can_open, given_in
from desktop.images.opening import Opening
from desktop.models.dialogs import ModelDialogs
from desktop.review.labelling import Labelling
from desktop.server.control import ServerControl
from desktop.settings.preferences import PreferenceStore
from desktop.state.preferences import Preferences
from desktop.state.viewer import ViewerState
from desktop.style.actions import ActionSpec, Group
from desktop.style.i18n import tr
from desktop.style.icons import program_icon
from desktop.style.text_fields import TextFieldKeys
from desktop.style.theme import GRID
from desktop.viewer.viewer import Viewer
from desktop.window import connections
from desktop.window.action_set import ActionSet
from desktop.window.actions import FileActions
from desktop.window.layout_memory import SHARE_OF_SCREEN, LayoutMemory, lay_out, layout_of
from desktop.window.panels import Panels

PREFERRED_SIZE = QSize(1360, 840)
LEFT_WIDTH, RIGHT_WIDTH = 28 * GRID, 50 * GRID
CLOSING_SECONDS = 5.0


class MainWindow(QMainWindow):
    """Shows the viewer's state and passes on what the user does.

    Attributes:
        panels: The panels; others after the language has changed.
        all_ended: False when the window was closed while a running model held a thread back.
    """

    def __init__(self, viewer: Viewer, server: ServerControl, store: PreferenceStore, memory: LayoutMemory) -> None:
        super().__init__()
        self._viewer, self._server, self._store, self._memory = viewer, server, store, memory
        self.all_ended = True
        self.setObjectName("mainWindow")
        self.setWindowIcon(program_icon())
        self.setAcceptDrops(True)
        screen = QGuiApplication.primaryScreen()
        room = PREFERRED_SIZE if screen is None else screen.availableSize() * SHARE_OF_SCREEN
        self.resize(PREFERRED_SIZE.boundedTo(room))
        self._opening = Opening(self)
        self._opening.open_asked.connect(viewer.browsing.open)
        viewer.browsing.opening.connect(self._opening.remember)
        viewer.changed.connect(self._opening.show_state)
        self._exporting = ExportController(viewer.exports.exporter, viewer.holder, self._export_context, self)
        self._exporting.export_asked.connect(self._export)
        self._models = ModelDialogs(viewer.models, viewer.holder, self)
        viewer.changed.connect(self._models.show_state)
        viewer.models.renamed.connect(self._keep_model_name)
        self._files = FileActions(viewer, self)
        self._fill()
        memory.restore(self)
        viewer.changed.connect(self._show_state)
        viewer.events.leaving.connect(self._finish_editing)
        viewer.exports.copied.connect(self._files.copy_png)
        store.changed.connect(self._use_keys)

    @property
    def viewer(self) -> Viewer:
        """The state, and what the user can do."""
        return self._viewer

    @property
    def view(self) -> ImageView:
        """The canvas."""
        return self.panels.view

    @property
    def server_control(self) -> ServerControl:
        """The server of this window."""
        return self._server

    @property
    def preferences(self) -> PreferenceStore:
        """The user's preferences and settings."""
        return self._store

    def fill_again(self) -> None:
        """Make all panels anew in the present language; the layout and what is shown stay."""
        kept = layout_of(self)
        for dialog in self.findChildren(QDialog, "keyList"):
            dialog.close()
        self._exporting.forget_dialog()
        self._models.forget_dialog()
        self._clear()
        self._fill()
        lay_out(self, kept)

    def tell(self, text: str) -> None:
        """Show a sentence in the message bar."""
        self._viewer.tell(text)

    def _fill(self) -> None:
        viewer, view = self._viewer, ImageView()
        self._labelling = Labelling(viewer.holder, viewer.reviewing, view, self)
        files = self._files.specs(self._edit_address, self._exporting.export, self._exporting.export_as)
        self._actions = ActionSet(viewer, view, self._labelling, files, self._own_actions(), self)
        self.panels = Panels(view, self._actions.actions)
        self._lay_out()
        self._connect()
        self._actions.use_keys(self._store.value)
        self._show_state(viewer.state)
        view.setFocus()

    def _clear(self) -> None:
        """Remove everything at once: restoring a layout would find docks that are only scheduled for deletion."""
        removed = QWidget()
        panels = self.panels.controls, self.panels.status, self._labelling.relabel_box, self.takeCentralWidget()
        for former in (*self.findChildren(QDockWidget), *panels):
            former.setParent(removed)
        self._actions.delete()
        self._text_fields.deleteLater()
        self._labelling.deleteLater()
        removed.deleteLater()

    def _own_actions(self) -> tuple[ActionSpec, ...]:
        return (
            ActionSpec("models", tr("Manage models…"), ("Ctrl+M",), self._models.open),
            ActionSpec("settings", tr("Settings…"), ("Ctrl+,",), self._open_settings, "settings"),
            ActionSpec("keys", tr("List of keys"), ("F1",), self._list_keys, "keyboard"),
            ActionSpec("resetLayout", tr("Reset the layout"), (), lambda: self._memory.reset(self), group=Group.VIEW),
            ActionSpec("quit", tr("Quit"), ("Ctrl+Q",), self.close),
        )

    def _lay_out(self) -> None:
        panels = self.panels
        self.setCentralWidget(panels.centre)
        self.addToolBar(panels.controls)
        left = self._dock(Qt.DockWidgetArea.LeftDockWidgetArea, "sourceDock", tr("Images"), panels.sources)
        right = self._dock(Qt.DockWidgetArea.RightDockWidgetArea, "resultDock", tr("Results"), panels.tabs)
        self.resizeDocks([left, right], [LEFT_WIDTH, RIGHT_WIDTH], Qt.Orientation.Horizontal)
        self.setStatusBar(panels.status)

    def _dock(self, area: Qt.DockWidgetArea, name: str, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        panels, viewer = self.panels, self._viewer
        canvas, lists = (panels.view, panels.unreadable), (panels.sources.list, panels.detections.table)
        self._actions.add_to(canvas, lists, panels.hint.did)
        panels.hint.seen.connect(self._forget_hint)
        panels.controls.models_asked.connect(self._models.open)
        connections.connect_panels(panels, viewer, self._files)
        connections.connect_results(panels.detections, panels, viewer)
        connections.connect_review(panels.review, viewer, self._labelling)
        connections.connect_batch(panels.batch, viewer)
        connections.connect_server(panels, self._server, self._store, viewer, self._files)
        panels.welcome.open_again.connect(self._opening.open_again)
        self._opening.recent_changed.connect(panels.welcome.show_recent)
        self._opening.serve(panels.sources)
        self._text_fields = TextFieldKeys(self)
        self._text_fields.watch(*panels.text_fields, self._labelling.relabel_box.edit)

    def _show_state(self, state: ViewerState) -> None:
        self.setWindowTitle(_title(state))
        self._actions.show_state(state)
        self.panels.show_state(state, self._viewer.canvas_image)
        self.panels.hint.show_state(state, self._store.value.hints_seen, self._actions.key_texts)

    def _use_keys(self, preferences: Preferences) -> None:
        self._actions.use_keys(preferences)

    def _finish_editing(self) -> None:
        self._labelling.cancel()
        self.panels.finish_editing()

    def _edit_address(self) -> None:
        self.panels.sources.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.panels.sources.edit.selectAll()

    def _forget_hint(self, name: str) -> None:
        self._store.change(hints_seen=self._store.value.hints_seen | {name})

    def _export_context(self) -> ExportContext:
        return ExportContext(
            selected=len(self.panels.sources.list.selected_places),
            has_decided=self._viewer.reviewing.has_decided,
            session=self._viewer.session_path,
            folder=self._store.value.export_folder,
            format=self._store.value.export_format,
        )

    def _export(self, request: ExportRequest) -> None:
        self._store.change(export_folder=str(request.target.parent), export_format=request.format.key)
        self._viewer.exports.export(request, self.panels.sources.list.selected_places)

    def _keep_model_name(self, former: str, name: str) -> None:
        """Follow a renamed model in the settings."""
        if self._store.settings.model == former:
            self._store.change_settings(model=name)

    def _list_keys(self) -> None:
        from desktop.keys.list import KeyList

        dialog = KeyList(self._actions.specs, self._store.value, self)
        dialog.keys_changed.connect(lambda keys: self._store.change(keys=keys))
        self._store.changed.connect(dialog.show_preferences)
        dialog.show()

    def _open_settings(self) -> None:
        from desktop.settings.dialog import SettingsDialog

        dialog = self.findChild(SettingsDialog)
        if dialog is None:
            dialog = SettingsDialog(self._store, self._viewer.state.models, self)
            dialog.keys_asked.connect(self._list_keys)
        dialog.show()
        dialog.activateWindow()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if can_open(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        given = given_in(event.mimeData())
        if not self._models.offer(given):
            self._viewer.browsing.open(given)

    def closeEvent(self, event: QCloseEvent) -> None:
        until = time.monotonic() + CLOSING_SECONDS
        self._finish_editing()
        self._memory.keep(self)
        self.hide()
        self._models.forget_dialog()
        self._viewer.browsing.cancel()
        server_ended = self._server.close()
        thumbnails_ended = self._opening.stop(max(until - time.monotonic(), 0.3))
        viewer_ended = self._viewer.close(max(until - time.monotonic(), 0.3))
        self.all_ended = server_ended and thumbnails_ended and viewer_ended
        super().closeEvent(event)


def _title(state: ViewerState) -> str:
    """Return the name of the image that is shown, or that cannot be."""
    if state.image is not None:
        return f"{state.image.source.name} – detrdesk"
    return f"{state.sources[state.at].name} – detrdesk" if state.unreadable and state.at is not None else "detrdesk"
