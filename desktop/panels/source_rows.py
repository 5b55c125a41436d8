"""The list of images as Qt sees it: what is added or leaves does not disturb what is selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PyQt5.QtCore import QAbstractListModel, QModelIndex, Qt

NOTHING = QModelIndex()
_MOST_SINGLE_REMOVALS = 50


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str:
        """What to call it."""


class SourceRows(QAbstractListModel):
    """One row an image."""

    def __init__(self) -> None:
        super().__init__()
        self._sources: list[Named] = []

    def show_sources(self, sources: Sequence[Named]) -> None:
        """Show this list; rows that were shown before stay themselves where that is easily done."""
        staying = set(map(id, sources))
        leaving = [row for row, source in enumerate(self._sources) if id(source) not in staying]
        remaining = [source for source in self._sources if id(source) in staying]
        grows = len(leaving) <= _MOST_SINGLE_REMOVALS and _is_start(remaining, sources)
        if not (grows and remaining):
            self.beginResetModel()
            self._sources = list(sources)
            self.endResetModel()
            return
        for row in reversed(leaving):
            self.beginRemoveRows(NOTHING, row, row)
            del self._sources[row]
            self.endRemoveRows()
        if len(sources) > len(remaining):
            self.beginInsertRows(NOTHING, len(remaining), len(sources) - 1)
            self._sources = list(sources)
            self.endInsertRows()

    def rowCount(self, parent: QModelIndex = NOTHING) -> int:
        """How many there are."""
        return 0 if parent.isValid() else len(self._sources)

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name."""
        wanted = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        return self._sources[at.row()].name if wanted and at.isValid() else None


def _is_start(start: Sequence[object], whole: Sequence[object]) -> bool:
    return len(start) <= len(whole) and all(one is other for one, other in zip(start, whole, strict=False))
