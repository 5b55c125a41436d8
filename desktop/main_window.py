"""The window: where things are and how they are wired; nothing is decided here."""

from __future__ import annotations

import time
from pathlib import Path

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PyQt5.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from desktop.actions import ActionSpec, make_action
from desktop.canvas.view import ImageView
from desktop.dialogs import ask_export_path, ask_folder, ask_images
from desktop.i18n import tr
from desktop.icons import program_icon
from desktop.key_list import show_key_list
from desktop.mime import can_open, given_in, lines_of
from desktop.panels.control_bar import ControlBar
from desktop.panels.detections_panel import DetectionsPanel
from desktop.panels.json_panel import JsonPanel
from desktop.panels.message_bar import MessageBar
from desktop.panels.server_panel import ServerPanel
from desktop.panels.source_panel import SourcePanel
from desktop.panels.status_line import StatusLine
from desktop.panels.welcome import Welcome
from desktop.server_control import ServerControl
from desktop.text_fields import TextFieldKeys
from desktop.theme import GRID
from desktop.viewer import Viewer
from desktop.viewer_state import ViewerState
from engine.detect.detection import Detections
from engine.engine import OpenedImage
from engine.paths import resource

PREFERRED_SIZE = QSize(1360, 840)
LEFT_WIDTH, RIGHT_WIDTH = 28 * GRID, 44 * GRID
THRESHOLD_STEP = 0.05
CLOSING_SECONDS = 5.0


