"""The table of what the user can do by keys and menus, and what needs the window's widgets for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import QObject, QPoint, QPointF
from PyQt5.QtWidgets import QWidget

from desktop.canvas.view import ImageView
from desktop.images.clipboard import clipboard_content, put_text
from desktop.images.mime import can_open, given_in
from desktop.keys.actions import ActionSpec, Group
from desktop.review.relabel_box import RelabelBox
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.viewer.viewer import Viewer
from desktop.window.dialogs import ask_folder, ask_images
from engine.detect.detection import Box
from engine.paths import resource

THRESHOLD_STEP = 0.05
Do = Callable[[], object]
Row = tuple[str, str, tuple[str, ...], Do, str]
"""Name, text, keys, what happens, icon."""


class WindowActions(QObject):
    """Does what actions ask for.

    Attributes:
        relabel_box: Where a class is typed or picked.
    """

    def __init__(self, viewer: Viewer, view: ImageView, window: QWidget) -> None:
        super().__init__(window)
        self._viewer, self._view, self._window = viewer, view, window
        self.relabel_box = RelabelBox(window)
        self.relabel_box.label_chosen.connect(self._on_label)
        self.relabel_box.closed.connect(lambda: view.show_unnamed(None))
        viewer.reviewing.box_wanted.connect(view.focus_box)
        self._drawn: Box | None = None
        viewer.events.leaving.connect(self.leave)

    def files(self, edit_source: Do, export: Do, export_as: Do) -> tuple[ActionSpec, ...]:
        """Opening and exporting, with what the window itself does of it."""
        viewer = self._viewer
        rows: tuple[Row, ...] = (
            ("openFiles", tr("Open images…"), ("Ctrl+O",), self.open_files, "folder-open"),
            ("openFolder", tr("Open a folder…"), ("Ctrl+U",), self.open_folder, "images"),
            ("openSamples", tr("Open the samples"), (), self.open_samples, "image"),
            ("paste", tr("Paste an image, file, URL or base64"), ("Ctrl+V",), self.paste, "clipboard-paste"),
            ("editSource", tr("Go to the URL box"), ("Ctrl+L",), edit_source, ""),
            ("export", tr("Export, as last time"), ("Ctrl+S",), export, "download"),
            ("exportAs", tr("Export…"), ("Ctrl+Shift+S",), export_as, "download"),
            ("copyImage", tr("Copy the annotated image"), ("Ctrl+C",), viewer.exports.copy_image, "copy"),
            ("copyJson", tr("Copy the JSON"), ("Ctrl+Shift+C",), self.copy_json, ""),
        )
        return tuple(ActionSpec(*row, group=Group.FILES) for row in rows)

    def images(self) -> tuple[ActionSpec, ...]:
        """Going through the images and detecting in them."""
        viewer, reviewing = self._viewer, self._viewer.reviewing
        return (
            _key("nextImage", tr("Next image"), "D", lambda: viewer.browsing.go(1), Group.IMAGE),
            _key("previousImage", tr("Previous image"), "A", lambda: viewer.browsing.go(-1), Group.IMAGE),
            _key("nextOpen", tr("Next image to review"), "Shift+D", lambda: reviewing.go_to_unreviewed(1), Group.IMAGE),
            _key(
                "previousOpen",
                tr("Previous image to review"),
                "Shift+A",
                lambda: reviewing.go_to_unreviewed(-1),
                Group.IMAGE,
            ),
            ActionSpec("detect", tr("Detect again"), ("F5",), viewer.browsing.detect_again, "play", group=Group.IMAGE),
            ActionSpec(
                "detectAll", tr("Detect in all images"), ("Ctrl+F5",), viewer.detect_all, "play", group=Group.IMAGE
            ),
            ActionSpec("cancel", tr("Deselect, else cancel what runs"), ("Esc",), self.escape, "x", group=Group.IMAGE),
        )

    def boxes(self) -> tuple[ActionSpec, ...]:
        """Selecting boxes and choosing which are shown."""
        go_to_least_sure = self._viewer.reviewing.go_to_least_sure
        return (
            _key("nextBox", tr("Next box, by score"), "J", lambda: self.step_box(1), Group.BOXES),
            _key("previousBox", tr("Previous box, by score"), "K", lambda: self.step_box(-1), Group.BOXES),
            _key("boxBelow", tr("Next box under the pointer"), "O", self._view.next_under_pointer, Group.BOXES),
            _key("leastSure", tr("Least sure box of all images"), "U", go_to_least_sure, Group.BOXES),
            _key("selectAll", tr("Select all boxes"), "Ctrl+A", self.select_all, Group.BOXES),
            _key("toggleBoxes", tr("Hide or show all boxes"), "T", self.toggle_boxes, Group.BOXES),
            _key(
                "thresholdDown", tr("Lower threshold"), "[", lambda: self.step_threshold(-THRESHOLD_STEP), Group.BOXES
            ),
            _key("thresholdUp", tr("Higher threshold"), "]", lambda: self.step_threshold(THRESHOLD_STEP), Group.BOXES),
        )

    def decisions(self) -> tuple[ActionSpec, ...]:
        """Deciding."""
        do = self._viewer.reviewing
        whole = tr("Accept all that is shown, image reviewed, go on")
        return (
            _key("acceptAll", whole, "Space", do.accept_all_and_go_on, Group.DECIDING),
            ActionSpec("accept", tr("Accept"), ("Return", "Enter"), do.accept, "check", True, Group.DECIDING),
            ActionSpec("reject", tr("Reject; delete an added box"), ("X", "Del"), do.reject, "x", True, Group.DECIDING),
            _key("forget", tr("Take the decision back"), "Backspace", do.forget, Group.DECIDING),
            ActionSpec("relabel", tr("Relabel…"), ("Ctrl+E",), self.relabel, "pencil", group=Group.DECIDING),
            _key("draw", tr("Draw a missing box"), "N", self._view.start_drawing, Group.DECIDING),
            _key("toggleReviewed", tr("Image reviewed, or not"), "R", do.toggle_reviewed, Group.DECIDING),
            ActionSpec("undo", tr("Undo"), ("Ctrl+Z",), do.undo, "rotate-ccw", False, Group.DECIDING, _can_undo),
            ActionSpec("redo", tr("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"), do.redo, "", False, Group.DECIDING, _can_redo),
        )

    def nudges(self) -> tuple[ActionSpec, ...]:
        """Moving and resizing the selected boxes by keys: by a pixel, ten with Shift, resizing with Alt."""
        ways = {
            "Left": (tr("left"), -1, 0),
            "Right": (tr("right"), 1, 0),
            "Up": (tr("up"), 0, -1),
            "Down": (tr("down"), 0, 1),
        }
        kinds = (("", tr("Move the selected boxes"), 1, False), ("Shift+", tr("Move them by 10 pixels"), 10, False))
        rows = [*kinds, ("Alt+", tr("Resize the selected boxes"), 1, True)]
        return tuple(
            _key(
                f"nudge{prefix}{way}",
                tr("{action} ({direction})", action=text, direction=direction),
                f"{prefix}{way}",
                partial(self._view.nudge, x * far, y * far, resize),
                Group.DECIDING,
            )
            for prefix, text, far, resize in rows
            for way, (direction, x, y) in ways.items()
        )

    def views(self) -> tuple[ActionSpec, ...]:
        """Zooming."""
        view = self._view
        rows: tuple[Row, ...] = (
            ("zoomIn", tr("Zoom in"), ("Ctrl++", "Ctrl+="), view.zoom_in, "zoom-in"),
            ("zoomOut", tr("Zoom out"), ("Ctrl+-",), view.zoom_out, "zoom-out"),
            ("zoomFull", tr("Zoom to 100 %"), ("Ctrl+0",), lambda: view.set_zoom(1.0), ""),
            ("fit", tr("Fit the window"), ("Ctrl+F",), view.fit, "maximize"),
            ("fitWidth", tr("Fit the width"), ("Ctrl+Shift+F",), view.fit_width, ""),
        )
        return tuple(ActionSpec(*row, group=Group.VIEW) for row in rows)

    def open_files(self) -> None:
        """Ask for files and open them."""
        self._viewer.browsing.open(ask_images(self._window))

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        folder = ask_folder(self._window)
        self._viewer.browsing.open([folder] if folder else [])

    def open_samples(self) -> None:
        """Open the images that come with the program."""
        self._viewer.browsing.open([resource("samples")])

    def paste(self) -> None:
        """Open what is on the clipboard."""
        mime = clipboard_content()
        if mime is None or not can_open(mime):
            self._viewer.tell(tr("The clipboard holds nothing that can be opened."))
        else:
            self._viewer.browsing.open(given_in(mime))

    def copy_json(self) -> None:
        """Put the API's answer on the clipboard."""
        text = self._viewer.exports.answer_json()
        if text:
            put_text(text)
            self._viewer.tell(tr("The JSON is on the clipboard."))

    def copy_text(self, text: str) -> None:
        """Put some text on the clipboard and say so."""
        put_text(text)
        self._viewer.tell(tr("Copied to the clipboard."))

    def escape(self) -> None:
        """Leave what is being drawn or dragged; else deselect; else cancel what runs; else close the message."""
        if self._view.cancel_drawing():
            return
        if self._viewer.state.selected:
            self._viewer.choosing.select(frozenset())
        elif self._viewer.state.stage is not None:
            self._viewer.browsing.cancel()
        else:
            self._viewer.dismiss_message()

    def select_all(self) -> None:
        """Select every box that is shown."""
        shown = self._viewer.state.shown
        self._viewer.choosing.select(frozenset() if shown is None else frozenset(shown.indices.tolist()))

    def step_box(self, step: int) -> None:
        """Select the next box by score."""
        shown, selected = self._viewer.state.shown, self._viewer.state.selected
        if shown is None or not len(shown):
            return
        indices = shown.indices.tolist()
        places = [place for place, index in enumerate(indices) if index in selected]
        at = (places[0] + step) % len(indices) if places else 0
        self._viewer.choosing.select(frozenset({indices[at]}))
        self._view.centre_on(indices[at])

    def toggle_boxes(self) -> None:
        """Hide or show all boxes."""
        self._view.set_boxes_visible(not self._view.boxes_visible)

    def step_threshold(self, step: float) -> None:
        """Move the threshold."""
        threshold = self._viewer.state.chosen.threshold + step
        self._viewer.choosing.set_threshold(round(min(1.0, max(0.0, threshold)), 2))

    def leave(self) -> None:
        """Another image comes: what was being named was in this one."""
        self._drawn = None
        if self.relabel_box.isVisible():
            self.relabel_box.close()

    def relabel(self) -> None:
        """Ask for the class of the selected boxes."""
        shown, selected = self._viewer.state.shown, self._viewer.state.selected
        of_selected = [] if shown is None else [each for each in shown if each.index in selected]
        if of_selected:
            self._drawn = None
            self._ask_label(of_selected[0].box, of_selected[0].label)

    def relabel_one(self, index: int) -> None:
        """Ask for the class of a box that was double-clicked."""
        self._viewer.choosing.select(frozenset({index}))
        self.relabel()

    def add(self, box: Box) -> None:
        """Ask for the class of a box that was drawn, and add it."""
        self._drawn = box
        self._view.show_unnamed(box)
        self._ask_label(box, "")

    def _ask_label(self, box: Box, current: str) -> None:
        labels = self._viewer.reviewing.labels()
        self.relabel_box.open_at(self._on_screen(box), labels, current or next(iter(labels), ""))

    def _on_screen(self, box: Box) -> QPoint:
        """The box's upper right corner, or the nearest place in the view."""
        view = self._view.viewport()
        seen = view.rect()
        corner = self._view.mapFromScene(QPointF(box[2], box[1]))
        x = min(max(corner.x(), seen.left()), seen.right())
        return view.mapToGlobal(QPoint(x, min(max(corner.y(), seen.top()), seen.bottom())))

    def _on_label(self, label: str) -> None:
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            self._viewer.reviewing.relabel(label)
        else:
            self._viewer.reviewing.add(drawn, label)
        self._view.setFocus()


def _key(name: str, text: str, key: str, do: Do, group: Group) -> ActionSpec:
    """Something that a key does while the image, the list or the table has the focus."""
    return ActionSpec(name, text, (key,), do, on_image=True, group=group)


def _can_undo(state: ViewerState) -> bool:
    return bool(state.session.undo)


def _can_redo(state: ViewerState) -> bool:
    return bool(state.session.redo)
