"""The item model of the image list; adding and removing images keeps the selection."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

from PyQt5.QtCore import QModelIndex, Qt
from PyQt5.QtGui import QImage, QPixmap, QStandardItemModel

from desktop.state.viewer import REVIEWED, UNKNOWN_COUNT, UNREADABLE, Marks
from desktop.style.i18n import tr, tr_count

_MOST_SINGLE_REMOVALS = 50
_MOST_THUMBNAILS = 1_000
"""Thumbnails kept in memory, of about 50 KB each."""


class Listable(Protocol):
    """The attributes of a source that a row shows."""

    @property
    def kind(self) -> str:
        """`path`, `url`, `data` or `bytes`."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def location(self) -> str:
        """The path or the URL."""


class SourceRows(QStandardItemModel):
    """One row an image: its thumbnail, name and marks.

    A QStandardItemModel, because Qt then lays out 50,000 rows without calling Python.
    """

    def __init__(self) -> None:
        super().__init__(0, 1)
        self._sources: list[Listable] = []
        self._ids: set[int] = set()
        self._marks = Marks.of_none(0)
        self._thumbnails: OrderedDict[int, QPixmap | str] = OrderedDict()

    def show_sources(self, sources: Sequence[Listable]) -> None:
        """Show this list; rows of remaining images are kept unless too many others are removed."""
        staying = set(map(id, sources))
        leaving = [row for row, source in enumerate(self._sources) if id(source) not in staying]
        remaining = [source for source in self._sources if id(source) in staying]
        first, more = _common_start(remaining, sources), len(sources) - len(remaining)
        fits = more >= 0 and all(map(_is, remaining[first:], sources[first + more :]))
        self._ids = staying
        self._thumbnails = OrderedDict((key, kept) for key, kept in self._thumbnails.items() if key in staying)
        if not remaining or not fits or len(leaving) > _MOST_SINGLE_REMOVALS:
            self.setRowCount(0)
            self._sources = list(sources)
            self.setRowCount(len(sources))
            return
        for row in reversed(leaving):
            self.removeRow(row)
            del self._sources[row]
        if more:
            self._sources = list(sources)
            self.insertRows(first, more)

    def show_marks(self, marks: Marks) -> None:
        """Show the marks of each image; the view repaints the visible rows."""
        self._marks = marks

    def set_thumbnail(self, source: object, thumbnail: QImage | str) -> None:
        """Show an image's thumbnail, or the reason why it has none."""
        if id(source) not in self._ids:
            return
        self._thumbnails[id(source)] = thumbnail if isinstance(thumbnail, str) else QPixmap.fromImage(thumbnail)
        self._thumbnails.move_to_end(id(source))
        if len(self._thumbnails) > _MOST_THUMBNAILS:
            self._thumbnails.popitem(last=False)

    def without_thumbnail(self, rows: range) -> list[object]:
        """Return the sources of these rows that have neither a thumbnail nor a reason yet, in order."""
        sources = self._sources[rows.start : rows.stop]
        for source in sources:
            if id(source) in self._thumbnails:
                self._thumbnails.move_to_end(id(source))
        return [source for source in sources if id(source) not in self._thumbnails]

    def name(self, row: int) -> str:
        """What to call it."""
        return self._sources[row].name

    def thumbnail(self, row: int) -> QPixmap | None:
        """Return the thumbnail, if there is one yet."""
        thumbnail = self._thumbnails.get(id(self._sources[row]))
        return thumbnail if isinstance(thumbnail, QPixmap) else None

    def count(self, row: int) -> int:
        """Return how many detections are shown in it, or UNKNOWN_COUNT."""
        return int(self._marks.counts[row]) if row < len(self._marks.counts) else UNKNOWN_COUNT

    def is_reviewed(self, row: int) -> bool:
        """Return whether it is marked as reviewed."""
        return bool(self._flags(row) & REVIEWED)

    def is_unreadable(self, row: int) -> bool:
        """Return whether it could not be opened."""
        return bool(self._flags(row) & UNREADABLE) or bool(self._problem(row))

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name; the tool tip and what a screen reader says tell more."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self._sources[at.row()].name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(self._description(at.row(), _place(self._sources[at.row()])))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(self._description(at.row(), self._sources[at.row()].name))
        return None

    def flags(self, at: QModelIndex) -> Qt.ItemFlags:
        """Return flags without ItemIsEditable, which would enable input methods, and these consume keys."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def _description(self, row: int, name: str) -> list[str]:
        lines = [name]
        if self.is_unreadable(row):
            lines.append(self._problem(row) or tr("This image cannot be opened."))
        elif self.count(row) != UNKNOWN_COUNT:
            lines.append(tr_count("{count} detection", "{count} detections", self.count(row)))
        if self.is_reviewed(row):
            lines.append(tr("reviewed"))
        return lines

    def _flags(self, row: int) -> int:
        return int(self._marks.flags[row]) if row < len(self._marks.flags) else 0

    def _problem(self, row: int) -> str:
        thumbnail = self._thumbnails.get(id(self._sources[row]))
        return thumbnail if isinstance(thumbnail, str) else ""


def _place(source: Listable) -> str:
    """Return a printable path or address; the name for pasted data."""
    if source.kind not in {"path", "url"}:
        return source.name
    return source.location.encode("utf-8", "replace").decode()


def _common_start(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many leading items are identical."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (first, second) in pairs if first is not second), min(len(one), len(other)))


def _is(one: object, other: object) -> bool:
    return one is other
