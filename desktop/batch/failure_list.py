"""The dialog of images that could not be opened, and why."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, Qt, pyqtSignal
from PyQt5.QtGui import QGuiApplication, QKeySequence
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QShortcut,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.state.batch import Failure
from desktop.style.i18n import error_text, tr
from desktop.style.parts import hint_label, push_button
from desktop.style.theme import GRID

NAME, REASON = 0, 1


class FailureList(QDialog):
    """Not modal; activating a row shows its image.

    Signals:
        source_chosen(Source): This image is to be shown.
    """

    source_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("failureList")
        self.setWindowTitle(tr("Images that could not be opened"))
        self.resize(80 * GRID, 45 * GRID)
        self._failures: tuple[Failure, ...] = ()
        self._table = QTableWidget(0, 2)
        self._table.setObjectName("failureTable")
        self._table.setAccessibleName(tr("Images that could not be opened"))
        self._table.setHorizontalHeaderLabels([tr("Image"), tr("Reason")])
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)
        self._table.setWordWrap(False)
        self._table.activated.connect(self._choose)
        vertical, horizontal = self._table.verticalHeader(), self._table.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        horizontal.setSectionResizeMode(REASON, QHeaderView.ResizeMode.Stretch)
        self._table.setColumnWidth(NAME, 28 * GRID)
        copying = QShortcut(QKeySequence.StandardKey.Copy, self._table)
        copying.setContext(Qt.ShortcutContext.WidgetShortcut)
        copying.activated.connect(self.copy)
        self._lay_out()

    def show_failures(self, failures: tuple[Failure, ...]) -> None:
        """Show these; new ones are appended, so that the selection stays."""
        known = len(self._failures)
        if failures[:known] != self._failures:
            self._table.setRowCount(0)
            known = 0
        self._failures = failures
        self._table.setRowCount(len(failures))
        for row in range(known, len(failures)):
            name, reason = (
                QTableWidgetItem(failures[row].source.name),
                QTableWidgetItem(error_text(failures[row].error)),
            )
            name.setToolTip(failures[row].source.location)
            reason.setToolTip(reason.text())
            self._table.setItem(row, NAME, name)
            self._table.setItem(row, REASON, reason)

    def copy(self) -> None:
        """Copy the selected rows, or all if none is selected: location, tab, reason."""
        rows = sorted({index.row() for index in self._table.selectedIndexes()}) or range(len(self._failures))
        chosen = [self._failures[row] for row in rows]
        QGuiApplication.clipboard().setText(
            "\n".join(f"{each.source.location}\t{error_text(each.error)}" for each in chosen)
        )

    def _choose(self, at: QModelIndex) -> None:
        self.source_chosen.emit(self._failures[at.row()].source)

    def _lay_out(self) -> None:
        copy = push_button("failureCopy", tr("Copy"))
        copy.clicked.connect(self.copy)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(GRID)
        layout.addWidget(self._table, 1)
        layout.addWidget(hint_label(tr("Double click an image, or press Return, to go to it.")))
        layout.addWidget(buttons)
