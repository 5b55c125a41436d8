"""The panel where a model's precision is measured and chosen."""

from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QStandardItem, QStandardItemModel
from PyQt5.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from desktop.state.precision import Measurement, PrecisionOffer, PrecisionView
from desktop.style.i18n import tr
from desktop.style.parts import hint_label, push_button
from desktop.style.theme import GRID
from engine.detect.precision import F32

_SHOWN_LETTERS = 24
"""The box may be narrower than its texts: the opened list and the tool tip show them whole."""


class PrecisionPanel(QWidget):
    """Shows the precisions of one model; hidden where there is only one.

    Signals:
        precision_chosen(str, str): The model's name and the chosen precision.
        measure_asked, cancel_asked: The button.
    """

    precision_chosen = pyqtSignal(str, str)
    measure_asked = pyqtSignal()
    cancel_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelPrecisionPart")
        self._model = ""
        self._last = PrecisionView()
        self._choice = QComboBox()
        self._choice.setObjectName("modelPrecision")
        self._choice.setAccessibleName(tr("Precision"))
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setMinimumContentsLength(_SHOWN_LETTERS)
        self._choice.activated.connect(self._on_chosen)
        self._items = QStandardItemModel(self._choice)
        self._choice.setModel(self._items)
        self._measure = push_button("modelMeasure", tr("Measure on the open images"))
        self._measure.clicked.connect(self._on_measure)
        self._lay_out()
        self._show()

    def show_view(self, view: PrecisionView) -> None:
        """Show these precisions if they are those of the shown model."""
        self._last = view
        self._show()

    def show_model(self, name: str) -> None:
        """Show the precisions of this model as soon as they are known; none if the name is empty."""
        self._model = name
        self._show()

    @property
    def _view(self) -> PrecisionView:
        return self._last if self._last.model == self._model else PrecisionView()

    def _show(self) -> None:
        view = self._view
        self.setVisible(bool(view.offers))
        if view.offers:
            self._show_offers(view.offers)
            self._show_button(view)

    def _show_offers(self, offers: tuple[PrecisionOffer, ...]) -> None:
        with QSignalBlocker(self._choice):
            lines = [(F32, tr("{precision}, exact", precision=F32), "", True)]
            lines += [(each.precision, _text(each), _reason(each), each.can_be_chosen) for each in offers]
            if self._items.rowCount() != len(lines):
                self._items.clear()
                self._items.appendColumn([QStandardItem() for _ in lines])
            for row, (precision, text, tip, is_enabled) in enumerate(lines):
                item = self._items.item(row)
                item.setText(text)
                item.setToolTip(tip or text)
                item.setData(precision, Qt.ItemDataRole.UserRole)
                item.setEnabled(is_enabled)
            at = next((row for row, each in enumerate(offers, 1) if each.is_chosen), 0)
            self._choice.setCurrentIndex(at)
            self._choice.setToolTip(self._items.item(at).toolTip())

    def _show_button(self, view: PrecisionView) -> None:
        under_way = view.measurement
        if under_way is not None and under_way.model == view.model:
            text, tip, is_enabled = _progress_text(under_way), tr("Click to cancel"), not under_way.is_cancelled
        else:
            text, tip = tr("Measure on the open images"), _measure_tip(view)
            is_enabled = under_way is None and bool(view.measurable)
        self._measure.setText(text)
        self._measure.setAccessibleName(text)
        self._measure.setToolTip(tip)
        self._measure.setEnabled(is_enabled)

    def _on_chosen(self, row: int) -> None:
        precision = self._items.item(row).data(Qt.ItemDataRole.UserRole)
        self.precision_chosen.emit(self._model, precision)

    def _on_measure(self) -> None:
        (self.measure_asked if self._view.measurement is None else self.cancel_asked).emit()

    def _lay_out(self) -> None:
        heading = QLabel(tr("Precision"))
        heading.setProperty("heading", True)
        heading.setBuddy(self._choice)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        grid.addWidget(heading, 0, 0, 1, 2)
        hint = hint_label(tr("A faster precision gives slightly different detections, from the next image on."))
        grid.addWidget(hint, 1, 0, 1, 2)
        grid.addWidget(self._choice, 2, 0)
        grid.addWidget(self._measure, 2, 1)
        grid.setColumnStretch(0, 1)


def _text(offer: PrecisionOffer) -> str:
    """Return a precision's line in the list."""
    got = offer.figures
    if got is None:
        absent = tr("to be measured again, f32 answers") if offer.is_chosen else tr("not measured yet")
        told = tr("not on this machine") if offer.problem else absent
        return tr("{precision}: {told}", precision=offer.precision, told=told)
    return tr(
        "{precision}: {speedup} times as fast, AP {ap} against f32",
        precision=offer.precision,
        speedup=f"{got.speedup:.2f}",
        ap=f"{got.average_precision:.3f}",
    )


def _reason(offer: PrecisionOffer) -> str:
    """Return why it cannot be chosen, else all figures."""
    got = offer.figures
    if offer.problem:
        return offer.problem
    if got is None:
        return tr("Measure {precision} on some images first.", precision=offer.precision)
    return tr(
        "Measured on {images} images at the threshold {threshold}: {kept} detections kept, {lost} lost, {new} new",
        images=got.images,
        threshold=f"{got.threshold:g}",
        kept=got.kept,
        lost=got.lost,
        new=got.new,
    )


def _progress_text(under_way: Measurement) -> str:
    if under_way.is_cancelled:
        return tr("Cancelling…")
    stage = {
        "loading": tr("loading"),
        "converting": tr("converting"),
        "comparing": tr("comparing"),
        "calibrating": tr("calibrating"),
        "measuring": tr("measuring"),
    }.get(under_way.stage, under_way.stage)
    if not under_way.total:
        return tr("{precision}: {stage}…", precision=under_way.precision, stage=stage)
    steps = {"done": under_way.done, "total": under_way.total}
    return tr("{precision}: {stage} {done} of {total}", precision=under_way.precision, stage=stage, **steps)


def _measure_tip(view: PrecisionView) -> str:
    """Return what the button measures, or why it cannot."""
    if view.measurement is not None:
        return tr("{model} is being measured.", model=view.measurement.model)
    if view.measurable:
        return tr("Measures {precisions}; takes minutes", precisions=tr(", ").join(view.measurable))
    first = next((offer.precision for offer in view.offers if offer.can_be_measured), None)
    if first is None:
        return view.offers[0].problem
    return tr("{precision} needs at least {count} images to be measured on.", precision=first, count=view.least_images)
