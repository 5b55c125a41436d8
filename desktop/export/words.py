"""Sentences shown before and after an export."""

from __future__ import annotations

from pathlib import Path

from desktop.style.i18n import error_text, tr, tr_count
from engine.export.job import ExportSummary


def replacing_text(target: Path) -> str:
    """Return what an export to `target` would replace; empty if nothing is there."""
    try:
        if target.is_file():
            return tr("There is a file of this name: it will be replaced.")
        if target.is_dir():
            return tr("There is a folder of this name: files of the same names in it are replaced.")
    except OSError:
        pass
    return ""


def summary_text(summary: ExportSummary) -> str:
    """Return the result of an export, in the window's language."""
    if summary.was_cancelled and not summary.files:
        return tr("Cancelled; nothing was written.")
    parts = [
        tr_count(
            "{count} image with {detections} detections exported to {path}.",
            "{count} images with {detections} detections exported to {path}.",
            summary.images,
            detections=summary.detections,
            path=summary.target,
        )
    ]
    if summary.was_cancelled:
        parts.append(tr("The rest was cancelled."))
    if summary.without_area:
        parts.append(
            tr_count("{count} box without area left out.", "{count} boxes without area left out.", summary.without_area)
        )
    if summary.skipped:
        first = summary.skipped[0]
        parts.append(
            tr_count(
                "{count} image could not be exported: {name}: {reason}",
                "{count} images could not be exported, the first is {name}: {reason}",
                len(summary.skipped),
                name=first.name,
                reason=error_text(first.reason),
            )
        )
    return " ".join(parts)
