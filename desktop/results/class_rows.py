"""The classes as Qt sees them: shown or hidden, counts, a threshold of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFont, QIcon

from desktop.style.i18n import tr
from desktop.style.swatch import class_swatch
from desktop.style.theme import current_theme, number_font
from engine.review.refine import Refinement

NAME, HERE, SESSION, THRESHOLD = range(4)
NOTHING = QModelIndex()


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """What the list tells of the classes.

    Attributes:
        here: By name, how many pass in the image that is shown; absent ones are 0.
        session: By name, how many pass in the whole session.
        present: Names of classes that the session has detections of, whether or not they pass.
        threshold: The general threshold, 0..1.
        refinement: What is hidden, and the thresholds of single classes.
    """

    here: Mapping[str, int] = field(default_factory=dict)
    session: Mapping[str, int] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    threshold: float = 0.5
    refinement: Refinement = field(default_factory=Refinement)

    def of(self, name: str) -> tuple[int, int]:
        """Return how many of a class pass here and in the session."""
        return self.here.get(name, 0), self.session.get(name, 0)


class ClassRows(QAbstractTableModel):
    """One row a class.

    Signals:
        refinement_chosen(Refinement): A class was hidden or shown, or given a threshold.
    """

    refinement_chosen = pyqtSignal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._names: Sequence[str] = ()
        self._counts = ClassCounts()
        self._swatches: dict[str, QIcon] = {}
        self._number_font: QFont = number_font()

    def show_counts(self, counts: ClassCounts) -> None:
        """Show other numbers of the same classes; only cells whose text or colour may change are painted again."""
        former, self._counts = self._counts, counts
        if not self._names:
            return
        if (former.present, former.refinement) != (counts.present, counts.refinement):
            self.dataChanged.emit(self.index(0, NAME), self.index(len(self._names) - 1, THRESHOLD))
            return
        changed = [row for row, name in enumerate(self._names) if former.of(name) != counts.of(name)]
        if changed:
            self.dataChanged.emit(self.index(changed[0], HERE), self.index(changed[-1], SESSION))

    def show_names(self, names: Sequence[str]) -> None:
        """Other classes, in this order."""
        self.beginResetModel()
        self._names = names
        self.endResetModel()

    @property
    def names(self) -> Sequence[str]:
        """The classes in the order of the rows."""
        return self._names

    def toggle(self, name: str) -> None:
        """Hide a class that is shown, show one that is not."""
        refinement = self._counts.refinement
        if refinement.shows(name):
            solo = None if refinement.solo == name else refinement.solo
            self.refinement_chosen.emit(replace(refinement, hidden=refinement.hidden | {name}, solo=solo))
        else:
            self.refinement_chosen.emit(replace(refinement, hidden=refinement.hidden - {name}, solo=None))

    def toggle_solo(self, name: str) -> None:
        """Show this class alone, or all again."""
        refinement = self._counts.refinement
        solo = None if refinement.solo == name else name
        self.refinement_chosen.emit(replace(refinement, solo=solo, hidden=refinement.hidden - {name}))

    def set_threshold(self, name: str, threshold: float | None) -> None:
        """Give a class a threshold of its own, 0..1; `None`: the same as all."""
        refinement = self._counts.refinement
        if refinement.class_thresholds.get(name) == threshold:
            return
        others = {other: kept for other, kept in refinement.class_thresholds.items() if other != name}
        own = {} if threshold is None else {name: threshold}
        self.refinement_chosen.emit(replace(refinement, class_thresholds={**others, **own}))

    def threshold_of(self, name: str) -> float:
        """The threshold that holds for a class."""
        return self._counts.refinement.threshold_of(name, self._counts.threshold)

    def has_own_threshold(self, name: str) -> bool:
        """Whether the class does not follow the general threshold."""
        return name in self._counts.refinement.class_thresholds

    def rowCount(self, parent: QModelIndex = NOTHING) -> int:
        """How many classes there are."""
        return 0 if parent.isValid() else len(self._names)

    def columnCount(self, parent: QModelIndex = NOTHING) -> int:
        """Name, count here, count in the session, threshold."""
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the columns are called."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Class"), tr("Here"), tr("Session"), tr("Threshold"))[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _header_tips()[section]
        return None

    def flags(self, at: QModelIndex) -> Qt.ItemFlags:
        """Names have a check box, thresholds can be edited."""
        extra = {NAME: Qt.ItemFlag.ItemIsUserCheckable, THRESHOLD: Qt.ItemFlag.ItemIsEditable}
        return super().flags(at) | extra.get(at.column(), Qt.ItemFlag.NoItemFlags)

    def data(self, at: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What stands in a cell."""
        if not at.isValid():
            return None
        name, column = self._names[at.row()], at.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(name, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(name, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(name, column)
        if column != NAME:
            return self._number_font if role == Qt.ItemDataRole.FontRole else None
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if self._counts.refinement.shows(name) else Qt.CheckState.Unchecked
        return self._swatch(name) if role == Qt.ItemDataRole.DecorationRole else None

    def setData(self, at: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The check box was clicked."""
        if role != Qt.ItemDataRole.CheckStateRole or at.column() != NAME:
            return False
        self.toggle(self._names[at.row()])
        return True

    def _text(self, name: str, column: int) -> str:
        if column == NAME:
            return name
        if column == THRESHOLD:
            return f"{self.threshold_of(name):.2f}" if self.has_own_threshold(name) else tr("as all")
        here, session = self._counts.of(name)
        return f"{here if column == HERE else session:,}"

    def _colour(self, name: str, column: int) -> QColor:
        theme = current_theme()
        if column == THRESHOLD and self.has_own_threshold(name):
            return QColor(theme.link)
        is_quiet = column == THRESHOLD or name not in self._counts.present or not self._counts.refinement.shows(name)
        return QColor(theme.text_muted if is_quiet else theme.text)

    def _tip(self, name: str, column: int) -> str:
        if column != THRESHOLD:
            return name
        if self.has_own_threshold(name):
            return tr("A threshold of its own: click to change it, Delete to take it away")
        return tr("Same as all ({threshold:.2f}): click to give it its own", threshold=self._counts.threshold)

    def _swatch(self, name: str) -> QIcon:
        if name not in self._swatches:
            self._swatches[name] = class_swatch(name)
        return self._swatches[name]


def _header_tips() -> tuple[str, ...]:
    return (
        tr("Clear the box to hide a class; Alt+click shows it alone"),
        tr("Shown in this image"),
        tr("Found by the model above the threshold, in the whole session"),
        tr("Scores must be greater than this"),
    )


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignLeft if column == NAME else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)
