"""Asking for the class of boxes beside them: of selected ones, and of one that was drawn."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QPoint, QPointF
from PyQt5.QtWidgets import QWidget

from desktop.canvas.view import ImageView
from desktop.review.relabel_box import RelabelBox
from desktop.review.reviewing import Reviewing
from desktop.state.holder import StateHolder
from desktop.state.viewer import select
from engine.detect.detection import Box


class Labelling(QObject):
    """Opens the relabel box and passes on the class that is chosen in it.

    Attributes:
        relabel_box: Where a class is typed or picked.
    """

    def __init__(self, holder: StateHolder, reviewing: Reviewing, view: ImageView, window: QWidget) -> None:
        super().__init__(window)
        self._holder, self._reviewing, self._view = holder, reviewing, view
        self._drawn: Box | None = None
        self.relabel_box = RelabelBox(window)
        self.relabel_box.label_chosen.connect(self._on_label)
        self.relabel_box.closed.connect(lambda: view.show_unnamed(None))
        reviewing.box_wanted.connect(view.focus_box)
        view.activated.connect(self.relabel_one)
        view.box_drawn.connect(self.label_new_box)
        view.boxes_reshaped.connect(reviewing.reshape)

    def relabel_selected(self) -> None:
        """Ask for the class of the selected boxes."""
        shown, selected = self._holder.state.shown, self._holder.state.selected
        of_selected = [] if shown is None else [each for each in shown if each.index in selected]
        if of_selected:
            self._drawn = None
            self._ask(of_selected[0].box, of_selected[0].label)

    def relabel_one(self, index: int) -> None:
        """Select a box and ask for its class."""
        self._holder.set(select(self._holder.state, frozenset({index})))
        self.relabel_selected()

    def label_new_box(self, box: Box) -> None:
        """Ask for the class of a box that was drawn, and add it."""
        self._drawn = box
        self._view.show_unnamed(box)
        self._ask(box, "")

    def cancel(self) -> None:
        """Close the relabel box, because another image is about to be shown."""
        self._drawn = None
        if self.relabel_box.isVisible():
            self.relabel_box.close()

    def _ask(self, box: Box, current: str) -> None:
        labels = self._reviewing.labels()
        self.relabel_box.open_at(self._on_screen(box), labels, current or next(iter(labels), ""))

    def _on_screen(self, box: Box) -> QPoint:
        """Return the upper right corner of a box, or the nearest point within the view, in screen coordinates."""
        viewport = self._view.viewport()
        seen = viewport.rect()
        corner = self._view.mapFromScene(QPointF(box[2], box[1]))
        x = min(max(corner.x(), seen.left()), seen.right())
        return viewport.mapToGlobal(QPoint(x, min(max(corner.y(), seen.top()), seen.bottom())))

    def _on_label(self, label: str) -> None:
        drawn, self._drawn = self._drawn, None
        if drawn is None:
            self._reviewing.relabel(label)
        else:
            self._reviewing.add(drawn, label)
        self._view.setFocus()
