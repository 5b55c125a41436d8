"""The panels of the main window and their places in it."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QAction, QLineEdit, QPlainTextEdit, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from desktop.batch.bar import BatchBar
from desktop.canvas.view import ImageView
from desktop.images.source_panel import SourcePanel
from desktop.images.unreadable_page import UnreadablePage
from desktop.results.detections_panel import DetectionsPanel
from desktop.results.json_panel import JsonPanel
from desktop.review.bar import ReviewBar
from desktop.server.panel import ServerPanel
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.theme import GRID
from desktop.window.control_bar import ControlBar
from desktop.window.hints import HintStrip
from desktop.window.message_bar import MessageBar
from desktop.window.status_line import StatusLine
from desktop.window.view_panel import ViewPanel
from desktop.window.welcome import Welcome
from engine.image.opened import OpenedImage
from engine.review.decision import Status
from engine.review.merge import Reviewed

_LEAST_MIDDLE = 58 * GRID


class Panels:
    """Every panel of the main window, made anew when the language changes.

    Attributes:
        view: The canvas, with `hint` over it; `welcome` or `unreadable` take its place.
        display: Brightness, contrast, opacity.
        controls: The toolbar.
        sources: The list of images.
        detections, json, server: The tabs on the right; `review` is the bar below the first one.
        batch, messages: The bars below the canvas.
        status: The status bar.
        centre, tabs: The widgets that hold them.
    """

    def __init__(self, view: ImageView, actions: Mapping[str, QAction]) -> None:
        """Make the panels; some show actions, by name."""
        self._image: OpenedImage | None = None
        self._reviewed: Reviewed | None = None
        self.view = view
        view.setObjectName("imageView")
        view.setAccessibleName(tr("Image"))
        self.hint = HintStrip(view)
        self.welcome = Welcome()
        self.unreadable = UnreadablePage()
        self.display = ViewPanel()
        export = actions["exportAs"], actions["export"], None, actions["copyImage"], actions["copyJson"]
        settings = actions["models"], actions["settings"], actions["keys"], actions["resetLayout"]
        self.controls = ControlBar(export, (actions["detectAll"], None, *settings), self.display)
        opening = [actions[name] for name in ("openFiles", "openFolder", "openSamples")]
        self.sources = SourcePanel(opening, actions["paste"])
        self.review = ReviewBar()
        self.detections = DetectionsPanel(self.review)
        self.json = JsonPanel()
        self.server = ServerPanel()
        self.messages = MessageBar()
        self.batch = BatchBar()
        self.status = StatusLine()
        self._middle = QStackedWidget()
        self._middle.setMinimumWidth(_LEAST_MIDDLE)  # not that of its widest page, which need not be the one shown
        self.centre = self._make_centre()
        self.tabs = self._make_tabs()
        results = self.detections, self.review, self.json, self.server
        self._shows_state = (self.controls, self.sources, *results, self.messages, self.status, self.unreadable)

    @property
    def text_fields(self) -> tuple[QLineEdit | QPlainTextEdit, ...]:
        """Where the user types or selects text."""
        return self.sources.edit, self.json.view, self.review.note, self.detections.classes.search

    def show_state(self, state: ViewerState, canvas_image: QImage | None) -> None:
        """Show a state; `canvas_image` has the pixels of its image."""
        if state.image is not self._image:
            self._image, self._reviewed = state.image, None
            self.view.show_image(canvas_image)
        self._show_page(state)
        if state.reviewed is not self._reviewed and state.seen is not None:
            self._show_reviewed(state.seen)
        self._reviewed = state.reviewed
        self.view.select(state.selected)
        self.view.set_editable(not state.session.is_read_only)
        for panel in self._shows_state:
            panel.show_state(state)

    def _show_page(self, state: ViewerState) -> None:
        """Show the canvas, or the page in its place, and keep the focus there."""
        shown = self.view if state.image is not None else self.unreadable if state.unreadable else self.welcome
        if self._middle.currentWidget() is not shown:
            had_focus = self.view.hasFocus() or self.unreadable.hasFocus()
            self._middle.setCurrentWidget(shown)
            if had_focus:
                shown.setFocus()

    def _show_reviewed(self, reviewed: Reviewed) -> None:
        self.view.show_detections(reviewed.shown)
        self.view.mark(
            rejected=reviewed.having(Status.REJECTED),
            added=reviewed.having(Status.ADDED),
            accepted=reviewed.having(Status.ACCEPTED),
            orphans=reviewed.orphans,
        )

    def finish_editing(self) -> None:
        """Report nudged boxes and the typed note, because another image is about to be shown."""
        self.view.finish_editing()
        self.review.note.finish()

    def _make_centre(self) -> QWidget:
        for page in (self.welcome, self.view, self.unreadable):
            self._middle.addWidget(page)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._middle, 1)
        layout.addWidget(self.batch)
        layout.addWidget(self.messages)
        return centre

    def _make_tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setObjectName("resultTabs")
        tabs.setDocumentMode(True)
        tabs.addTab(self.detections, tr("Detections"))
        tabs.addTab(self.json, tr("JSON"))
        tabs.addTab(self.server, tr("Server"))
        return tabs
