"""The canvas: the image with its boxes, zoomed, moved and clicked."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint, QRectF, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PyQt5.QtWidgets import QGraphicsView, QToolTip, QWidget

from desktop.canvas import selection
from desktop.canvas.labels import Labels, described, opacity_at
from desktop.canvas.minimap import Minimap
from desktop.canvas.press import Press
from desktop.canvas.scene import ImageScene
from desktop.canvas.zoom import STEP, Zoom
from desktop.theme import GRID, current_theme, hint_font
from engine.detect.detection import Detections

_CLICK_TOLERANCE = 4.0
_WHEEL_NOTCH = 120
_LABELS_SETTLE_MS = 60
_PLACED_AT_ONCE = 60


class ImageView(QGraphicsView):
    """Shows values and tells what the user did with them; it decides nothing.

    Signals:
        selection_changed(frozenset[int]): The user picked these detections, by index; `select` does not emit it.
        hovered(int | None): The detection under the pointer.
        activated(int): The user double-clicked this detection.
        zoom_changed(float): 1.0 is a pixel of the image to a logical pixel of the screen.
    """

    selection_changed = pyqtSignal(object)
    hovered = pyqtSignal(object)
    activated = pyqtSignal(int)
    zoom_changed = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = ImageScene(self)
        self._labels = Labels()
        self._labels_stale = True
        self._pointer: QPoint | None = None
        self._press: Press | None = None
        self._rejected: frozenset[int] = frozenset()
        self._minimap = Minimap(self.viewport())
        self._zoom = Zoom(self)
        self._labels_timer = QTimer(self)
        self._configure()
        self._connect()

    def show_image(self, image: QImage | None) -> None:
        """Show `image` fitted and without boxes, or nothing. An image that lies on a buffer must keep it alive."""
        self._scene.show_image(image)
        self.select(frozenset())
        self._zoom.start(self._scene.image_rect)
        pyramid = self._scene.image.pyramid
        if pyramid is not None:
            self._minimap.show_image(pyramid.preview, pyramid.size)
        self._moved()

    def show_detections(self, detections: Detections) -> None:
        """Show these boxes and no others; cheap enough to follow a slider."""
        self._scene.show_detections(detections)
        self._labels_stale = True
        hovered = self._scene.boxes.hovered
        if hovered is not None and self._scene.boxes.detection(hovered) is None:
            self._set_hovered(None)
        self.viewport().update()

    def select(self, indices: frozenset[int]) -> None:
        """Draw the detections of these indices as selected."""
        if indices != self._scene.boxes.selected:
            self._scene.boxes.selected = indices
            self._labels_stale = True
            self.viewport().update()

    def highlight(self, index: int | None) -> None:
        """Draw one detection as if the pointer were on it, e.g. while it is on its row of the table."""
        self._scene.boxes.hovered = index
        self._labels_stale |= index is not None
        self.viewport().update()

    def mark(self, rejected: frozenset[int], added: frozenset[int]) -> None:
        """Draw the rejected detections dashed and dim, those that a person added with a dot."""
        self._rejected = rejected
        self._scene.boxes.mark(rejected, added)
        self.viewport().update()

    def set_boxes_visible(self, visible: bool) -> None:
        """Show or hide all boxes with their labels; hidden ones cannot be clicked."""
        self._scene.boxes.setVisible(visible)
        self._set_hovered(None)
        self.viewport().update()

    @property
    def boxes_visible(self) -> bool:
        """Whether boxes are drawn."""
        return self._scene.boxes.isVisible()

    @property
    def selected(self) -> frozenset[int]:
        """Indices of the selected detections."""
        return self._scene.boxes.selected

    @property
    def zoom(self) -> float:
        """The zoom; 1.0 is a pixel of the image to a logical pixel of the screen."""
        return self._zoom.value

    def fit(self) -> None:
        """Show the whole image, and keep it so while the window changes its size."""
        self._zoom.fit_window()

    def fit_width(self) -> None:
        """Show the whole width of the image, and keep it so."""
        self._zoom.fit_width()

    def set_zoom(self, zoom: float) -> None:
        """Zoom around the middle of the view."""
        self._zoom.set(zoom)

    def zoom_in(self) -> None:
        """Zoom in by a step around the middle of the view."""
        self._zoom.set(self.zoom * STEP)

    def zoom_out(self) -> None:
        """Zoom out by a step around the middle of the view."""
        self._zoom.set(self.zoom / STEP)

    def centre_on(self, index: int) -> None:
        """Move the view so that this detection can be seen."""
        detection = self._scene.boxes.detection(index)
        if detection is not None:
            xmin, ymin, xmax, ymax = detection.box
            self._zoom.show_rect(QRectF(xmin, ymin, xmax - xmin, ymax - ymin))

    def next_under_pointer(self) -> None:
        """Select the next of the boxes that lie over each other under the pointer."""
        if self._pointer is not None:
            self._pick(selection.next_of(self.selected, self.boxes_under(self._pointer)))

    def boxes_under(self, position: QPoint) -> list[int]:
        """Indices of the shown boxes at `position` of the viewport, smallest first."""
        if not self.boxes_visible:
            return []
        return self._scene.boxes.under(self.mapToScene(position), _CLICK_TOLERANCE / self.zoom)

    def label_rects(self) -> dict[int, QRectF]:
        """Where labels are in the viewport, by the index of their detection."""
        self._place_labels()
        return self._labels.rects(self.viewportTransform())

    def _configure(self) -> None:
        self.setScene(self._scene)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.viewport().setMouseTracking(True)
        self._labels.set_font(hint_font())

    def _connect(self) -> None:
        self._labels_timer.setSingleShot(True)
        self._labels_timer.setInterval(_LABELS_SETTLE_MS)
        self._labels_timer.timeout.connect(self._settle)
        self._zoom.changed.connect(self._moved)
        self._zoom.changed.connect(self.zoom_changed)
        self._minimap.moved.connect(self._zoom.centre_at)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        painter.fillRect(rect, QColor(current_theme().canvas))

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        on_screen = self.viewportTransform().mapRect(self._scene.image_rect)
        opacity = opacity_at(on_screen)
        if opacity == 0 or not self.boxes_visible:
            return
        self._place_labels()
        painter.save()
        painter.resetTransform()
        painter.setOpacity(opacity)
        self._labels.paint(painter, self.viewportTransform(), self._lively, self._rejected)
        painter.restore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._zoom.refit()
        self._moved()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._moved()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._labels.set_font(hint_font())
            self._labels_stale = True
            self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            notches = event.angleDelta().y() / _WHEEL_NOTCH
            self._zoom.set_at(self.zoom * STEP**notches, event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._press = Press(event.pos(), dragging=event.button() == Qt.MouseButton.MiddleButton)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.pos()
        if self._press is None:
            self._set_hovered(self._top_under(event.pos()))
            return
        self._zoom.pan(self._press.moved_by(event.pos()))
        if self._press.dragging:
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        clicked = self._press is not None and not self._press.dragging
        self._press = None
        self.viewport().unsetCursor()
        if clicked and event.button() == Qt.MouseButton.LeftButton:
            adding = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            pick = selection.toggled if adding else selection.clicked
            self._pick(pick(self.selected, self.boxes_under(event.pos())))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        index = self._top_under(event.pos())
        if index is None:
            self.fit()
        else:
            self.activated.emit(index)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._top_under(event.pos())
            detection = None if index is None else self._scene.boxes.detection(index)
            QToolTip.showText(event.globalPos(), "" if detection is None else described(detection), self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._pointer = None
            self._set_hovered(None)
        return super().viewportEvent(event)

    @property
    def _lively(self) -> frozenset[int]:
        hovered = self._scene.boxes.hovered
        return self.selected if hovered is None else self.selected | {hovered}

    def _pick(self, indices: frozenset[int]) -> None:
        if indices != self.selected:
            self.select(indices)
            self.selection_changed.emit(indices)

    def _top_under(self, position: QPoint) -> int | None:
        return next(iter(self.boxes_under(position)), None)

    def _set_hovered(self, index: int | None) -> None:
        if index != self._scene.boxes.hovered:
            self.highlight(index)
            self.hovered.emit(index)

    def _moved(self) -> None:
        """Other parts are seen: labels move along with the image and are placed anew, many of them a little later."""
        if len(self._scene.boxes.detections) <= _PLACED_AT_ONCE:
            self._labels_stale = True
        else:
            self._labels_timer.start()
        self._minimap.show_seen(self._zoom.seen)
        self._minimap.setVisible(not self._zoom.shows_everything)
        corner = self.viewport().rect().bottomRight() - self._minimap.rect().bottomRight()
        self._minimap.move(corner - QPoint(2 * GRID, 2 * GRID))

    def _settle(self) -> None:
        self._labels_stale = True
        self.viewport().update()

    def _place_labels(self) -> None:
        if self._labels_stale:
            seen = QRectF(self.viewport().rect())
            self._labels.place(self._scene.boxes.detections, self._lively, self.viewportTransform(), seen)
            self._labels_stale = False
