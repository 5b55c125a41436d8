"""Asking for files and folders."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QWidget

from desktop.style.i18n import tr
from engine.image.formats import IMAGE_SUFFIXES
from engine.image.list_file import LIST_SUFFIXES


def ask_images(parent: QWidget) -> list[Path]:
    """The image files that the user picks; empty after cancel."""
    patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(IMAGE_SUFFIXES))
    lists = " ".join(f"*{suffix}" for suffix in sorted(LIST_SUFFIXES))
    kinds = f"{tr('Images')} ({patterns});;{tr('Lists of images')} ({lists});;{tr('All files')} (*)"
    names, _ = QFileDialog.getOpenFileNames(parent, tr("Open images"), "", kinds)
    return [Path(name) for name in names]


def ask_folder(parent: QWidget) -> Path | None:
    """The folder that the user picks."""
    name = QFileDialog.getExistingDirectory(parent, tr("Open a folder"))
    return Path(name) if name else None
