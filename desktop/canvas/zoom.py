"""Zoom and visible part of the image."""

from __future__ import annotations

from enum import Enum, auto

from PyQt5.QtCore import QObject, QPointF, QRectF, pyqtSignal
from PyQt5.QtGui import QTransform
from PyQt5.QtWidgets import QGraphicsView, QScrollBar

SMALLEST, LARGEST = 0.02, 40.0
STEP = 1.25

_FIT_MARGIN = 16
_SMALL_PART, _LARGE_PART = 0.15, 0.8
_CLOSEST_LOOK = 8.0


class Fit(Enum):
    """What the image fits when the window is resized."""

    WINDOW = auto()
    WIDTH = auto()
    NOTHING = auto()


class Zoom(QObject):
    """Zooms and moves a view of one image; 1.0 is one pixel of the image to one logical pixel of the screen.

    Attributes:
        fit: What the image fits now.

    Signals:
        changed(float): The zoom.
    """

    changed = pyqtSignal(float)

    def __init__(self, view: QGraphicsView) -> None:
        super().__init__(view)
        self._view = view
        self._image = QRectF()
        self.fit = Fit.WINDOW

    @property
    def value(self) -> float:
        """The zoom."""
        return self._view.transform().m11()

    @property
    def seen(self) -> QRectF:
        """The visible part of the scene."""
        view_rect = QRectF(self._view.viewport().rect())
        return self._view.viewportTransform().inverted()[0].mapRect(view_rect)

    def start(self, image: QRectF) -> None:
        """Show another image, fitted."""
        self._image = image
        self.fit_window()

    def fit_window(self) -> None:
        """Show the whole image, as large as it goes, and keep it so."""
        self.fit = Fit.WINDOW
        self._scale_to(min(self._across, self._down))
        self._view.centerOn(self._image.center())

    def fit_width(self) -> None:
        """Show the whole width of the image, and keep it so."""
        self.fit = Fit.WIDTH
        centre = self.seen.center()
        self._scale_to(self._across)
        self._view.centerOn(self._image.center().x(), centre.y())

    def refit(self) -> None:
        """Fit again after the window was resized."""
        if self.fit is Fit.WINDOW:
            self.fit_window()
        elif self.fit is Fit.WIDTH:
            self.fit_width()
        else:
            self._scale_to(self.value)

    def set(self, zoom: float) -> None:
        """Zoom to `zoom`, keeping the middle of the view."""
        self.set_at(zoom, QPointF(self._view.viewport().rect().center()))

    def set_at(self, zoom: float, position: QPointF) -> None:
        """Zoom to `zoom`, keeping what is at `position` of the view under it."""
        anchor = self._view.viewportTransform().inverted()[0].map(position)
        self.fit = Fit.NOTHING
        self._scale_to(zoom)
        moved = self._view.viewportTransform().map(anchor) - position
        self.pan(-moved)

    def pan(self, by: QPointF) -> None:
        """Move the image by this many screen pixels."""
        _scroll(self._view.horizontalScrollBar(), -by.x())
        _scroll(self._view.verticalScrollBar(), -by.y())

    def centre_at(self, point: QPointF) -> None:
        """Centre the view on `point` of the scene."""
        self._view.centerOn(point)

    def show_rect(self, rect: QRectF) -> None:
        """Scroll `rect` of the scene into view."""
        if not self.seen.contains(rect):
            self.centre_at(rect.center())

    def focus(self, rect: QRectF) -> None:
        """Centre `rect` of the scene, enlarged where it is tiny and reduced where it does not fit."""
        seen = self._view.viewport().size()
        width, height = max(1.0, rect.width()), max(1.0, rect.height())
        whole = min(seen.width() / width, seen.height() / height)
        comfortable = min(max(self.value, whole * _SMALL_PART), whole * _LARGE_PART)
        if comfortable != self.value:
            self.set(min(comfortable, max(self.value, _CLOSEST_LOOK)))
        if not self.shows_everything:
            self.centre_at(rect.center())

    @property
    def shows_everything(self) -> bool:
        """Whether no part of the image lies outside the view."""
        return self._image.isEmpty() or self.seen.contains(self._image)

    @property
    def _across(self) -> float:
        return max(1, self._view.viewport().width() - 2 * _FIT_MARGIN) / max(1.0, self._image.width())

    @property
    def _down(self) -> float:
        return max(1, self._view.viewport().height() - 2 * _FIT_MARGIN) / max(1.0, self._image.height())

    def _scale_to(self, zoom: float) -> None:
        if self._image.isEmpty():
            return
        before = self.value
        lowest = min(SMALLEST, self._across, self._down)
        zoom = min(LARGEST, max(lowest, zoom))
        self._view.setSceneRect(self._room_around(zoom))
        self._view.setTransform(QTransform.fromScale(zoom, zoom))
        if zoom != before:
            self.changed.emit(zoom)

    def _room_around(self, zoom: float) -> QRectF:
        """Return how far the view can be moved: half a view beyond the image, not at all where the image fits."""
        across, down = self._view.viewport().width() / 2 / zoom, self._view.viewport().height() / 2 / zoom
        if self.fit is Fit.WINDOW:
            across = down = 0.0
        elif self.fit is Fit.WIDTH:
            across, down = 0.0, _FIT_MARGIN / zoom
        return self._image.adjusted(-across, -down, across, down)


def _scroll(bar: QScrollBar, by: float) -> None:
    bar.setValue(bar.value() + round(by))
