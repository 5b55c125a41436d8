"""The panel for the threshold, top_k and classes that a model begins with."""

from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop.state.model import Defaults, ModelView
from desktop.state.viewer import MAX_TOP_K
from desktop.style.i18n import tr
from desktop.style.parts import flat_button, hint_label
from desktop.style.theme import GRID, number_font

_AS_WINDOW = -0.01
"""The threshold field's value where the model has no threshold of its own."""
_SETTLED_MS = 500
"""Changes are reported when nothing was changed for this time."""
_LIST_HEIGHT = 20 * GRID
_FIELD_WIDTH = 16 * GRID
_NAME = Qt.ItemDataRole.UserRole


class DefaultsEditor(QWidget):
    """Edits the defaults of one model; changes are reported half a second after the last one.

    Signals:
        chosen(str, Defaults): The model's name and its new defaults.
    """

    chosen = pyqtSignal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: ModelView | None = None
        self._threshold, self._top_k = self._make_threshold(), self._make_top_k()
        self._classes = self._make_classes()
        self._all, self._none = flat_button("modelAllClasses", tr("All")), flat_button("modelNoClass", tr("None"))
        self._all.clicked.connect(lambda: self._check_all(Qt.CheckState.Checked))
        self._none.clicked.connect(lambda: self._check_all(Qt.CheckState.Unchecked))
        self._hint = hint_label(tr("They apply when the model is chosen, here and on the command line."))
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self.report_changes)
        self._lay_out()

    def show_view(self, view: ModelView | None) -> None:
        """Show the defaults of this model; pending changes of the one before are reported first."""
        if self._settled.isActive():
            if view is not None and self._view is not None and view.row.name == self._view.row.name:
                return
            self.report_changes()
        former, self._view = self._view, view
        if view is None:
            return
        with QSignalBlocker(self._threshold), QSignalBlocker(self._top_k), QSignalBlocker(self._classes):
            self._threshold.setValue(_AS_WINDOW if view.defaults.threshold is None else view.defaults.threshold)
            self._top_k.setValue(view.defaults.top_k or 0)
            if former is None or (former.classes, former.defaults) != (view.classes, view.defaults):
                self._show_classes(view)
        for widget in (self._classes, self._all, self._none):
            widget.setVisible(bool(view.classes))

    def report_changes(self) -> None:
        """Report pending changes now."""
        self._settled.stop()
        view = self._view
        if view is not None and self._defaults(view) != view.defaults:
            self.chosen.emit(view.row.name, self._defaults(view))

    def _defaults(self, view: ModelView) -> Defaults:
        threshold = round(self._threshold.value(), 2)
        wanted = frozenset(item.data(_NAME) for item in self._items() if item.checkState() == Qt.CheckState.Checked)
        names = {name for _, name in view.classes}
        is_all = wanted >= names
        unknown = (view.defaults.labels or frozenset()) - names
        return Defaults(
            threshold=None if threshold < 0 else threshold,
            top_k=self._top_k.value() or None,
            labels=view.defaults.labels if not view.classes else None if is_all and not unknown else wanted | unknown,
        )

    def _show_classes(self, view: ModelView) -> None:
        top = self._classes.verticalScrollBar()
        place = 0 if top is None else top.value()
        self._classes.clear()
        for label_id, name in view.classes:
            item = QListWidgetItem(f"{label_id:>3}  {name}", self._classes)
            item.setToolTip(name)
            item.setData(_NAME, name)
            is_wanted = view.defaults.labels is None or name in view.defaults.labels
            item.setCheckState(Qt.CheckState.Checked if is_wanted else Qt.CheckState.Unchecked)
        if top is not None:
            top.setValue(place)

    def _check_all(self, to: Qt.CheckState) -> None:
        with QSignalBlocker(self._classes):
            for item in self._items():
                item.setCheckState(to)
        self._classes.viewport().update()
        self._settled.start()

    def _on_checked(self, changed: QListWidgetItem) -> None:
        """Check or uncheck all classes of the same name."""
        with QSignalBlocker(self._classes):
            for item in self._items():
                if item.data(_NAME) == changed.data(_NAME):
                    item.setCheckState(changed.checkState())
        self._settled.start()

    def _items(self) -> list[QListWidgetItem]:
        found = (self._classes.item(at) for at in range(self._classes.count()))
        return [item for item in found if item is not None]

    def _make_threshold(self) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setObjectName("modelThreshold")
        spin.setAccessibleName(tr("Threshold"))
        spin.setRange(_AS_WINDOW, 1.0)
        spin.setSingleStep(0.05)
        spin.setSpecialValueText(tr("not set"))
        spin.setToolTip(tr("The threshold that this model begins with"))
        spin.setFont(number_font())
        spin.setFixedWidth(_FIELD_WIDTH)
        spin.valueChanged.connect(lambda _: self._settled.start())
        return spin

    def _make_top_k(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setObjectName("modelTopK")
        spin.setAccessibleName(tr("Top k"))
        spin.setRange(0, MAX_TOP_K)
        spin.setSpecialValueText(tr("not set"))
        spin.setToolTip(tr("The largest number of detections that this model shows at first"))
        spin.setFont(number_font())
        spin.setFixedWidth(_FIELD_WIDTH)
        spin.valueChanged.connect(lambda _: self._settled.start())
        return spin

    def _make_classes(self) -> QListWidget:
        classes = QListWidget()
        classes.setObjectName("modelClasses")
        classes.setAccessibleName(tr("Classes"))
        classes.setFont(number_font())
        classes.setUniformItemSizes(True)
        classes.setMinimumHeight(_LIST_HEIGHT)
        classes.itemChanged.connect(self._on_checked)
        return classes

    def _lay_out(self) -> None:
        heading = QLabel(tr("Filters it starts with"))
        heading.setProperty("heading", True)
        numbers = QHBoxLayout()
        numbers.setSpacing(GRID)
        for text, spin in ((tr("Threshold"), self._threshold), (tr("Top k"), self._top_k)):
            label = QLabel(text)
            label.setBuddy(spin)
            numbers.addWidget(label)
            numbers.addWidget(spin)
            numbers.addSpacing(GRID)
        numbers.addStretch(1)
        numbers.addWidget(self._all)
        numbers.addWidget(self._none)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(heading)
        column.addWidget(self._hint)
        column.addLayout(numbers)
        column.addWidget(self._classes, 1)
