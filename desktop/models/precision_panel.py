"""What a model computes in: exactly, or faster and slightly differently, with what was measured of that."""

from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QStandardItem, QStandardItemModel
from PyQt5.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from desktop.models.precisions import Measurement, ModelPrecisions, PrecisionView
from desktop.style.i18n import error_text, tr
from desktop.style.parts import hint_label, push_button
from desktop.style.theme import GRID
from engine.batch.measuring import LEAST_IMAGES
from engine.batch.precisions import Offer
from engine.detect.precision import F32

_SHOWN_LETTERS = 24
"""The list of precisions gives way: the whole text is in the opened list and in the tool tip."""


class ModelPrecision(QWidget):
    """Shows the precisions of one model and lets one be chosen; hidden where there is none to choose from.

    Signals:
        used: Something was chosen, measured or cancelled: what an earlier action was refused for is over.
    """

    used = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelPrecisionPart")
        self._model = ""
        self._precisions: ModelPrecisions | None = None
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

    def serve(self, precisions: ModelPrecisions) -> None:
        """Show these and change them; said once."""
        self._precisions = precisions
        precisions.changed.connect(self._show)
        self._show()

    def show_model(self, name: str) -> None:
        """Show the precisions of this model as soon as they are known; empty shows none."""
        self._model = name
        self._show()

    @property
    def _view(self) -> PrecisionView:
        view = self._precisions.view if self._precisions is not None else PrecisionView()
        return view if view.model == self._model else PrecisionView()

    def _show(self) -> None:
        view = self._view
        self.setVisible(bool(view.offers))
        if view.offers:
            self._show_offers(view.offers)
            self._show_button(view)

    def _show_offers(self, offers: tuple[Offer, ...]) -> None:
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
        if self._precisions is not None:
            self.used.emit()
            self._precisions.choose(self._model, precision)

    def _on_measure(self) -> None:
        if self._precisions is None:
            return
        self.used.emit()
        if self._view.measurement is None:
            self._precisions.measure()
        else:
            self._precisions.cancel()

    def _lay_out(self) -> None:
        heading = QLabel(tr("Precision"))
        heading.setProperty("heading", True)
        heading.setBuddy(self._choice)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        grid.addWidget(heading, 0, 0, 1, 2)
        hint = hint_label(tr("A faster one answers slightly differently, from the model's next answer on."))
        grid.addWidget(hint, 1, 0, 1, 2)
        grid.addWidget(self._choice, 2, 0)
        grid.addWidget(self._measure, 2, 1)
        grid.setColumnStretch(0, 1)


def _text(offer: Offer) -> str:
    """A precision in the list."""
    got = offer.figures
    if got is None:
        absent = tr("to be measured again, f32 answers") if offer.is_chosen else tr("not measured yet")
        told = absent if offer.problem is None else tr("not on this machine")
        return tr("{precision}: {told}", precision=offer.precision, told=told)
    return tr(
        "{precision}: {speedup} times as fast, AP {ap} against f32",
        precision=offer.precision,
        speedup=f"{got.speedup:.2f}",
        ap=f"{got.average_precision:.3f}",
    )


def _reason(offer: Offer) -> str:
    """Why it cannot be chosen, else all that was measured."""
    got = offer.figures
    if offer.problem is not None:
        return error_text(offer.problem)
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
    """What the button measures, or why it does not."""
    if view.measurement is not None:
        return tr("{model} is being measured.", model=view.measurement.model)
    if view.measurable:
        return tr("Measures {precisions}; takes minutes", precisions=tr(", ").join(view.measurable))
    if not view.possible:
        return error_text(view.offers[0].problem) if view.offers[0].problem else ""
    first = view.possible[0]
    return tr(
        "{precision} needs at least {count} images to be measured on.", precision=first, count=LEAST_IMAGES[first]
    )
