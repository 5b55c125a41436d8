"""The card of a model: its properties, and buttons for what can be done with it."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop.models.defaults_editor import DefaultsEditor
from desktop.models.precision_panel import PrecisionPanel
from desktop.state.model import ConversionProgress, Fact, ModelView, Presence
from desktop.style.i18n import tr
from desktop.style.parts import ElidedLabel, push_button
from desktop.style.theme import GRID, number_font

_TITLE, _NUMBER, _TEXT = range(3)


class ModelCard(QScrollArea):
    """Shows one model.

    Attributes:
        defaults: The threshold, top_k and classes it begins with.
        precision: Its precision.

    Signals:
        use_asked(str), keep_asked(str), names_asked(str), cancel_conversion_asked(str): The buttons, with the model's
            name.
        download_asked(str): The button of a model that is on the hub only, with its id there.
    """

    cancel_conversion_asked = pyqtSignal(str)
    use_asked = pyqtSignal(str)
    keep_asked = pyqtSignal(str)
    names_asked = pyqtSignal(str)
    download_asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelCard")
        self.setAccessibleName(tr("Properties of the model"))
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view: ModelView | None = None
        self._name = ElidedLabel("modelName")
        self._name.setProperty("heading", True)
        self._problem = _sentence("modelProblem")
        self._problem.setProperty("danger", True)
        self._notes = _sentence("modelNotes")
        self._notes.setProperty("hint", True)
        self._use = push_button("modelUse", tr("Use"))
        self._use.clicked.connect(lambda: self.use_asked.emit(self._shown_name))
        self._use.setProperty("primary", True)
        self._keep = push_button("modelKeep", tr("Keep"))
        self._keep.clicked.connect(lambda: self.keep_asked.emit(self._shown_name))
        self._keep.setToolTip(tr("It is there in this run only; keep it for the next ones too"))
        self._give_names = push_button("modelGiveNames", tr("Name the classes…"))
        self._give_names.clicked.connect(lambda: self.names_asked.emit(self._shown_name))
        self._download = push_button("modelDownload", tr("Download"))
        self._download.clicked.connect(lambda: self.download_asked.emit(self._view.hub_id if self._view else ""))
        self._conversion = ConversionRow()
        self._conversion.cancel_asked.connect(lambda: self.cancel_conversion_asked.emit(self._shown_name))
        self._facts, self.defaults, self.precision = _Facts(), DefaultsEditor(), PrecisionPanel()
        self._lay_out()
        self.show_view(None)

    @property
    def view(self) -> ModelView | None:
        """The model that is shown."""
        return self._view

    def show_view(self, view: ModelView | None) -> None:
        """Show this model, or none."""
        content = self.widget()
        assert content is not None
        content.setVisible(view is not None)
        self.defaults.show_view(view)
        is_usable = view is not None and view.row.presence in (Presence.HERE, Presence.IN_MEMORY, Presence.IN_USE)
        self.precision.show_model(view.row.name if view is not None and is_usable else "")
        if view == self._view or view is None:
            self._view = view
            return
        self._view = view
        self._name.setText(view.row.name)
        is_broken = view.row.presence is Presence.BROKEN
        notes = view.notes if is_broken or not view.row.problem else (view.row.problem, *view.notes)
        self._problem.setText(view.row.problem if is_broken else "")
        self._problem.setVisible(is_broken)
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        self._use.setEnabled(is_usable and view.row.presence is not Presence.IN_USE)
        self._use.setVisible(is_usable)
        self._download.setVisible(view.row.presence is Presence.NOT_HERE)
        self._keep.setVisible(not view.is_kept)
        self._give_names.setVisible(view.names_unknown)
        self._facts.show_facts(view.facts)
        self._conversion.show_progress(view.conversion)
        self.defaults.setVisible(is_usable)

    @property
    def _shown_name(self) -> str:
        return self._view.row.name if self._view is not None else ""

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self._name, 1)
        for button in (self._give_names, self._keep, self._download, self._use):
            top.addWidget(button)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(top)
        column.addWidget(self._problem)
        column.addWidget(self._conversion)
        column.addWidget(self._facts)
        column.addWidget(self._notes)
        column.addWidget(self.precision)
        column.addWidget(self.defaults, 1)
        column.addStretch(0)
        self.setWidget(content)


class ConversionRow(QWidget):
    """Shows the progress of a conversion; hidden where none runs.

    Signals:
        cancel_asked: The button.
    """

    cancel_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("modelConversion")
        self._text = _sentence("modelConversionText")
        self._cancel = push_button("modelConversionCancel", tr("Cancel"))
        self._cancel.setToolTip(tr("Keep PyTorch for this model until the next start"))
        self._cancel.clicked.connect(self.cancel_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._text, 1)
        row.addWidget(self._cancel)

    def show_progress(self, progress: ConversionProgress | None) -> None:
        """Show how much is done."""
        self.setVisible(progress is not None)
        if progress is not None and progress.percent is not None:
            self._text.setText(tr("Converting for this processor, {percent} %", percent=progress.percent))
        else:
            self._text.setText(tr("Waiting to be converted for this processor"))


class _Facts(QWidget):
    """Shows one property a line: its title, then a right-aligned number and its unit, or a text."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("modelFacts")
        self._facts: tuple[Fact, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        self._grid.setColumnStretch(_TEXT, 1)

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        """Show these properties."""
        if facts == self._facts:
            return
        self._facts = facts
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        for row, fact in enumerate(facts):
            self._add(row, fact)

    def _add(self, row: int, fact: Fact) -> None:
        top = Qt.AlignmentFlag.AlignTop
        title = QLabel(fact.title)
        title.setProperty("hint", True)
        title.setContentsMargins(0, 1, 2 * GRID, 0)
        self._grid.addWidget(title, row, _TITLE, top)
        text = _sentence("")
        text.setText(fact.text)
        if fact.number:
            number = QLabel(fact.number)
            number.setFont(number_font())
            self._grid.addWidget(number, row, _NUMBER, top | Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(text, row, _TEXT)
        else:
            self._grid.addWidget(text, row, _NUMBER, 1, 2)


def _sentence(name: str) -> QLabel:
    """Return a label whose text wraps and can be selected."""
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
