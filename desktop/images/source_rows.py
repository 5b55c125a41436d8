"""The list of images as Qt sees it: what is added or leaves does not disturb what is selected."""

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
"""Thumbnails in memory, of some 50 KB each."""


class Listable(Protocol):
    """What a row tells of a source."""

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
    """One row an image: its thumbnail, its name and what its mark says.

    Qt keeps count of the rows by itself, so that laying out 50,000 of them calls no Python.
    """

    def __init__(self) -> None:
        super().__init__(0, 1)
        self._sources: list[Listable] = []
        self._ids: set[int] = set()
        self._marks = Marks.of_none(0)
        self._looks: OrderedDict[int, QPixmap | str] = OrderedDict()

    def show_sources(self, sources: Sequence[Listable]) -> None:
        """Show this list; rows that were shown before stay themselves where that is easily done."""
        staying = set(map(id, sources))
        leaving = [row for row, source in enumerate(self._sources) if id(source) not in staying]
        remaining = [source for source in self._sources if id(source) in staying]
        first, more = _common_start(remaining, sources), len(sources) - len(remaining)
        fits = more >= 0 and all(map(_is, remaining[first:], sources[first + more :]))
        self._ids = staying
        self._looks = OrderedDict((key, look) for key, look in self._looks.items() if key in staying)
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
        """Show what is known of each image; the view repaints what is visible."""
        self._marks = marks

    def show_look(self, source: object, look: QImage | str) -> None:
        """Show an image's thumbnail, or keep why it has none."""
        if id(source) not in self._ids:
            return
        self._looks[id(source)] = look if isinstance(look, str) else QPixmap.fromImage(look)
        self._looks.move_to_end(id(source))
        if len(self._looks) > _MOST_THUMBNAILS:
            self._looks.popitem(last=False)

    def without_look(self, rows: range) -> list[object]:
        """The sources of these rows that were not looked at yet, in their order."""
        sources = self._sources[rows.start : rows.stop]
        for source in sources:
            if id(source) in self._looks:
                self._looks.move_to_end(id(source))
        return [source for source in sources if id(source) not in self._looks]

    def name(self, row: int) -> str:
        """What to call it."""
        return self._sources[row].name

    def thumbnail(self, row: int) -> QPixmap | None:
        """The thumbnail, if there is one yet."""
        look = self._looks.get(id(self._sources[row]))
        return look if isinstance(look, QPixmap) else None

    def count(self, row: int) -> int:
        """How many detections are shown in it, or UNKNOWN_COUNT."""
        return int(self._marks.counts[row]) if row < len(self._marks.counts) else UNKNOWN_COUNT

    def is_reviewed(self, row: int) -> bool:
        """Whether a person is done with it."""
        return bool(self._flags(row) & REVIEWED)

    def is_unreadable(self, row: int) -> bool:
        """Whether it could not be opened."""
        return bool(self._flags(row) & UNREADABLE) or bool(self._problem(row))

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name; the tool tip and what a screen reader says tell more."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self._sources[at.row()].name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(self._told(at.row(), _place(self._sources[at.row()])))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(self._told(at.row(), self._sources[at.row()].name))
        return None

    def flags(self, at: QModelIndex) -> Qt.ItemFlags:
        """Rows are chosen, never edited: an editable one would switch input methods on, which swallow keys."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def _told(self, row: int, name: str) -> list[str]:
        told = [name]
        if self.is_unreadable(row):
            told.append(self._problem(row) or tr("This image cannot be opened."))
        elif self.count(row) != UNKNOWN_COUNT:
            told.append(tr_count("{count} detection", "{count} detections", self.count(row)))
        if self.is_reviewed(row):
            told.append(tr("reviewed"))
        return told

    def _flags(self, row: int) -> int:
        return int(self._marks.flags[row]) if row < len(self._marks.flags) else 0

    def _problem(self, row: int) -> str:
        look = self._looks.get(id(self._sources[row]))
        return look if isinstance(look, str) else ""


def _place(source: Listable) -> str:
    """A path or an address as it can be shown; what was pasted has only a name."""
    if source.kind not in {"path", "url"}:
        return source.name
    return source.location.encode("utf-8", "replace").decode()


def _common_start(one: Sequence[object], other: Sequence[object]) -> int:
    """How many things at the start of both are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (first, second) in pairs if first is not second), min(len(one), len(other)))


def _is(one: object, other: object) -> bool:
    return one is other
