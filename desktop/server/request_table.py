"""The table of requests that the server answered, newest first."""

from __future__ import annotations

import time
from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.server import AnsweredRequest
from desktop.style.i18n import tr
from desktop.style.theme import GRID, current_theme, hint_font

TIME, CLIENT, ENDPOINT, IMAGES, TOKENS, MS, STATUS = range(7)
NOTHING = QModelIndex()
_WIDEST = {TIME: "00:00:00", CLIENT: "127.0.0.1", IMAGES: "16", TOKENS: "00,000", MS: "0,000", STATUS: "200"}
_LONGEST_CLIENT = len("192.168.100.100")
_PADDING = GRID + 2
_NARROW = "QTableView::item { padding: 0 1px; } QHeaderView::section { padding: 4px 3px; }"


class RequestTable(QTableView):
    """One row a request."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = RequestRows()
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
        self._size_columns()

    def show_requests(self, requests: tuple[AnsweredRequest, ...]) -> None:
        """Show these rows."""
        self._rows.show_requests(requests)
        clients = {request.client[:_LONGEST_CLIENT] for request in requests}
        widest = max((self.fontMetrics().horizontalAdvance(client) for client in clients), default=0) + _PADDING
        if widest > self.columnWidth(CLIENT):
            self.setColumnWidth(CLIENT, widest)

    def _size_columns(self) -> None:
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        vertical.setDefaultSectionSize(3 * GRID)
        horizontal.setHighlightSections(False)
        horizontal.setMinimumSectionSize(3 * GRID)
        for column in range(self._rows.columnCount()):
            texts = _WIDEST.get(column, ""), self._rows.headerData(column, Qt.Orientation.Horizontal)
            self.setColumnWidth(column, max(map(self.fontMetrics().horizontalAdvance, texts)) + _PADDING)
        horizontal.setSectionResizeMode(ENDPOINT, QHeaderView.ResizeMode.Stretch)


class RequestRows(QAbstractTableModel):
    """The requests as Qt sees them."""

    def __init__(self) -> None:
        super().__init__()
        self._requests: tuple[AnsweredRequest, ...] = ()

    def show_requests(self, requests: tuple[AnsweredRequest, ...]) -> None:
        """Show these, adding what is new at the top."""
        more = _count_before(requests, self._requests)
        if more is None:
            self.beginResetModel()
            self._requests = requests
            self.endResetModel()
            return
        fewer = len(self._requests) + more - len(requests)
        if fewer:
            self.beginRemoveRows(NOTHING, len(self._requests) - fewer, len(self._requests) - 1)
            self._requests = self._requests[: len(self._requests) - fewer]
            self.endRemoveRows()
        if more:
            self.beginInsertRows(NOTHING, 0, more - 1)
            self._requests = requests
            self.endInsertRows()

    def rowCount(self, parent: QModelIndex = NOTHING) -> int:
        """How many there are."""
        return 0 if parent.isValid() else len(self._requests)

    def columnCount(self, parent: QModelIndex = NOTHING) -> int:
        """Time, client, endpoint, images, tokens, ms, status."""
        return 0 if parent.isValid() else 7

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the columns are called."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            counts = tr("Images"), tr("Tokens"), tr("ms")
            return (tr("Time"), tr("Client"), tr("Endpoint"), *counts, tr("Status"))[section]
        return None

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """One cell."""
        if not at.isValid():
            return None
        request, column = self._requests[at.row()], at.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(request, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{request.method} {request.path} – {request.client}"
        if role == Qt.ItemDataRole.ForegroundRole and column == STATUS and request.status >= 400:
            theme = current_theme()
            return QColor(theme.danger if request.status >= 500 else theme.warning)
        return None


def _text(request: AnsweredRequest, column: int) -> str:
    if column == TIME:
        return time.strftime("%H:%M:%S", time.localtime(request.started))
    if column == CLIENT:
        return request.client
    if column == ENDPOINT:
        return request.path.rstrip("/").rpartition("/")[2] or "/"
    if column == MS:
        return f"{request.ms:,.0f}"
    return f"{ {IMAGES: request.images, TOKENS: request.tokens, STATUS: request.status}[column]:,}"


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignLeft if column <= ENDPOINT else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def _count_before(requests: tuple[AnsweredRequest, ...], known: tuple[AnsweredRequest, ...]) -> int | None:
    """How many came in front of the rows that are known; `None` where none of those is left."""
    if not known:
        return None
    return next((at for at, request in enumerate(requests) if request is known[0]), None)
