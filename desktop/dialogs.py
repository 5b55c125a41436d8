"""Asking for files and folders."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QWidget

from desktop.i18n import tr
from engine.export.formats import FORMATS, ExportFormat
from engine.image.formats import IMAGE_SUFFIXES


def ask_images(parent: QWidget) -> list[Path]:
    """The image files that the user picks; empty after cancel."""
    patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(IMAGE_SUFFIXES))
    kinds = f"{tr('Images')} ({patterns});;{tr('All files')} (*)"
    names, _ = QFileDialog.getOpenFileNames(parent, tr("Open images"), "", kinds)
    return [Path(name) for name in names]


def ask_folder(parent: QWidget) -> Path | None:
    """The folder that the user picks."""
    name = QFileDialog.getExistingDirectory(parent, tr("Open a folder"))
    return Path(name) if name else None


def ask_export_path(parent: QWidget, suggested: Path) -> Path | None:
    """Where to export to; the ending says in which format."""
    kinds = {_kind(known): known for known in FORMATS}
    name, kind = QFileDialog.getSaveFileName(parent, tr("Export"), str(suggested), ";;".join(kinds))
    if not name:
        return None
    path = Path(name)
    known_endings = {suffix for known in FORMATS for suffix in known.suffixes}
    if path.suffix.lower() in known_endings or kind not in kinds:
        return path
    return path.with_name(path.name + kinds[kind].suffixes[0])


def _kind(known: ExportFormat) -> str:
    return f"{tr(known.name)} ({' '.join('*' + suffix for suffix in known.suffixes)})"
