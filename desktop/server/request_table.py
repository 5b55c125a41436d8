"""The table of requests that the server answered, newest first."""

from __future__ import annotations

import time

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtGui import QColor, QShowEvent
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.server import AnsweredRequest
from desktop.style.columns import Column, ColumnModel
from desktop.style.i18n import tr
from desktop.style.theme import GRID, current_theme, hint_font

TIME, CLIENT, ENDPOINT, IMAGES, TOKENS, MS, STATUS = range(7)
_WIDEST = {TIME: "00:00:00", CLIENT: "127.0.0.1", IMAGES: "16", TOKENS: "00,000", MS: "0,000", STATUS: "200"}
_LONGEST_CLIENT = len("192.168.100.100")
_PADDING = GRID + 2
_SCROLL_BAR = GRID + 2  # as in the style sheet
_NARROW = "QTableView::item { padding: 0 1px; } QHeaderView::section { padding: 4px 3px; }"


class RequestTable(QTableView):
    """One row a request, the newest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = ColumnModel(_columns())
        self._widths: dict[int, int] = {}
        self.setObjectName("requestTable")
        self.setAccessibleName(tr("Requests"))
        self.setModel(self._rows)
        self.setFont(hint_font())
        self.setStyleSheet(_NARROW)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self._set_up_headers()
        self._measure_columns()

    def show_requests(self, requests: tuple[AnsweredRequest, ...]) -> None:
        """Show these rows."""
        self._rows.show_rows(requests)
        widest = self._widest_client()
        if widest > self._widths[CLIENT]:
            self._widths[CLIENT] = widest
            self._size_columns()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._measure_columns()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure with the fonts of the style sheet, which the header has from now on."""
        super().showEvent(event)
        self._measure_columns()

    def _set_up_headers(self) -> None:
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        vertical.setDefaultSectionSize(3 * GRID)
        horizontal.setHighlightSections(False)
        horizontal.setMinimumSectionSize(3 * GRID)
        horizontal.setSectionResizeMode(ENDPOINT, QHeaderView.ResizeMode.Stretch)

    def _measure_columns(self) -> None:
        """Make each column as wide as its title and the widest text that it usually has."""
        header, metrics = self.horizontalHeader(), self.fontMetrics()
        assert header is not None
        for column in range(self._rows.columnCount()):
            text = metrics.horizontalAdvance(_WIDEST.get(column, "")) + _PADDING
            self._widths[column] = max(text, header.sectionSizeHint(column))
        self._widths[CLIENT] = max(self._widths[CLIENT], self._widest_client())
        self._size_columns()

    def _widest_client(self) -> int:
        clients = {request.client[:_LONGEST_CLIENT] for request in self._rows.rows}
        return max((self.fontMetrics().horizontalAdvance(client) for client in clients), default=0) + _PADDING

    def _size_columns(self) -> None:
        for column, width in self._widths.items():
            self.setColumnWidth(column, width)
        self.setMinimumWidth(sum(self._widths.values()) + 2 * self.frameWidth() + _SCROLL_BAR)


def _columns() -> tuple[Column[AnsweredRequest], ...]:
    right, tip = Qt.AlignmentFlag.AlignRight, {Qt.ItemDataRole.ToolTipRole: _tip}
    return (
        Column(tr("Time"), lambda request: time.strftime("%H:%M:%S", time.localtime(request.started)), roles=tip),
        Column(tr("Client"), lambda request: request.client, roles=tip),
        Column(tr("Endpoint"), lambda request: request.path.rstrip("/").rpartition("/")[2] or "/", roles=tip),
        Column(tr("Images"), lambda request: f"{request.images:,}", right, tip),
        Column(tr("Tokens"), lambda request: f"{request.tokens:,}", right, tip),
        Column(tr("ms"), lambda request: f"{request.ms:,.0f}", right, tip),
        Column(
            tr("Status"), lambda request: f"{request.status:,}", right, {**tip, Qt.ItemDataRole.ForegroundRole: _ink}
        ),
    )


def _tip(request: AnsweredRequest) -> str:
    return f"{request.method} {request.path} – {request.client}"


def _ink(request: AnsweredRequest) -> QColor | None:
    if request.status < 400:
        return None
    theme = current_theme()
    return QColor(theme.danger if request.status >= 500 else theme.warning)
