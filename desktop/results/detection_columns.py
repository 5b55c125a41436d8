"""The columns of the table of detections: decision, label, score, box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QFont, QIcon

from desktop.style.columns import Column
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.swatch import class_swatch
from desktop.style.theme import current_theme, number_font, text_font
from engine.detect.detection import Detection
from engine.review.decision import Decision, Status
from engine.review.merge import Reviewed

LABEL, SCORE, BOX, STATUS = range(4)
_ROLE, _ALIGN = Qt.ItemDataRole, Qt.AlignmentFlag


@dataclass(frozen=True, slots=True)
class DetectionRow:
    """A detection and what was decided about it.

    Attributes:
        detection: As it is shown.
        decision: About it, if any.
        is_orphan: Whether it was decided about and the present model does not find it.
    """

    detection: Detection
    decision: Decision | None
    is_orphan: bool

    @property
    def status(self) -> Status | None:
        """What was decided."""
        return None if self.decision is None else self.decision.status


def detection_rows(reviewed: Reviewed | None) -> list[DetectionRow]:
    """Return one row a detection, best score first."""
    if reviewed is None:
        return []
    decisions, orphans = reviewed.decisions, reviewed.orphans
    return [DetectionRow(each, decisions.get(each.index), each.index in orphans) for each in reviewed.shown]


def detection_columns() -> tuple[Column[DetectionRow], ...]:
    """Return the columns LABEL, SCORE, BOX and STATUS, in the present language."""
    swatches: dict[str, QIcon] = {}
    icons = {
        Status.ACCEPTED: icon("check", "success"),
        Status.REJECTED: icon("x", "danger"),
        Status.ADDED: icon("plus", "link"),
    }

    def swatch(row: DetectionRow) -> QIcon:
        label = row.detection.label
        if label not in swatches:
            swatches[label] = class_swatch(label)
        return swatches[label]

    def status_icon(row: DetectionRow) -> QIcon | None:
        return None if row.status is None or row.is_orphan else icons[row.status]

    decided = tr("What was decided")
    bold = text_font()
    bold.setBold(True)
    status: dict[Any, Callable[[DetectionRow], Any]] = {
        _ROLE.FontRole: lambda row: bold,
        _ROLE.ForegroundRole: lambda row: QColor(current_theme().warning),
        _ROLE.ToolTipRole: _status_text,
        _ROLE.AccessibleTextRole: _status_text,
        _ROLE.DecorationRole: status_icon,
    }
    label = {**_text_roles(text_font()), _ROLE.DecorationRole: swatch}
    numbers = _text_roles(number_font())
    return (
        Column(tr("Label"), lambda row: row.detection.label, _ALIGN.AlignLeft, label),
        Column(tr("Score"), _score_text, _ALIGN.AlignRight, numbers),
        Column(tr("x, y, width, height"), _box_text, _ALIGN.AlignRight, numbers),
        Column(
            "",
            lambda row: "?" if row.is_orphan else "",
            _ALIGN.AlignHCenter,
            status,
            {_ROLE.ToolTipRole: decided, _ROLE.AccessibleTextRole: decided},
        ),
    )


def _text_roles(font: QFont) -> dict[Any, Callable[[DetectionRow], Any]]:
    """Return the roles of a column of text, in which rejected detections are muted and struck out."""
    struck = QFont(font)
    struck.setStrikeOut(True)
    return {
        _ROLE.FontRole: lambda row: struck if row.status is Status.REJECTED else font,
        _ROLE.ForegroundRole: lambda row: QColor(current_theme().text_muted) if row.status is Status.REJECTED else None,
        _ROLE.ToolTipRole: _change_text,
    }


def _score_text(row: DetectionRow) -> str:
    return "–" if row.status is Status.ADDED else f"{row.detection.score:.2f}"


def _box_text(row: DetectionRow) -> str:
    xmin, ymin, xmax, ymax = row.detection.box
    return f"{xmin:.0f}, {ymin:.0f}, {xmax - xmin:.0f}, {ymax - ymin:.0f}"


def _status_text(row: DetectionRow) -> str:
    if row.status is None:
        return tr("Undecided")
    texts = {
        Status.ACCEPTED: (tr("Accepted"), tr("Accepted; the present model does not find it")),
        Status.REJECTED: (tr("Rejected"), tr("Rejected; the present model does not find it")),
        Status.ADDED: (tr("Added"), tr("Added")),
    }
    return texts[row.status][row.is_orphan]


def _change_text(row: DetectionRow) -> str | None:
    """Return what was changed about a detection, and what it was before."""
    decision = row.decision
    if decision is None or decision.original is None or not (decision.relabelled or decision.moved):
        return None
    former = decision.original
    if decision.relabelled:
        return tr("{label} (was {former} {score:.2f})", label=decision.label, former=former.label, score=former.score)
    return tr("{label} {score:.2f}, moved", label=decision.label, score=former.score)
