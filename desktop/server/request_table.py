"""The table of requests that the server answered, newest first."""

from __future__ import annotations

import time

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.state.server import AnsweredRequest
from desktop.style.columns import Column, ColumnModel
from desktop.style.i18n import tr
from desktop.style.theme import GRID, current_theme, hint_font

TIME, CLIENT, ENDPOINT, IMAGES, TOKENS, MS, STATUS = range(7)
_WIDEST = {TIME: "00:00:00", CLIENT: "127.0.0.1", IMAGES: "16", TOKENS: "00,000", MS: "0,000", STATUS: "200"}
_LONGEST_CLIENT = len("192.168.100.100")
_PADDING = GRID + 2
_NARROW = "QTableView::item { padding: 0 1px; } QHeaderView::section { padding: 4px 3px; }"


class RequestTable(QTableView):
    """One row a request, the newest first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = ColumnModel(_columns())
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
        self._rows.show_rows(requests)
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
