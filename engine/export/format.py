"""Export formats as values: a name, and a function that encodes images to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.detect.detection import Detections, Filter
from engine.export.classes import ExportClasses
from engine.export.item import ExportItem


def _no_files(classes: ExportClasses) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True)
class FilePerImage:
    """A writer of one or more files per image.

    Attributes:
        ending: Appended to the image's stem to make the file's name.
        files: (image, path of its file, classes) -> path and bytes of each file. Raises `EngineError` if this image
            cannot be exported.
        shared_files: Files of the whole export by name, written first.
    """

    ending: str
    files: Callable[[ExportItem, Path, ExportClasses], Iterable[tuple[Path, bytes]]]
    shared_files: Callable[[ExportClasses], Mapping[str, bytes]] = _no_files

    def encode(self, item: ExportItem, classes: ExportClasses) -> bytes:
        """Encode the first file of one image; empty if the image has none."""
        path = Path(item.name.stem + self.ending)
        return next((data for _, data in self.files(item, path, classes)), b"")


@dataclass(frozen=True, slots=True)
class OneFile:
    """A writer of one file for all images.

    Attributes:
        chunks: (images with their numbers from 1, classes) -> chunks of the file, so that memory does not grow with
            the number of images.
    """

    chunks: Callable[[Iterator[tuple[int, ExportItem]], ExportClasses], Iterator[bytes]]

    def encode(self, item: ExportItem, classes: ExportClasses) -> bytes:
        """Encode the file of one image."""
        return b"".join(self.chunks(iter([(1, item)]), classes))


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format that detections can be exported in.

    Attributes:
        name: English name; the window translates it.
        key: Stable short name, for settings and the command line.
        suffixes: Suffixes of its files, the usual one first; empty for a format that always fills a folder.
        writer: Encodes items returned by `ExportItem.ready`.
    """

    name: str
    key: str
    suffixes: tuple[str, ...]
    writer: FilePerImage | OneFile

    def encode(self, image: Image.Image, found: Detections, chosen: Filter) -> bytes:
        """Encode the chosen detections of one image, for a file or the clipboard."""
        return self.writer.encode(ExportItem.of_image(image, found, chosen), ExportClasses.of(found.names))


def single_file(
    encode: Callable[[ExportItem, Path, ExportClasses], bytes],
) -> Callable[[ExportItem, Path, ExportClasses], Iterator[tuple[Path, bytes]]]:
    """Make `FilePerImage.files` for a format with a single file per image."""

    def files(item: ExportItem, path: Path, classes: ExportClasses) -> Iterator[tuple[Path, bytes]]:
        yield path, encode(item, path, classes)

    return files
