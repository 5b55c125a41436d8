"""The detections of an image as Qt sees them, with what was decided about each."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PyQt5.QtGui import QColor, QFont, QIcon

from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.swatch import class_swatch
from desktop.style.theme import current_theme, number_font, text_font
from engine.detect.detection import Detection
from engine.review.decision import Decision, Status
from engine.review.merge import Reviewed

LABEL, SCORE, BOX, STATUS = range(4)
NOTHING = QModelIndex()
_NONE: frozenset[int] = frozenset()


_ROLES = frozenset(
    {
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.TextAlignmentRole,
        Qt.ItemDataRole.FontRole,
        Qt.ItemDataRole.ForegroundRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.AccessibleTextRole,
        Qt.ItemDataRole.DecorationRole,
    }
)


class DetectionRows(QAbstractTableModel):
    """One row a detection, best score first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._reviewed: Reviewed | None = None
        self._orphans = _NONE
        self._swatches: dict[str, QIcon] = {}
        self._fonts = {column: number_font() for column in (SCORE, BOX)} | {LABEL: text_font(), STATUS: _bold()}
        self._icons = {
            Status.ACCEPTED: icon("check", "success"),
            Status.REJECTED: icon("x", "danger"),
            Status.ADDED: icon("plus", "link"),
        }

    def show_reviewed(self, reviewed: Reviewed | None) -> None:
        """Other rows."""
        self.beginResetModel()
        self._reviewed = reviewed
        self._orphans = _NONE if reviewed is None else reviewed.orphans
        self.endResetModel()

    def index_of(self, row: int) -> int:
        """The `Detection.index` of a row."""
        assert self._reviewed is not None
        return int(self._reviewed.shown.indices[row])

    def rows_of(self, indices: frozenset[int]) -> list[int]:
        """The rows of these detections, from top to bottom."""
        if self._reviewed is None or not indices:
            return []
        return [row for row, index in enumerate(self._reviewed.shown.indices.tolist()) if index in indices]

    def rowCount(self, parent: QModelIndex = NOTHING) -> int:
        """How many detections are shown."""
        return 0 if parent.isValid() or self._reviewed is None else len(self._reviewed.shown)

    def columnCount(self, parent: QModelIndex = NOTHING) -> int:
        """Label, score, box, status."""
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the columns are called."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Label"), tr("Score"), tr("x, y, width, height"), "")[section]
        if section == STATUS and role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return tr("What was decided")
        return None

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What stands in a cell, and how."""
        if role not in _ROLES or self._reviewed is None or not at.isValid():
            return None
        column = at.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        index = self.index_of(at.row())
        decision = self._reviewed.decisions.get(index)
        if role == Qt.ItemDataRole.FontRole:
            return self._font(column, decision)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(column, decision)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(column, index, decision, role)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._drawn(column, index, decision, at.row())
        return self._text(column, index, self._reviewed.shown[at.row()], decision)

    def _text(self, column: int, index: int, detection: Detection, decision: Decision | None) -> str:
        if column == LABEL:
            return detection.label
        if column == SCORE:
            is_added = decision is not None and decision.status is Status.ADDED
            return "–" if is_added else f"{detection.score:.2f}"
        if column == STATUS:
            return "?" if index in self._orphans else ""
        xmin, ymin, xmax, ymax = detection.box
        return f"{xmin:.0f}, {ymin:.0f}, {xmax - xmin:.0f}, {ymax - ymin:.0f}"

    def _font(self, column: int, decision: Decision | None) -> QFont:
        font = self._fonts[column]
        if decision is None or decision.status is not Status.REJECTED or column == STATUS:
            return font
        struck = QFont(font)
        struck.setStrikeOut(True)
        return struck

    def _colour(self, column: int, decision: Decision | None) -> QColor | None:
        if column == STATUS:
            return QColor(current_theme().warning)
        is_rejected = decision is not None and decision.status is Status.REJECTED
        return QColor(current_theme().text_muted) if is_rejected else None

    def _drawn(self, column: int, index: int, decision: Decision | None, row: int) -> QIcon | None:
        assert self._reviewed is not None
        if column == LABEL:
            return self._swatch(self._reviewed.shown.label_of(int(self._reviewed.shown.label_ids[row])))
        is_signed = column == STATUS and decision is not None and index not in self._orphans
        return self._icons[decision.status] if decision is not None and is_signed else None

    def _words(self, column: int, index: int, decision: Decision | None, role: int) -> str | None:
        """The tool tip; to a screen reader only the status, where nothing else is written."""
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _status_words(decision, index in self._orphans) if column == STATUS else None
        if column == STATUS:
            return _status_words(decision, index in self._orphans)
        return _change_words(decision)

    def _swatch(self, label: str) -> QIcon:
        if label not in self._swatches:
            self._swatches[label] = class_swatch(label)
        return self._swatches[label]


def _status_words(decision: Decision | None, is_orphan: bool) -> str:
    if decision is None:
        return tr("Undecided")
    words = {
        Status.ACCEPTED: (tr("Accepted"), tr("Accepted; the present model does not find it")),
        Status.REJECTED: (tr("Rejected"), tr("Rejected; the present model does not find it")),
        Status.ADDED: (tr("Added"), tr("Added")),
    }
    return words[decision.status][is_orphan]


def _change_words(decision: Decision | None) -> str | None:
    if decision is None or decision.original is None or not (decision.relabelled or decision.moved):
        return None
    former = decision.original
    if decision.relabelled:
        return tr("{label} (was {former} {score:.2f})", label=decision.label, former=former.label, score=former.score)
    return tr("{label} {score:.2f}, moved", label=decision.label, score=former.score)


def _bold() -> QFont:
    font = text_font()
    font.setBold(True)
    return font


def _alignment(column: int) -> int:
    align = Qt.AlignmentFlag
    side = {LABEL: align.AlignLeft, STATUS: align.AlignHCenter}.get(column, align.AlignRight)
    return int(side | align.AlignVCenter)
