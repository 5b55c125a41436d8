"""The window: where things are and how they are wired; nothing is decided here."""

from __future__ import annotations

import time

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PyQt5.QtWidgets import QDialog, QDockWidget, QMainWindow, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from desktop.batch.bar import BatchBar
from desktop.canvas.view import ImageView
from desktop.images.clipboard import put_image
from desktop.images.mime import can_open, given_in
from desktop.images.opening import Opening
from desktop.images.source_panel import SourcePanel
from desktop.images.unreadable_page import UnreadablePage
from desktop.keys.actions import ActionSpec, Group, enable, make_action, set_keys
from desktop.keys.map import remapped, shown
from desktop.results.detections_panel import DetectionsPanel
from desktop.results.json_panel import JsonPanel
from desktop.server.control import ServerControl
from desktop.server.panel import ServerPanel
from desktop.settings.preferences import Preferences, PreferenceStore
from desktop.state.batch import BatchState
from desktop.state.server import ServerState
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import program_icon
from desktop.style.text_fields import TextFieldKeys
from desktop.style.theme import GRID
from desktop.viewer.viewer import Viewer
from desktop.window.actions import WindowActions
from desktop.window.control_bar import ControlBar
from desktop.window.export_flow import ExportFlow
from desktop.window.hints import HintStrip
from desktop.window.layout_memory import SHARE_OF_SCREEN, LayoutMemory, lay_out, layout_of
from desktop.window.message_bar import MessageBar
from desktop.window.model_flow import ModelFlow
from desktop.window.status_line import StatusLine
from desktop.window.view_panel import ViewPanel
from desktop.window.welcome import Welcome
from engine.engine import OpenedImage
from engine.review.decision import Status
from engine.review.merge import Reviewed

PREFERRED_SIZE = QSize(1360, 840)
LEFT_WIDTH, RIGHT_WIDTH = 28 * GRID, 50 * GRID
CLOSING_SECONDS = 5.0


