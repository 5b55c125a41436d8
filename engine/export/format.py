"""What an export format is: a name, and a function that makes the bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.detect.detection import Detections, Filter
from engine.export.classes import ClassTable
from engine.export.item import ExportItem


def _nothing(classes: ClassTable) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True)
class FileAnImage:
    """A way to export: a file for each image, or several, in a folder.

    Attributes:
        ending: What the file's name has behind the image's stem.
        files: (image, path of its file, classes) -> path and bytes of each file; `EngineError` where this image cannot
            be exported.
        beside: Files of the whole export by name, which are written first.
    """

    ending: str
    files: Callable[[ExportItem, Path, ClassTable], Iterable[tuple[Path, bytes]]]
    beside: Callable[[ClassTable], Mapping[str, bytes]] = _nothing

    def encode(self, item: ExportItem, classes: ClassTable) -> bytes:
        """The first file of one image; empty where there is none."""
        path = Path(item.place.stem + self.ending)
        return next((data for _, data in self.files(item, path, classes)), b"")


@dataclass(frozen=True, slots=True)
class OneFile:
    """A way to export: one file for all images.

    Attributes:
        chunks: (images with their numbers from 1, classes) -> the file's bytes, piece by piece, so that 50,000 images
            need no more memory than one.
    """

    chunks: Callable[[Iterator[tuple[int, ExportItem]], ClassTable], Iterator[bytes]]

    def encode(self, item: ExportItem, classes: ClassTable) -> bytes:
        """The file of one image."""
        return b"".join(self.chunks(iter([(1, item)]), classes))


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One format that detections can be written in.

    Attributes:
        name: What it is called, in English; the window translates it.
        key: A short name that stays the same, for settings and the command line.
        suffixes: Endings of its files, the usual one first; none where it always fills a folder.
        way: How it writes. It is given items that are `ready`: boxes inside the image, label ids of the classes.
    """

    name: str
    key: str
    suffixes: tuple[str, ...]
    way: FileAnImage | OneFile

    def encode(self, image: Image.Image, found: Detections, chosen: Filter) -> bytes:
        """The bytes for one image's chosen detections, as a file or for the clipboard."""
        return self.way.encode(ExportItem.of_image(image, found, chosen), ClassTable.of(found.names))


def one_file(
    encode: Callable[[ExportItem, Path, ClassTable], bytes],
) -> Callable[[ExportItem, Path, ClassTable], Iterator[tuple[Path, bytes]]]:
    """The `files` of a format that has a single file an image."""

    def files(item: ExportItem, path: Path, classes: ClassTable) -> Iterator[tuple[Path, bytes]]:
        yield path, encode(item, path, classes)

    return files
