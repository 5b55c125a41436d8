"""The table of classes with its mouse and keyboard actions."""

from __future__ import annotations

from PyQt5.QtCore import QAbstractItemModel, QModelIndex, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop.results.class_model import HERE, NAME, SESSION, THRESHOLD, ClassModel
from desktop.style.i18n import tr
from desktop.style.swatch import SWATCH
from desktop.style.theme import GRID, number_font

AS_ALL = -0.01
"""What the editor of a threshold holds for "the same as all"."""


class ClassTableView(QTableView):
    """Hides classes, shows one alone, and edits thresholds.

    Signals:
        selected(str | None): The class whose row is selected.
    """

    selected = pyqtSignal(object)

    def __init__(self, rows: ClassModel) -> None:
        super().__init__()
        self._rows = rows
        self.setObjectName("classList")
        self.setAccessibleName(tr("Classes"))
        self.setModel(rows)
        self.setItemDelegateForColumn(THRESHOLD, _ThresholdEditor(rows, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(SWATCH, SWATCH))
        self._size_columns()
        self.clicked.connect(lambda at: at.column() == THRESHOLD and self.edit(at))
        selection = self.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(self._on_selected)

    def selected_name(self) -> str | None:
        """Return the selected class."""
        selection = self.selectionModel()
        rows = [] if selection is None else selection.selectedRows()
        return self._rows.rows[rows[0].row()] if rows else None

    def select_name(self, name: str | None) -> None:
        """Select a class; emits only where it is no longer in the list."""
        if name is None:
            return
        if name not in self._rows.rows:
            self.selected.emit(None)
            return
        selection = self.selectionModel()
        assert selection is not None
        with QSignalBlocker(selection):
            self.selectRow(self._rows.rows.index(name))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Show a class alone on Alt+click; clear the selection on a click on the selected row or beside the rows."""
        at = self.indexAt(event.pos())
        if at.isValid() and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._rows.toggle_solo(self._rows.rows[at.row()])
            return
        name = self._rows.rows[at.row()] if at.isValid() else None
        is_plain = event.button() == Qt.MouseButton.LeftButton and at.column() in (NAME, HERE, SESSION)
        if (is_plain and name == self.selected_name() and not self._is_on_check_box(event)) or name is None:
            self.clearSelection()
            return
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hide or show on Space, edit the threshold on F2, remove it on Delete."""
        at = self.currentIndex()
        key = event.key()
        if not at.isValid() or key not in (Qt.Key.Key_Space, Qt.Key.Key_F2, Qt.Key.Key_Delete):
            super().keyPressEvent(event)
            return
        name = self._rows.rows[at.row()]
        if key == Qt.Key.Key_Space:
            self._rows.toggle(name)
        elif key == Qt.Key.Key_Delete:
            self._rows.set_threshold(name, None)
        else:
            self.edit(self._rows.index(at.row(), THRESHOLD))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        at = self.indexAt(event.pos())
        if at.isValid():
            self.menu_of(at.row()).popup(event.globalPos())

    def menu_of(self, row: int) -> QMenu:
        """Return the menu of a row, which is deleted when it closes."""
        name, menu = self._rows.rows[row], QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        edit = self._rows.index(row, THRESHOLD)
        for text, do in (
            (tr("Show alone, or all again"), lambda: self._rows.toggle_solo(name)),
            (tr("Hide or show"), lambda: self._rows.toggle(name)),
            (tr("Give it its own threshold"), lambda: self.edit(edit)),
        ):
            menu.addAction(text).triggered.connect(do)
        same = menu.addAction(tr("Same threshold as all"))
        same.setEnabled(self._rows.has_own_threshold(name))
        same.triggered.connect(lambda: self._rows.set_threshold(name, None))
        return menu

    def _on_selected(self) -> None:
        self.selected.emit(self.selected_name())

    def _is_on_check_box(self, event: QMouseEvent) -> bool:
        return event.pos().x() < self.columnViewportPosition(NAME) + 4 * GRID

    def _size_columns(self) -> None:
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        assert vertical is not None
        assert horizontal is not None
        vertical.hide()
        vertical.setDefaultSectionSize(3 * GRID + 2)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        horizontal.setHighlightSections(False)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        horizontal.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        digit = self.fontMetrics().horizontalAdvance("0")
        for column, digits in ((HERE, 4), (SESSION, 7), (THRESHOLD, 5)):
            self.setColumnWidth(column, max(digits * digit + 2 * GRID, horizontal.sectionSizeHint(column)))


class _ThresholdEditor(QStyledItemDelegate):
    """A number field over the cell; each change is applied at once."""

    def __init__(self, rows: ClassModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, at: QModelIndex) -> QWidget:
        spin = QDoubleSpinBox(parent)
        spin.setObjectName("classThresholdSpin")
        spin.setAccessibleName(tr("Threshold of {label}", label=self._rows.rows[at.row()]))
        spin.setRange(AS_ALL, 1.0)
        spin.setSingleStep(0.05)
        spin.setSpecialValueText(tr("as all"))
        spin.setFont(number_font())
        spin.setStyleSheet("QDoubleSpinBox { min-height: 0; padding: 0 18px 0 2px; border-radius: 4px; }")
        spin.setValue(self._rows.threshold_of(self._rows.rows[at.row()]))
        spin.valueChanged.connect(lambda: self.commitData.emit(spin))
        return spin

    def setEditorData(self, editor: QWidget, at: QModelIndex) -> None: ...

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, at: QModelIndex) -> None:
        assert isinstance(editor, QDoubleSpinBox)
        name, value = self._rows.rows[at.row()], round(editor.value(), 2)
        if value == AS_ALL:
            self._rows.set_threshold(name, None)
        elif self._rows.has_own_threshold(name) or value != round(self._rows.threshold_of(name), 2):
            self._rows.set_threshold(name, value)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, at: QModelIndex) -> None:
        editor.setGeometry(option.rect.adjusted(0, 1, 0, -1))