class MainWindow(QMainWindow):
    """Shows the viewer's state and passes on what the user does.

    Attributes:
        all_ended: False when the window was closed and a model that runs holds a thread back.
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
        self._opening = Opening(viewer, self)
        self._exporting = ExportFlow(viewer, self._selected_places, store, self)
        self._models = ModelFlow(viewer, store, self)
        self._fill()
        memory.restore(self)
        viewer.changed.connect(self._show_state)
        viewer.events.leaving.connect(self._finish_editing)
        viewer.exports.copied.connect(self._put_image)
        viewer.batch.progressed.connect(self._show_batch)
        viewer.batch.finished.connect(self._show_batch)
        server.changed.connect(self._show_server)
        store.changed.connect(self._show_preferences)

    @property
    def viewer(self) -> Viewer:
        """What is shown, and what the user can do."""
        return self._viewer

    @property
    def server_control(self) -> ServerControl:
        """The server of this window."""
        return self._server

    @property
    def preferences(self) -> PreferenceStore:
        """Preferences and settings of the user."""
        return self._store

    def fill_again(self) -> None:
        """Make everything in it anew, in the language that `tr` speaks now; the layout and what is shown stay."""
        kept = layout_of(self)
        for dialog in self.findChildren(QDialog, "keyList"):
            dialog.close()
        self._exporting.forget_dialog()
        self._models.forget_dialog()
        self._clear()
        self._fill()
        lay_out(self, kept)

    def _fill(self) -> None:
        self._image: OpenedImage | None = None
        self._reviewed: Reviewed | None = None
        self.setWindowTitle("detrdesk")
        self.view = ImageView()
        self._deeds = WindowActions(self._viewer, self.view, self)
        self._specs = self._all_specs()
        self._actions = {spec.name: make_action(spec, self) for spec in self._specs}
        self._make_panels()
        self._lay_out()
        self._wire()
        self._wire_panels()
        self._wire_server()
        self._opening.serve(self.sources, self.welcome)
        self._show_server(self._server.state)
        self._show_preferences(self._store.value)
        self._show_batch(self._viewer.batch.state)
        self._show_state(self._viewer.state)
        self.view.setFocus()

    def _clear(self) -> None:
        """Take everything out at once: restoring a layout would find docks that are only about to be deleted."""
        attic = QWidget()
        panels = self.controls, self.status, self._deeds.relabel_box, self.takeCentralWidget()
        for former in (*self.findChildren(QDockWidget), *panels):
            former.setParent(attic)
        for action in self._actions.values():
            self.removeAction(action)
            action.deleteLater()
        self._text_fields.deleteLater()
        self._deeds.deleteLater()
        attic.deleteLater()

    def _make_panels(self) -> None:
        actions = self._actions
        self.view.setObjectName("imageView")
        self.view.setAccessibleName(tr("Image"))
        self.hint = HintStrip(self.view)
        self.welcome = Welcome()
        self.unreadable = UnreadablePage()
        self.eye = ViewPanel()
        export = actions["exportAs"], actions["export"], None, actions["copyImage"], actions["copyJson"]
        setting = actions["models"], actions["settings"], actions["keys"], actions["resetLayout"]
        more = actions["detectAll"], None, *setting
        self.controls = ControlBar(export, more, self.eye)
        opening = [actions[name] for name in ("openFiles", "openFolder", "openSamples")]
        self.sources = SourcePanel(opening, actions["paste"])
        self.detections = DetectionsPanel()
        self.json = JsonPanel()
        self.server = ServerPanel()
        self.messages = MessageBar()
        self.batch = BatchBar()
        self.status = StatusLine()
        results = self.detections, self.json, self.server
        self._panels = (self.controls, self.sources, *results, self.messages, self.status)

    def _all_specs(self) -> tuple[ActionSpec, ...]:
        deeds = self._deeds
        own = (
            ActionSpec("models", tr("Manage models…"), ("Ctrl+M",), self._models.open),
            ActionSpec("settings", tr("Settings…"), ("Ctrl+,",), self._open_settings, "settings"),
            ActionSpec("keys", tr("List of keys"), ("F1",), self._list_keys, "keyboard"),
            ActionSpec("resetLayout", tr("Reset the layout"), (), lambda: self._memory.reset(self), group=Group.VIEW),
            ActionSpec("quit", tr("Quit"), ("Ctrl+Q",), self.close),
        )
        files = deeds.files(self._edit_source, self._exporting.export, self._exporting.export_as)
        return (*files, *deeds.images(), *deeds.boxes(), *deeds.decisions(), *deeds.nudges(), *deeds.views(), *own)

    def _lay_out(self) -> None:
        self._middle = QStackedWidget()
        self._middle.addWidget(self.welcome)
        self._middle.addWidget(self.view)
        self._middle.addWidget(self.unreadable)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._middle, 1)
        layout.addWidget(self.batch)
        layout.addWidget(self.messages)
        tabs = QTabWidget()
        tabs.setObjectName("resultTabs")
        tabs.setDocumentMode(True)
        tabs.addTab(self.detections, tr("Detections"))
        tabs.addTab(self.json, tr("JSON"))
        tabs.addTab(self.server, tr("Server"))
        self.setCentralWidget(centre)
        self.addToolBar(self.controls)
        left = self._dock(Qt.DockWidgetArea.LeftDockWidgetArea, "sourceDock", tr("Images"), self.sources)
        right = self._dock(Qt.DockWidgetArea.RightDockWidgetArea, "resultDock", tr("Results"), tabs)
        self.resizeDocks([left, right], [LEFT_WIDTH, RIGHT_WIDTH], Qt.Orientation.Horizontal)
        self.setStatusBar(self.status)

    def _dock(self, area: Qt.DockWidgetArea, name: str, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        return dock

    def _wire(self) -> None:
        viewer = self._viewer
        for name, action in self._actions.items():
            action.triggered.connect(lambda _checked, name=name: self.hint.did(name))
            for widget in (self, self.view, self.unreadable, self.sources.list, self.detections.table):
                widget.addAction(action)
        for spec in self._deeds.nudges():
            self.sources.list.removeAction(self._actions[spec.name])
            self.detections.table.removeAction(self._actions[spec.name])
        self.hint.seen.connect(self._forget_hint)
        self.controls.model_chosen.connect(viewer.model_choice.set_model)
        self.controls.folder_chosen.connect(viewer.model_choice.use_folder)
        self.controls.models_asked.connect(self._models.open)
        self.controls.threshold_chosen.connect(viewer.choosing.set_threshold)
        self.controls.top_k_chosen.connect(viewer.choosing.set_top_k)
        self.controls.detect_asked.connect(viewer.browsing.detect_again)
        self.controls.cancel_asked.connect(viewer.browsing.cancel)
        self.eye.eye_chosen.connect(self.view.set_eye)
        self.sources.source_chosen.connect(viewer.browsing.show_row)
        self.welcome.open_asked.connect(self._deeds.open_files)
        self.welcome.samples_asked.connect(self._deeds.open_samples)
        self.batch.paused.connect(viewer.batch.pause)
        self.batch.resumed.connect(viewer.batch.resume)
        self.batch.cancelled.connect(viewer.batch.cancel)
        self.batch.dismissed.connect(lambda: self.batch.show_batch(None))
        self.batch.source_chosen.connect(viewer.browsing.show)
        self.json.copy_asked.connect(self._deeds.copy_json)
        self.messages.dismissed.connect(viewer.dismiss_message)

    def _wire_panels(self) -> None:
        viewer, reviewing, deeds, panel = self._viewer, self._viewer.reviewing, self._deeds, self.detections
        panel.threshold_chosen.connect(viewer.choosing.set_threshold)
        panel.refinement_chosen.connect(viewer.choosing.set_refinement)
        panel.tiling_chosen.connect(viewer.model_choice.set_tiling)
        panel.accept_asked.connect(reviewing.accept)
        panel.reject_asked.connect(reviewing.reject)
        panel.relabel_asked.connect(deeds.relabel)
        panel.forget_asked.connect(reviewing.forget)
        panel.reviewed_asked.connect(reviewing.accept_all_and_go_on)
        panel.note_changed.connect(reviewing.set_note)
        panel.table.rows_selected.connect(viewer.choosing.select)
        panel.table.row_entered.connect(self.view.centre_on)
        self.view.selection_changed.connect(viewer.choosing.select)
        self.view.activated.connect(deeds.relabel_one)
        self.view.box_drawn.connect(deeds.add)
        self.view.boxes_reshaped.connect(reviewing.reshape)
        self._text_fields = TextFieldKeys(self)
        self._text_fields.watch(self.sources.edit, self.json.view, *panel.text_fields, deeds.relabel_box.edit)

    def _wire_server(self) -> None:
        server, panel, store = self._server, self.server, self._store
        panel.shown.connect(server.prepare)
        panel.switched.connect(server.switch)
        panel.host_chosen.connect(server.set_host)
        panel.host_chosen.connect(lambda host: store.change_settings(host=host))
        panel.port_chosen.connect(server.set_port)
        panel.port_chosen.connect(lambda port: store.change_settings(port=port))
        panel.key_copied.connect(self._copy_key)
        panel.key_renewal_asked.connect(server.renew_key)
        panel.copy_asked.connect(self._deeds.copy_text)
        panel.inbox_switched.connect(server.open_inbox)
        panel.inbox_emptying_asked.connect(self._viewer.browsing.empty_inbox)

    def _show_state(self, state: ViewerState) -> None:
        if state.image is not self._image:
            self._image, self._reviewed = state.image, None
            self.view.show_image(self._viewer.canvas_image)
        self.setWindowTitle(_title(state))
        self._show_middle(state)
        if state.reviewed is not self._reviewed and state.seen is not None:
            self._show_reviewed(state.seen)
        self._reviewed = state.reviewed
        self.view.select(state.selected)
        self.view.set_editable(not state.session.is_read_only)
        enable(self._actions, self._specs, state)
        for panel in self._panels:
            panel.show_state(state)
        self.hint.show_state(state, self._store.value.hints_seen, self._key_texts)

    def _show_middle(self, state: ViewerState) -> None:
        shown = self.view if state.image is not None else self.unreadable if state.unreadable else self.welcome
        if self._middle.currentWidget() is not shown:
            had_focus = self.view.hasFocus() or self.unreadable.hasFocus()
            self._middle.setCurrentWidget(shown)
            if had_focus:
                shown.setFocus()
        self.unreadable.show_state(state)

    def _show_reviewed(self, seen: Reviewed) -> None:
        self.view.show_detections(seen.shown)
        self.view.mark(
            rejected=seen.having(Status.REJECTED),
            added=seen.having(Status.ADDED),
            accepted=seen.having(Status.ACCEPTED),
            orphans=seen.orphans,
        )

    def _show_server(self, state: ServerState) -> None:
        for shows in (self.server, self.status):
            shows.show_server(state)

    def _show_batch(self, state: BatchState | None) -> None:
        self.batch.show_batch(state)

    def _show_preferences(self, preferences: Preferences) -> None:
        self._key_texts = {}
        for spec in remapped(self._specs, preferences.keys):
            set_keys(self._actions[spec.name], spec)
            self._key_texts[spec.name] = shown(spec.keys[:1])

    def tell(self, text: str) -> None:
        """Say something in the message bar."""
        self._viewer.tell(text)

    def _selected_places(self) -> list[int]:
        return self.sources.list.selected_places

    def _finish_editing(self) -> None:
        self.view.finish_editing()
        self.detections.finish_note()

    def _edit_source(self) -> None:
        self.sources.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sources.edit.selectAll()

    def _forget_hint(self, name: str) -> None:
        self._store.change(hints_seen=self._store.value.hints_seen | {name})

    def _list_keys(self) -> None:
        from desktop.keys.list import show_key_list

        show_key_list(self._specs, self._store, self)

    def _open_settings(self) -> None:
        from desktop.settings.dialog import SettingsDialog

        dialog = self.findChild(SettingsDialog)
        if dialog is None:
            dialog = SettingsDialog(self._store, self._viewer.state.models, self)
            dialog.keys_asked.connect(self._list_keys)
        dialog.show()
        dialog.activateWindow()

    def _copy_key(self, key: str) -> None:
        self._deeds.copy_text(key)
        self._server.hide_key()

    def _put_image(self, png: bytes) -> None:
        put_image(png)
        self._viewer.tell(tr("The annotated image is on the clipboard."))

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
    """The name of the image that is shown, or that cannot be."""
    if state.image is not None:
        return f"{state.image.source.name} – detrdesk"
    return f"{state.sources[state.at].name} – detrdesk" if state.unreadable and state.at is not None else "detrdesk"
