"""The canvas: displays the image with its boxes and handles mouse and keys."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PyQt5.QtWidgets import QGraphicsView, QWidget

from desktop.canvas import selection
from desktop.canvas.box_drawing import BoxDrawing
from desktop.canvas.display import DisplaySettings
from desktop.canvas.editing_keys import EditingKeys
from desktop.canvas.foreground import Foreground
from desktop.canvas.gesture import Gesture, as_rect, paint_notice
from desktop.canvas.marks import NOTHING, BoxMarks
from desktop.canvas.minimap import Minimap
from desktop.canvas.mouse import Mouse
from desktop.canvas.pointer_tip import PointerTip
from desktop.canvas.reshaper import Reshaper
from desktop.canvas.scene import ImageScene
from desktop.canvas.zoom import STEP, Zoom
from desktop.style.i18n import tr
from desktop.style.theme import current_theme, hint_font
from engine.detect.detection import Box, Detections

_WHEEL_NOTCH = 120


class ImageView(QGraphicsView):
    """Displays values and reports what the user did with them.

    Signals:
        selection_changed(frozenset[int]): The user selected these detections, by index; `select` does not emit it.
        hovered(int | None): The detection under the pointer.
        activated(int): The user double-clicked this detection.
        box_drawn(Box): The user drew a box: xyxy, pixels of the image.
        boxes_reshaped(dict[int, Box]): The user moved or resized these detections, by index; emitted once at the end.
        drawing_changed(bool): Whether a box is being drawn, or about to be.
        zoom_changed(float): 1.0 is a pixel of the image to a logical pixel of the screen.
    """

    selection_changed = pyqtSignal(object)
    hovered = pyqtSignal(object)
    activated = pyqtSignal(int)
    box_drawn = pyqtSignal(object)
    boxes_reshaped = pyqtSignal(object)
    drawing_changed = pyqtSignal(bool)
    zoom_changed = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = ImageScene(self)
        self._boxes = self._scene.boxes
        self._zoom = Zoom(self)
        self._foreground = Foreground(self._boxes, self)
        self._drawing = BoxDrawing(self)
        self._reshaper = Reshaper(self._boxes, self)
        self._mouse = Mouse(self, self._scene, self._zoom, self._reshaper, self._drawing)
        self._keys = EditingKeys(self._mouse, self._drawing, self._reshaper)
        self._minimap = Minimap(self.viewport())
        self._gesture = Gesture(self._mouse, self._drawing, self._reshaper, self._boxes, PointerTip(self.viewport()))
        self._configure()
        self._connect()

    def show_image(self, image: QImage | None) -> None:
        """Show `image` fitted and without boxes, or nothing. An image that lies on a buffer must keep it alive."""
        self._mouse.cancel()
        self._reshaper.drop_all()
        self._scene.show_image(image)
        self.select(NOTHING)
        self._zoom.start(self._scene.image_rect)
        pyramid = self._scene.image.pyramid
        if pyramid is not None:
            self._minimap.show_image(pyramid.preview, pyramid.size)
        self._moved()

    def show_detections(self, detections: Detections) -> None:
        """Show these boxes in place of the former ones; fast enough to follow a slider."""
        self._scene.show_detections(detections)
        self._reshaper.reapply()
        hovered = self._boxes.hovered
        if hovered is not None and self._boxes.detection(hovered) is None:
            self._set_hovered(None)
        self._foreground.place_anew()
        self._gesture.describe()

    def select(self, indices: frozenset[int]) -> None:
        """Draw the detections of these indices as selected."""
        if indices != self.selected:
            self._boxes.selected = indices
            self._foreground.place_anew()

    def highlight(self, index: int | None) -> None:
        """Draw a detection as if the pointer were on it."""
        self._boxes.hovered = index
        self._foreground.show_label(index)
        self.viewport().update()

    def mark(
        self,
        rejected: frozenset[int],
        added: frozenset[int],
        accepted: frozenset[int] = NOTHING,
        orphans: frozenset[int] = NOTHING,
    ) -> None:
        """Draw decisions: rejected detections dashed, dim and struck out; the others with a sign each.

        Args:
            rejected, accepted: Indices of detections that a person decided about.
            added: Indices of boxes that a person drew: a dot, and no score.
            orphans: Indices of what was decided about and the present model did not find: dotted, a question mark.
        """
        marks = BoxMarks(rejected, added, accepted, orphans)
        if marks != self._boxes.marks:
            self._boxes.mark(marks)
            self._foreground.place_anew()
            self._gesture.describe()

    def set_boxes_visible(self, visible: bool) -> None:
        """Show or hide all boxes with their labels; hidden boxes cannot be clicked."""
        self._boxes.setVisible(visible)
        self._set_hovered(None)
        self.viewport().update()

    def set_editable(self, editable: bool) -> None:
        """Let the user draw, move and resize boxes, or not."""
        self._reshaper.is_editable = editable
        if not editable:
            self._mouse.cancel()
            self._reshaper.cancel()

    def set_display(self, display: DisplaySettings) -> None:
        """Set brightness, contrast and opacity; the model does not use them."""
        self._scene.image.set_display(display)
        self._boxes.setOpacity(display.box_opacity)
        self._foreground.label_opacity = display.label_opacity
        self.viewport().update()

    def start_drawing(self) -> None:
        """Let the user draw one box, if there is an image and it may be changed."""
        image = self._scene.image_rect
        if not image.isEmpty() and self._reshaper.is_editable:
            self.finish_editing()
            self.set_boxes_visible(True)
            self._drawing.start((image.width(), image.height()))
            self._set_hovered(None)
            self._mouse.refresh()

    @property
    def unnamed(self) -> Box | None:
        """The new box that has no class yet."""
        return self._gesture.unnamed

    def show_unnamed(self, box: Box | None) -> None:
        """Draw a new box that has no class yet, or none."""
        self._gesture.unnamed = box
        self.viewport().update()

    def cancel_drawing(self) -> bool:
        """Cancel the box that is drawn or the drag that changes or selects boxes; return whether there was any."""
        return self._mouse.cancel()

    def nudge(self, dx: float, dy: float, resize: bool = False) -> None:
        """Move the selected boxes, or their right and bottom edges, by this many image pixels.

        The change is reported when the key is released, the focus is lost, or no other nudge follows soon.
        """
        self._reshaper.nudge(dx, dy, resize)

    def finish_editing(self) -> None:
        """Report nudges that were not reported yet; to be called before another image is shown."""
        if not self._reshaper.is_dragging:
            self._reshaper.finish()

    @property
    def is_drawing(self) -> bool:
        """Whether a box is being drawn, or about to be."""
        return self._drawing.is_active

    @property
    def boxes_visible(self) -> bool:
        """Whether boxes are drawn."""
        return self._boxes.isVisible()

    @property
    def selected(self) -> frozenset[int]:
        """Indices of the selected detections."""
        return self._boxes.selected

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
        """Scroll a detection into view."""
        detection = self._boxes.detection(index)
        if detection is not None:
            self._zoom.show_rect(as_rect(detection.box))

    def focus_box(self, index: int) -> None:
        """Centre a detection, zoomed so that it can be judged."""
        detection = self._boxes.detection(index)
        if detection is not None:
            self._zoom.focus(as_rect(detection.box))

    def next_under_pointer(self) -> None:
        """Select the next of the boxes under the pointer."""
        if self._mouse.position is not None:
            self.finish_editing()
            self._pick(selection.next_of(self.selected, self.boxes_under(self._mouse.position)))

    def boxes_under(self, position: QPoint) -> list[int]:
        """Return the indices of the shown boxes at `position` of the viewport, smallest first."""
        return self._mouse.under(position)

    def label_rects(self) -> dict[int, QRectF]:
        """Return the rectangles of labels in the viewport, by the index of their detection."""
        return self._foreground.rects(self.viewportTransform(), QRectF(self.viewport().rect()))

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
        self._foreground.set_font(hint_font())

    def _connect(self) -> None:
        self._foreground.changed.connect(self.viewport().update)
        self._zoom.changed.connect(self._moved)
        self._zoom.changed.connect(self.zoom_changed)
        self._minimap.moved.connect(self._zoom.centre_at)
        self._mouse.picked.connect(self._pick)
        self._mouse.pointed.connect(self._set_hovered)
        self._mouse.activated.connect(self._activate)
        self._mouse.changed.connect(self._show_gesture)
        self._drawing.changed.connect(self._show_gesture)
        self._drawing.drawn.connect(self.box_drawn)
        self._drawing.active_changed.connect(self.drawing_changed)
        self._reshaper.previewed.connect(self._show_reshaping)
        self._reshaper.reshaped.connect(self.boxes_reshaped)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        painter.fillRect(rect, QColor(current_theme().canvas))

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        if self.boxes_visible:
            self._foreground.paint(painter, self.viewportTransform(), QRectF(self.viewport().rect()))
        elif not self._scene.image_rect.isEmpty():
            paint_notice(painter, self.viewport().rect(), tr("All boxes are hidden"))
        self._gesture.paint(painter, self.viewportTransform(), self.viewport().rect())

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
            self._foreground.set_font(hint_font())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            notches = event.angleDelta().y() / _WHEEL_NOTCH
            self._zoom.set_at(self.zoom * STEP**notches, event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.finish_editing()
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._mouse.press(event)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._mouse.double_click(event)

    def event(self, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return super().event(event)
        event.setAccepted(self._keys.wants(event))
        return event.isAccepted()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.press(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self._keys.release(event):
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.finish_editing()
        self._mouse.pan_instead(False)
        super().focusOutEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._mouse.leave()
        return super().viewportEvent(event)

    def _pick(self, indices: frozenset[int]) -> None:
        if indices != self.selected:
            self.select(indices)
            self.selection_changed.emit(indices)

    def _activate(self, index: int | None) -> None:
        if index is None:
            self.fit()
        else:
            self.activated.emit(index)

    def _set_hovered(self, index: int | None) -> None:
        if index != self._boxes.hovered:
            self.highlight(index)
            self.hovered.emit(index)

    def _show_reshaping(self) -> None:
        self._foreground.carry(self._reshaper.before, self._reshaper.now)
        self._show_gesture()

    def _show_gesture(self) -> None:
        self._gesture.describe()
        if self._mouse.is_holding or self._reshaper.now:
            self.viewport().update()

    def _moved(self) -> None:
        """Update what depends on the visible part of the image."""
        self._foreground.follow()
        self._mouse.follow()
        self._minimap.show_seen(self._zoom.seen, self._zoom.shows_everything)