class MainWindow(QMainWindow):
    """Shows the viewer's state and passes on what the user does.

    Attributes:
        all_ended: False when the window was closed and a model that runs holds a thread back.
    """

    def __init__(self, viewer: Viewer, server: ServerControl) -> None:
        super().__init__()
        self._viewer = viewer
        self._server = server
        self.all_ended = True
        self._image: OpenedImage | None = None
        self._detections: Detections | None = None
        self.setWindowTitle("detrdesk")
        self.setWindowIcon(program_icon())
        self.setAcceptDrops(True)
        self.view = ImageView()
        self._specs = self._action_specs()
        self._actions = {spec.name: make_action(spec, self) for spec in self._specs}
        self._make_panels()
        self._lay_out()
        self._wire()
        self._wire_server()
        viewer.changed.connect(self._show_state)
        self._show_state(viewer.state)
        self.view.setFocus()

    def _make_panels(self) -> None:
        actions = self._actions
        self.view.setObjectName("imageView")
        self.view.setAccessibleName(tr("Image"))
        self.welcome = Welcome()
        self.controls = ControlBar([actions["export"], None, actions["copyImage"], actions["copyJson"]])
        opening = [actions[name] for name in ("openFiles", "openFolder", "openSamples")]
        self.sources = SourcePanel(opening, actions["paste"])
        self.detections = DetectionsPanel()
        self.json = JsonPanel()
        self.server = ServerPanel()
        self.messages = MessageBar()
        self.status = StatusLine()
        results = self.detections, self.json, self.server
        self._panels = (self.controls, self.sources, *results, self.messages, self.status)

    def _lay_out(self) -> None:
        self._middle = QStackedWidget()
        self._middle.addWidget(self.welcome)
        self._middle.addWidget(self.view)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._middle, 1)
        layout.addWidget(self.messages)
        tabs = QTabWidget()
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
        screen = QGuiApplication.primaryScreen()
        self.resize(PREFERRED_SIZE if screen is None else PREFERRED_SIZE.boundedTo(screen.availableSize() * 0.94))

    def _dock(self, area: Qt.DockWidgetArea, name: str, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(panel)
        self.addDockWidget(area, dock)
        return dock

    def _wire(self) -> None:
        viewer = self._viewer
        for spec in self._specs:
            for widget in self._image_widgets() if spec.on_image else (self,):
                widget.addAction(self._actions[spec.name])
        self.controls.model_chosen.connect(viewer.set_model)
        self.controls.folder_chosen.connect(viewer.add_model)
        self.controls.threshold_chosen.connect(viewer.set_threshold)
        self.controls.top_k_chosen.connect(viewer.set_top_k)
        self.controls.detect_asked.connect(viewer.detect_again)
        self.controls.cancel_asked.connect(viewer.cancel)
        self.sources.text_entered.connect(lambda text: viewer.open(lines_of(text)))
        self.sources.source_chosen.connect(viewer.show_source)
        self.detections.threshold_chosen.connect(viewer.set_threshold)
        self.detections.table.rows_selected.connect(viewer.select)
        self.detections.table.row_entered.connect(self.view.centre_on)
        self.view.selection_changed.connect(viewer.select)
        self.json.copy_asked.connect(self._copy_json)
        self.messages.dismissed.connect(viewer.dismiss_message)
        self.welcome.open_asked.connect(self._open_files)
        self.welcome.samples_asked.connect(self._open_samples)
        viewer.copied.connect(self._put_image)
        self._text_fields = TextFieldKeys(self)
        self._text_fields.watch(self.sources.edit, self.json.view)

    def _wire_server(self) -> None:
        server, panel = self._server, self.server
        panel.shown.connect(server.prepare)
        panel.switched.connect(server.switch)
        panel.host_chosen.connect(server.set_host)
        panel.port_chosen.connect(server.set_port)
        panel.key_copied.connect(self._copy_key)
        panel.key_renewal_asked.connect(server.renew_key)
        panel.copy_asked.connect(self._copy_text)
        panel.inbox_switched.connect(server.open_inbox)
        panel.inbox_emptying_asked.connect(self._viewer.empty_inbox)
        for shown in (panel, self.status):
            server.changed.connect(shown.show_server)
            shown.show_server(server.state)

    def _image_widgets(self) -> tuple[QWidget, ...]:
        return self.view, self.sources.list, self.detections.table

    def _action_specs(self) -> tuple[ActionSpec, ...]:
        viewer, spec = self._viewer, ActionSpec
        return (
            spec("openFiles", tr("Open images…"), ("Ctrl+O",), self._open_files, "folder-open"),
            spec("openFolder", tr("Open a folder…"), ("Ctrl+U",), self._open_folder, "images"),
            spec("openSamples", tr("Open the samples"), (), self._open_samples, "image"),
            spec("paste", tr("Paste an image, file, URL or base64"), ("Ctrl+V",), self._paste, "clipboard-paste"),
            spec("editSource", tr("Go to the URL box"), ("Ctrl+L",), self._edit_source),
            spec("detect", tr("Detect again"), ("F5",), viewer.detect_again, "play"),
            spec("cancel", tr("Deselect, else cancel what runs"), ("Esc",), self._escape, "x"),
            spec("nextImage", tr("Next image"), ("D",), lambda: viewer.go(1), on_image=True),
            spec("previousImage", tr("Previous image"), ("A",), lambda: viewer.go(-1), on_image=True),
            spec("zoomIn", tr("Zoom in"), ("Ctrl++", "Ctrl+="), self.view.zoom_in, "zoom-in"),
            spec("zoomOut", tr("Zoom out"), ("Ctrl+-",), self.view.zoom_out, "zoom-out"),
            spec("zoomFull", tr("Zoom to 100 %"), ("Ctrl+0",), lambda: self.view.set_zoom(1.0)),
            spec("fit", tr("Fit the window"), ("Ctrl+F",), self.view.fit, "maximize"),
            spec("fitWidth", tr("Fit the width"), ("Ctrl+Shift+F",), self.view.fit_width),
            spec("selectAll", tr("Select all boxes"), ("Ctrl+A",), self._select_all, on_image=True),
            spec("nextBox", tr("Next box, by score"), ("J",), lambda: self._step_box(1), on_image=True),
            spec("previousBox", tr("Previous box, by score"), ("K",), lambda: self._step_box(-1), on_image=True),
            spec(
                "boxBelow",
                tr("Next box under the pointer"),
                ("O",),
                self.view.next_under_pointer,
                on_image=True,
            ),
            spec("toggleBoxes", tr("Hide or show all boxes"), ("T",), self._toggle_boxes, on_image=True),
            spec(
                "thresholdDown",
                tr("Lower threshold"),
                ("[",),
                lambda: self._step_threshold(-THRESHOLD_STEP),
                on_image=True,
            ),
            spec(
                "thresholdUp",
                tr("Higher threshold"),
                ("]",),
                lambda: self._step_threshold(THRESHOLD_STEP),
                on_image=True,
            ),
            spec("export", tr("Export…"), ("Ctrl+S",), self._export, "download"),
            spec("copyImage", tr("Copy the annotated image"), ("Ctrl+C",), viewer.copy_image, "copy"),
            spec("copyJson", tr("Copy the JSON"), ("Ctrl+Shift+C",), self._copy_json),
            spec("keys", tr("List of keys"), ("F1",), lambda: show_key_list(self._specs, self), "keyboard"),
            spec("quit", tr("Quit"), ("Ctrl+Q",), self.close),
        )

    def _show_state(self, state: ViewerState) -> None:
        if state.image is not self._image:
            self._image = state.image
            self.view.show_image(self._viewer.canvas_image)
            self._middle.setCurrentWidget(self.welcome if state.image is None else self.view)
            self.setWindowTitle("detrdesk" if state.image is None else f"{state.image.source.name} – detrdesk")
        if state.shown is not None and state.shown is not self._detections:
            self.view.show_detections(state.shown)
        self._detections = state.shown
        self.view.select(state.selected)
        for panel in self._panels:
            panel.show_state(state)

    def tell(self, text: str) -> None:
        """Say something in the message bar."""
        self._viewer.tell(text)

    def _open_files(self) -> None:
        self._viewer.open(ask_images(self))

    def _open_folder(self) -> None:
        folder = ask_folder(self)
        self._viewer.open([folder] if folder else [])

    def _open_samples(self) -> None:
        self._viewer.open([resource("samples")])

    def _paste(self) -> None:
        clipboard = QGuiApplication.clipboard()
        mime = clipboard.mimeData() if clipboard is not None else None
        if mime is None or not can_open(mime):
            self._viewer.tell(tr("The clipboard holds nothing that can be opened."))
            return
        self._viewer.open(given_in(mime))

    def _edit_source(self) -> None:
        self.sources.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sources.edit.selectAll()

    def _escape(self) -> None:
        if self._viewer.state.selected:
            self._viewer.select(frozenset())
        elif self._viewer.state.stage is not None:
            self._viewer.cancel()
        else:
            self._viewer.dismiss_message()

    def _select_all(self) -> None:
        shown = self._viewer.state.shown
        self._viewer.select(frozenset() if shown is None else frozenset(shown.indices.tolist()))

    def _step_box(self, step: int) -> None:
        shown, selected = self._viewer.state.shown, self._viewer.state.selected
        if shown is None or not len(shown):
            return
        indices = shown.indices.tolist()
        at = indices.index(min(selected)) + step if selected else 0
        self._viewer.select(frozenset({indices[at % len(indices)]}))
        self.view.centre_on(indices[at % len(indices)])

    def _toggle_boxes(self) -> None:
        self.view.set_boxes_visible(not self.view.boxes_visible)

    def _step_threshold(self, step: float) -> None:
        threshold = self._viewer.state.chosen.threshold + step
        self._viewer.set_threshold(round(min(1.0, max(0.0, threshold)), 2))

    def _export(self) -> None:
        image = self._viewer.state.image
        stem = Path(image.source.name).stem if image is not None else "image"
        path = ask_export_path(self, Path.cwd() / f"{stem}_detections.png") if image is not None else None
        if path is not None:
            self._viewer.export(path)

    def _copy_json(self) -> None:
        clipboard = QGuiApplication.clipboard()
        text = self._viewer.answer_json()
        if clipboard is not None and text:
            clipboard.setText(text)
            self._viewer.tell(tr("The JSON is on the clipboard."))

    def _copy_text(self, text: str) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
            self._viewer.tell(tr("Copied to the clipboard."))

    def _copy_key(self, key: str) -> None:
        self._copy_text(key)
        self._server.hide_key()

    def _put_image(self, png: bytes) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setImage(QImage.fromData(png))
            self._viewer.tell(tr("The annotated image is on the clipboard."))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if can_open(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._viewer.open(given_in(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        until = time.monotonic() + CLOSING_SECONDS
        self.hide()
        self._viewer.cancel()
        server_ended = self._server.close()
        viewer_ended = self._viewer.close(max(until - time.monotonic(), 0.3))
        self.all_ended = server_ended and viewer_ended
        super().closeEvent(event)
