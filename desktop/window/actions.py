"""Actions on files and the clipboard, and what the user is asked for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QWidget

from desktop.images.clipboard import clipboard_content, put_image, put_text
from desktop.images.mime import can_open, given_in
from desktop.style.actions import ActionSpec, Group
from desktop.style.i18n import tr
from desktop.viewer.viewer import Viewer
from engine.image.formats import IMAGE_SUFFIXES
from engine.image.list_file import LIST_SUFFIXES
from engine.paths import resource

_Row = tuple[str, str, tuple[str, ...], Callable[[], object], str]
"""Name, text, keys, what to call, icon."""


class FileActions:
    """Opens what the user picks or pastes, and copies to the clipboard."""

    def __init__(self, viewer: Viewer, window: QWidget) -> None:
        self._viewer, self._window = viewer, window

    def specs(
        self, edit_address: Callable[[], object], export: Callable[[], object], export_as: Callable[[], object]
    ) -> tuple[ActionSpec, ...]:
        """Declare the actions, with those that other objects do."""
        copy_image = self._viewer.exports.copy_image
        rows: tuple[_Row, ...] = (
            ("openFiles", tr("Open images…"), ("Ctrl+O",), self.open_files, "folder-open"),
            ("openFolder", tr("Open a folder…"), ("Ctrl+U",), self.open_folder, "images"),
            ("openSamples", tr("Open the samples"), (), self.open_samples, "image"),
            ("paste", tr("Paste an image, file, URL or base64"), ("Ctrl+V",), self.paste, "clipboard-paste"),
            ("editSource", tr("Go to the URL box"), ("Ctrl+L",), edit_address, ""),
            ("export", tr("Export, as last time"), ("Ctrl+S",), export, "download"),
            ("exportAs", tr("Export…"), ("Ctrl+Shift+S",), export_as, "download"),
            ("copyImage", tr("Copy the annotated image"), ("Ctrl+C",), copy_image, "copy"),
            ("copyJson", tr("Copy the JSON"), ("Ctrl+Shift+C",), self.copy_json, ""),
        )
        return tuple(ActionSpec(*row, group=Group.FILES) for row in rows)

    def open_files(self) -> None:
        """Ask for image files and open them."""
        self._viewer.browsing.open(_ask_images(self._window))

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        name = QFileDialog.getExistingDirectory(self._window, tr("Open a folder"))
        self._viewer.browsing.open([Path(name)] if name else [])

    def open_samples(self) -> None:
        """Open the images that come with the program."""
        self._viewer.browsing.open([resource("samples")])

    def paste(self) -> None:
        """Open what is on the clipboard."""
        mime = clipboard_content()
        if mime is None or not can_open(mime):
            self._viewer.tell(tr("The clipboard holds nothing that can be opened."))
        else:
            self._viewer.browsing.open(given_in(mime))

    def copy_json(self) -> None:
        """Copy the API's answer for the shown image."""
        text = self._viewer.exports.answer_json()
        if text:
            put_text(text)
            self._viewer.tell(tr("The JSON is on the clipboard."))

    def copy_text(self, text: str) -> None:
        """Copy a text."""
        put_text(text)
        self._viewer.tell(tr("Copied to the clipboard."))

    def copy_png(self, png: bytes) -> None:
        """Copy the annotated image."""
        put_image(png)
        self._viewer.tell(tr("The annotated image is on the clipboard."))


def _ask_images(parent: QWidget) -> list[Path]:
    """Return the image files that the user picks; none after cancel."""
    patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(IMAGE_SUFFIXES))
    lists = " ".join(f"*{suffix}" for suffix in sorted(LIST_SUFFIXES))
    kinds = f"{tr('Images')} ({patterns});;{tr('Lists of images')} ({lists});;{tr('All files')} (*)"
    names, _ = QFileDialog.getOpenFileNames(parent, tr("Open images"), "", kinds)
    return [Path(name) for name in names]
