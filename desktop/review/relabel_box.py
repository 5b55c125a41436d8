"""The box in which the user types or picks a class."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QModelIndex, QPoint, QRect, QSize, QStringListModel, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent
from PyQt5.QtWidgets import QApplication, QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from desktop.style.i18n import tr
from desktop.style.theme import GRID

RECENT = 5
_SIZE = QSize(30 * GRID, 34 * GRID)
_OWN_KEYS = frozenset({Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Up, Qt.Key.Key_Down})


class RelabelBox(QFrame):
    """A line to type in and the classes that contain the text, over the window.

    It is not a window: some systems have no input methods in popups, and Chinese is typed with one.

    Signals:
        label_chosen(str): A class of the list, or a new one.
        closed: It was closed, with or without a choice.
    """

    label_chosen = pyqtSignal(str)
    closed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._labels: list[str] = []
        self._recent: list[str] = []
        self._current = ""
        self._offers: list[str] = []
        self._before: QWidget | None = None
        self.setObjectName("relabelBox")
        self.setAccessibleName(tr("Choose a class"))
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.edit = _Edit()
        self.edit.textChanged.connect(self._offer)
        self.edit.stepped.connect(self._step)
        self.edit.entered.connect(self._choose)
        self.edit.left.connect(self.close)
        self._model = QStringListModel(self)
        self.list = self._make_list()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.edit)
        layout.addWidget(self.list, 1)
        self.hide()

    def open_at(self, point: QPoint, labels: Sequence[str], current: str = "") -> None:
        """Open beside `point`, in screen coordinates; `current` is the present class, if there is one."""
        self._before = QApplication.focusWidget()
        self._labels, self._current = list(dict.fromkeys(labels)), current
        self.edit.clear()
        self.edit.setPlaceholderText(current or tr("Class"))
        self._offer()
        self.setGeometry(self._place_near(point))
        self.show()
        self.raise_()
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)

    def offers(self) -> list[str]:
        """Return the classes in the list, best first; a new one is the last."""
        return list(self._offers)

    def hideEvent(self, event: object) -> None:
        if self._before is not None and self.edit.hasFocus():
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self._before = None
        self.closed.emit()

    def _offer(self) -> None:
        text = self.edit.text().strip()
        wanted = text.casefold()
        ordered = list(dict.fromkeys([*self._recent, *self._labels]))
        found = [label for label in ordered if wanted in label.casefold()]
        if wanted:
            found.sort(key=lambda label: (label.casefold() != wanted, not label.casefold().startswith(wanted)))
        is_new = bool(text) and not any(label.casefold() == wanted for label in found)
        self._offers = [*found, text] if is_new else found
        self._model.setStringList([*found, tr("New class “{label}”", label=text)] if is_new else found)
        self._select(0 if wanted or self._recent else self._row_of_current())

    def _row_of_current(self) -> int:
        return self._offers.index(self._current) if self._current in self._offers else 0

    def _step(self, step: int) -> None:
        if self._offers:
            self._select((self.list.currentIndex().row() + step) % len(self._offers))

    def _select(self, row: int) -> None:
        self.list.setCurrentIndex(self._model.index(row))

    def _choose(self) -> None:
        row = self.list.currentIndex().row()
        if 0 <= row < len(self._offers):
            label = self._offers[row]
            self._recent = [label, *(other for other in self._recent if other != label)][:RECENT]
            self.close()
            self.label_chosen.emit(label)

    def _on_clicked(self, at: QModelIndex) -> None:
        self.list.setCurrentIndex(at)
        self._choose()

    def _place_near(self, point: QPoint) -> QRect:
        """Return the rectangle beside the point, inside the window as far as there is room."""
        window = self.parentWidget()
        assert window is not None
        size = _SIZE.boundedTo(window.size() - QSize(2 * GRID, 2 * GRID))
        corner = window.mapFromGlobal(point) + QPoint(GRID, GRID)
        left = max(GRID, min(corner.x(), window.width() - size.width() - GRID))
        top = max(GRID, min(corner.y(), window.height() - size.height() - GRID))
        return QRect(QPoint(left, top), size)

    def _make_list(self) -> QListView:
        view = QListView()
        view.setObjectName("relabelList")
        view.setAccessibleName(tr("Classes"))
        view.setModel(self._model)
        view.setUniformItemSizes(True)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.clicked.connect(self._on_clicked)
        return view


class _Edit(QLineEdit):
    """The line; keys that act in the list are not shortcuts in it."""

    stepped = pyqtSignal(int)
    entered = pyqtSignal()
    left = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("relabelEdit")
        self.setAccessibleName(tr("Class, or a part of its name"))

    def event(self, event: QEvent) -> bool:
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if is_key and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()
