"""The model of the table of classes: shown or hidden, counts, thresholds of single classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PyQt5.QtCore import QObject, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon

from desktop.style.columns import Column, ColumnModel
from desktop.style.i18n import tr
from desktop.style.swatch import class_swatch
from desktop.style.theme import current_theme, number_font
from engine.review.refine import Refinement

NAME, HERE, SESSION, THRESHOLD = range(4)
_ROLE, _RIGHT = Qt.ItemDataRole, Qt.AlignmentFlag.AlignRight
_Roles = dict[Any, Callable[[str], Any]]


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """What the table shows of the classes.

    Attributes:
        here: By name, how many detections pass in the shown image; absent ones are 0.
        session: By name, how many pass in the whole session.
        present: Names of the classes with detections in the session, whether or not they pass.
        threshold: The general threshold, 0..1.
        refinement: What is hidden, and the thresholds of single classes.
    """

    here: Mapping[str, int] = field(default_factory=dict)
    session: Mapping[str, int] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    threshold: float = 0.5
    refinement: Refinement = field(default_factory=Refinement)


class ClassModel(ColumnModel[str]):
    """One row a class, by its name.

    Signals:
        refinement_chosen(Refinement): A class was hidden or shown, or given a threshold.
    """

    refinement_chosen = pyqtSignal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(self._make_columns(), key=str, parent=parent)
        self._counts = ClassCounts()
        self._swatches: dict[str, QIcon] = {}
        self.edited.connect(self._on_edited)

    def show_counts(self, counts: ClassCounts) -> None:
        """Show other numbers of the same classes; only columns that may look different are painted again."""
        former, self._counts = self._counts, counts
        if (former.present, former.refinement) != (counts.present, counts.refinement):
            self.refresh()
        elif self.rows and (former.here, former.session) != (counts.here, counts.session):
            self.dataChanged.emit(self.index(0, HERE), self.index(len(self.rows) - 1, SESSION))

    def toggle(self, name: str) -> None:
        """Hide a class that is shown, or show one that is hidden."""
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
        """Set the threshold of a class, 0..1; `None` makes it follow the general one."""
        refinement = self._counts.refinement
        if refinement.class_thresholds.get(name) == threshold:
            return
        others = {other: kept for other, kept in refinement.class_thresholds.items() if other != name}
        own = {} if threshold is None else {name: threshold}
        self.refinement_chosen.emit(replace(refinement, class_thresholds={**others, **own}))

    def threshold_of(self, name: str) -> float:
        """Return the threshold that applies to a class."""
        return self._counts.refinement.threshold_of(name, self._counts.threshold)

    def has_own_threshold(self, name: str) -> bool:
        """Return whether a class does not follow the general threshold."""
        return name in self._counts.refinement.class_thresholds

    def _make_columns(self) -> tuple[Column[str], ...]:
        font = number_font()
        number: _Roles = {
            _ROLE.FontRole: lambda name: font,
            _ROLE.ForegroundRole: self._count_colour,
            _ROLE.ToolTipRole: str,
        }
        named: _Roles = {
            _ROLE.ForegroundRole: self._count_colour,
            _ROLE.CheckStateRole: self._check_state,
            _ROLE.DecorationRole: self._swatch,
            _ROLE.ToolTipRole: str,
        }
        threshold: _Roles = {
            _ROLE.FontRole: lambda name: font,
            _ROLE.ForegroundRole: self._threshold_colour,
            _ROLE.ToolTipRole: self._threshold_tip,
        }
        tip = _ROLE.ToolTipRole
        return (
            Column(
                tr("Class"),
                str,
                roles=named,
                header_roles={tip: tr("Clear the box to hide a class; Alt+click shows it alone")},
                flags=lambda name: Qt.ItemFlag.ItemIsUserCheckable,
            ),
            Column(
                tr("Here"),
                lambda name: f"{self._counts.here.get(name, 0):,}",
                _RIGHT,
                number,
                {tip: tr("Shown in this image")},
            ),
            Column(
                tr("Session"),
                lambda name: f"{self._counts.session.get(name, 0):,}",
                _RIGHT,
                number,
                {tip: tr("Found by the model above the threshold, in the whole session")},
            ),
            Column(
                tr("Threshold"),
                lambda name: f"{self.threshold_of(name):.2f}" if self.has_own_threshold(name) else tr("as all"),
                _RIGHT,
                threshold,
                {tip: tr("Scores must be greater than this")},
                flags=lambda name: Qt.ItemFlag.ItemIsEditable,
            ),
        )

    def _on_edited(self, name: str, column: int, _: object) -> None:
        if column == NAME:
            self.toggle(name)

    def _check_state(self, name: str) -> Qt.CheckState:
        return Qt.CheckState.Checked if self._counts.refinement.shows(name) else Qt.CheckState.Unchecked

    def _count_colour(self, name: str) -> QColor:
        theme, counts = current_theme(), self._counts
        is_active = name in counts.present and counts.refinement.shows(name)
        return QColor(theme.text if is_active else theme.text_muted)

    def _threshold_colour(self, name: str) -> QColor:
        theme = current_theme()
        return QColor(theme.link if self.has_own_threshold(name) else theme.text_muted)

    def _threshold_tip(self, name: str) -> str:
        if self.has_own_threshold(name):
            return tr("A threshold of its own: click to change it, Delete to take it away")
        return tr("Same as all ({threshold:.2f}): click to give it its own", threshold=self._counts.threshold)

    def _swatch(self, name: str) -> QIcon:
        if name not in self._swatches:
            self._swatches[name] = class_swatch(name)
        return self._swatches[name]
