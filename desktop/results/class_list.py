"""The list of classes: which are shown, how many detections each has, and its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PyQt5.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from desktop.results.class_model import ClassCounts, ClassModel
from desktop.results.class_table_view import ClassTableView
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.theme import GRID
from engine.review.refine import Refinement


class _Search(QLineEdit):
    """A search field that Escape empties before it cancels anything else."""

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._is_own(event):
            self.clear()
        else:
            super().keyPressEvent(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_Escape and bool(self.text())


class ClassList(QWidget):
    """Chooses by class.

    Signals:
        refinement_chosen(Refinement): Classes hidden or shown, or thresholds of single classes.
        class_selected(str | None): The selected class.
    """

    refinement_chosen = pyqtSignal(object)
    class_selected = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown_parts: tuple[object, ...] = ()
        self._names: tuple[str, ...] = ()
        self._present: frozenset[str] = frozenset()
        self._refinement = Refinement()
        self._rows = ClassModel(self)
        self._rows.refinement_chosen.connect(self.refinement_chosen)
        self.table = ClassTableView(self._rows)
        self.table.selected.connect(self._on_selected)
        self.search = self._make_search()
        self._solo = _tool_button("classSoloButton", "eye", tr("Only this"))
        self._solo.setToolTip(tr("Show only the selected class, or all again  (Alt+click)"))
        self._solo.setCheckable(True)
        self._solo.clicked.connect(self._toggle_solo)
        self._all = _tool_button("classAllButton", "rotate-ccw", tr("Show all"))
        self._all.setToolTip(tr("Show every class again"))
        self._all.clicked.connect(self.show_all)
        top = QHBoxLayout()
        top.setContentsMargins(GRID, 0, GRID, 0)
        top.setSpacing(GRID // 2)
        top.addWidget(self.search, 1)
        top.addWidget(self._solo)
        top.addWidget(self._all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)

    @property
    def selected(self) -> str | None:
        """The selected class, if any."""
        return self.table.selected_name()

    def show_state(self, state: ViewerState) -> None:
        """Show the classes of model and session, and how many detections of each pass."""
        parts = (state.detections, state.decided, state.chosen, state.refinement, state.scores, state.image)
        former, self._shown_parts = self._shown_parts, parts
        if former and all(new is old for new, old in zip(parts, former, strict=True)):
            return
        self._refinement = state.refinement
        counts = _counts(state)
        names = _names(state, counts)
        self._rows.show_counts(counts)
        if (names, counts.present) != (self._names, self._present):
            self._names, self._present = names, counts.present
            self._list()
        self._show_buttons()

    def set_threshold(self, name: str, threshold: float) -> None:
        """Set the threshold of a class, 0..1."""
        self._rows.set_threshold(name, threshold)

    def _list(self) -> None:
        """List the classes that match the search, those without a detection in the session last."""
        wanted = self.search.text().strip().casefold()
        found = [name for name in self._names if wanted in name.casefold()]
        names = sorted(found, key=lambda name: (name not in self._present, name.casefold(), name))
        if names != self._rows.rows:
            selected = self.selected
            self._rows.reset_rows(names)
            self.table.select_name(selected)

    def _show_buttons(self) -> None:
        solo, hidden = self._refinement.solo, self._refinement.hidden
        self._all.setEnabled(solo is not None or bool(hidden))
        self._solo.setEnabled(solo is not None or self.selected is not None)
        self._solo.setChecked(solo is not None)

    def _on_selected(self, name: str | None) -> None:
        self._show_buttons()
        self.class_selected.emit(name)

    def _toggle_solo(self) -> None:
        self._solo.setChecked(self._refinement.solo is not None)
        name = self._refinement.solo or self.selected
        if name is not None:
            self._rows.toggle_solo(name)

    def show_all(self) -> None:
        """Show all classes."""
        self.table.clearSelection()
        self.refinement_chosen.emit(_showing_all(self._refinement))

    def _make_search(self) -> QLineEdit:
        search = _Search()
        search.setObjectName("classSearch")
        search.setAccessibleName(tr("Search the classes"))
        search.setPlaceholderText(tr("Search classes"))
        search.setClearButtonEnabled(True)
        search.textChanged.connect(self._list)
        return search


def _showing_all(refinement: Refinement) -> Refinement:
    return replace(refinement, hidden=frozenset(), solo=None)


def _counts(state: ViewerState) -> ClassCounts:
    """Return the counts of all classes, hidden ones too."""
    everything = _showing_all(state.refinement)
    whole = state if everything == state.refinement else replace(state, refinement=everything)
    here: dict[str, int] = {}
    if whole.shown is not None:
        label_ids, counts = np.unique(whole.shown.label_ids, return_counts=True)
        labels = [whole.shown.label_of(label_id) for label_id in label_ids.tolist()]
        here = dict(zip(labels, counts.tolist(), strict=True))
    session = state.scores.class_counts(state.chosen, everything)
    present = frozenset(here) | frozenset(state.scores.names)
    return ClassCounts(here, session, present, state.chosen.threshold, state.refinement)


def _names(state: ViewerState, counts: ClassCounts) -> tuple[str, ...]:
    """Return the classes of the model, then others of the session."""
    known: Sequence[str] = () if state.detections is None else tuple(state.detections.names.values())
    chosen = state.refinement
    solo = () if chosen.solo is None else (chosen.solo,)
    return tuple(dict.fromkeys((*known, *sorted(counts.present | chosen.hidden), *chosen.class_thresholds, *solo)))


def _tool_button(name: str, drawn: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setAccessibleName(text)
    button.setIcon(icon(drawn))
    button.setText(text)
    button.setIconSize(QSize(16, 16))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button
