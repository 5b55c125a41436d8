"""Painting a row of the image list: thumbnail, name and marks."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, QObject, QPoint, QRect, QSize, Qt
from PyQt5.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPixmap
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.images.source_rows import SourceRows
from desktop.state.viewer import UNKNOWN_COUNT
from desktop.style.i18n import tr
from desktop.style.icons import IconColour, icon
from desktop.style.theme import GRID, current_theme, hint_font

THUMBNAIL = QSize(8 * GRID, 6 * GRID)
ROW_HEIGHT = THUMBNAIL.height() + 2 * GRID
_SMALL = GRID // 2
_SIGN, _LARGE_SIGN = 14, 20
_CORNER = 4.0


class SourceDelegate(QStyledItemDelegate):
    """Paints the rows of a `SourceRows`."""

    def __init__(self, rows: SourceRows, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self._icons: dict[tuple[str, IconColour], QIcon] = {}
        self._hint = hint_font()

    def sizeHint(self, option: QStyleOptionViewItem, at: QModelIndex) -> QSize:
        """The same for every row."""
        return QSize(THUMBNAIL.width() + 12 * GRID, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, at: QModelIndex) -> None:
        """Background as the style has it, the rest by hand."""
        self._paint_background(painter, option, at)
        row, area = at.row(), option.rect.adjusted(_SMALL, 0, -GRID, 0)
        frame = QRect(QPoint(area.left(), area.top() + GRID), THUMBNAIL)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_thumbnail(painter, frame, row)
        self._paint_text(painter, option, area.adjusted(THUMBNAIL.width() + GRID, GRID, 0, -GRID), row)
        painter.restore()

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem, at: QModelIndex) -> None:
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, at)
        plain.text = ""
        style = plain.widget.style() if plain.widget is not None else None
        if style is not None:
            style.drawControl(QStyle.ControlElement.CE_ItemViewItem, plain, painter, plain.widget)

    def _paint_thumbnail(self, painter: QPainter, frame: QRect, row: int) -> None:
        thumbnail = self._rows.thumbnail(row)
        if thumbnail is not None:
            painter.drawPixmap(_fitted(thumbnail, frame), thumbnail)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(current_theme().hover))
        painter.drawRoundedRect(frame, _CORNER, _CORNER)
        name = "triangle-alert" if self._rows.is_unreadable(row) else "image"
        sign = QRect(QPoint(), QSize(_LARGE_SIGN, _LARGE_SIGN))
        sign.moveCenter(frame.center())
        self._icon(name, "text_muted").paint(painter, sign)

    def _paint_text(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, row: int) -> None:
        name_metrics, hint_metrics = QFontMetrics(option.font), QFontMetrics(self._hint)
        known = self._rows.is_unreadable(row) or self._rows.is_reviewed(row) or self._rows.count(row) != UNKNOWN_COUNT
        height = name_metrics.height() + (_SMALL + hint_metrics.height() if known else 0)
        top = area.top() + (area.height() - height) // 2
        name = name_metrics.elidedText(self._rows.name(row), option.textElideMode, area.width())
        painter.setFont(option.font)
        painter.setPen(QColor(current_theme().text))
        painter.drawText(area.left(), top + name_metrics.ascent(), name)
        line = QRect(area.left(), top + name_metrics.height() + _SMALL, area.width(), hint_metrics.height())
        painter.setFont(self._hint)
        self._paint_marks(painter, line, row)

    def _paint_marks(self, painter: QPainter, line: QRect, row: int) -> None:
        if self._rows.is_unreadable(row):
            line = self._paint_mark(painter, line, "triangle-alert", tr("unreadable"), "danger")
        elif self._rows.count(row) != UNKNOWN_COUNT:
            line = self._paint_mark(painter, line, "", f"{self._rows.count(row):,}", "text_muted")
        if self._rows.is_reviewed(row):
            self._paint_mark(painter, line, "check", tr("reviewed"), "success")

    def _paint_mark(self, painter: QPainter, line: QRect, sign: str, text: str, colour: IconColour) -> QRect:
        """Paint an icon and a word, and return the rest of the line."""
        if sign:
            square = QRect(line.left(), line.center().y() - _SIGN // 2 + 1, _SIGN, _SIGN)
            self._icon(sign, colour).paint(painter, square)
            line = line.adjusted(_SIGN + _SMALL, 0, 0, 0)
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, line.width()))
        painter.setPen(QColor(str(getattr(current_theme(), colour))))
        painter.drawText(line.left(), line.top() + metrics.ascent(), shown)
        return line.adjusted(metrics.horizontalAdvance(shown) + GRID, 0, 0, 0)

    def _icon(self, name: str, colour: IconColour) -> QIcon:
        if (name, colour) not in self._icons:
            self._icons[name, colour] = icon(name, colour)
        return self._icons[name, colour]


def _fitted(thumbnail: QPixmap, frame: QRect) -> QRect:
    """Return the centred rectangle that a thumbnail fits; a small one is not enlarged."""
    size = thumbnail.size()
    if size.width() > frame.width() or size.height() > frame.height():
        size.scale(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
    fitted = QRect(QPoint(), size.expandedTo(QSize(1, 1)))
    fitted.moveCenter(frame.center())
    return fitted
