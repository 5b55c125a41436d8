"""Export of many images: streamed, cancellable, with atomic writes."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.errors import CancelledError, EngineError
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage, OneFile
from engine.export.item import ExportItem
from engine.storage.atomic import WriteError, cannot_write, open_atomic, write_atomic

_NAME_ERRORS = {errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG}


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that could not be exported, and the reason."""

    name: str
    reason: EngineError


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """The result of an export.

    Attributes:
        target: The file or the folder.
        files: Number of files written.
        images: Number of images in them.
        detections: Number of detections in them.
        without_area: Number of boxes left out because they have no area inside the image.
        skipped: Images that could not be exported.
        was_cancelled: Whether it was cancelled; the counts are those of complete files.
    """

    target: Path
    files: int
    images: int
    detections: int
    without_area: int
    skipped: tuple[Skipped, ...]
    was_cancelled: bool


def export_items(
    format: ExportFormat,
    items: Iterable[ExportItem],
    target: Path,
    classes: ExportClasses,
    *,
    progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = bool,
) -> ExportSummary:
    """Export images in one format.

    A `OneFile` format writes the file `target`. A `FilePerImage` format fills the folder `target`, which is made; if
    `target` has one of the format's suffixes and is not a folder, it is the file of the only image. After cancelling,
    files already written remain, and the target of a `OneFile` format is unchanged. An image that cannot be exported
    is skipped and listed in the summary.

    Args:
        format: One of `EXPORT_FORMATS`.
        items: The images in the order of their ids; consumed one at a time and not kept.
        target: A file or a folder.
        classes: The classes of the whole session.
        progress: Called after each image with the number of images done.
        cancelled: Called before each image; return true to end the export.

    Raises:
        WriteError: A file or folder cannot be written, or `target` is a file where a folder is needed; the message
            names the path. Files already written are complete.
    """
    run = _Run(classes, progress, cancelled)
    try:
        match format.writer:
            case OneFile():
                run.write_one(format.writer, items, target)
            case FilePerImage():
                run.write_many(format.writer, items, target, is_file=_names_file(format, target))
    except CancelledError:
        run.was_cancelled = True
    return run.summary(target)


def _names_file(format: ExportFormat, target: Path) -> bool:
    return target.suffix.lower() in format.suffixes and not target.is_dir()


@dataclass
class _Run:
    """The state of a running export."""

    classes: ExportClasses
    progress: Callable[[int], None]
    cancelled: Callable[[], bool]
    files: int = 0
    images: int = 0
    detections: int = 0
    without_area: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    was_cancelled: bool = False

    def write_one(self, writer: OneFile, items: Iterable[ExportItem], target: Path) -> None:
        """Write all images to the file `target`."""
        _make_folder(target.parent)
        try:
            with open_atomic(target) as file:
                for chunk in writer.chunks(self._numbered(items), self.classes):
                    file.write(chunk)
        except CancelledError:
            self.images = self.detections = self.without_area = 0
            raise
        self.files = 1

    def write_many(self, writer: FilePerImage, items: Iterable[ExportItem], target: Path, *, is_file: bool) -> None:
        """Write the files of each image to the folder `target`, or the file of the only image to `target`."""
        if is_file:
            items = _only_item(items, target)
        elif target.is_file():
            raise WriteError("export_file_not_folder", "{path} is a file; choose a folder.", path=target)
        folder = target.parent if is_file else target
        shared = {folder / name: data for name, data in writer.shared_files(self.classes).items()}
        for path, data in shared.items():
            self._write(path, data)
        for number, item in enumerate(items, 1):
            self._check_cancelled()
            path = target if is_file else target / (item.name.stem + writer.ending)
            try:
                _check_free(path, shared)
                ready = item.ready(self.classes)
                for written, data in writer.files(ready, path, self.classes):
                    self._write(written, data)
            except WriteError as error:
                if not _is_name_refused(error):
                    raise
                message = "The target cannot hold a file of this name; rename the image."
                self._skip(item, EngineError("export_name_refused", message))
            except CancelledError:
                raise
            except EngineError as error:
                self._skip(item, error)
            else:
                self._count(item, ready)
            self.progress(number)

    def summary(self, target: Path) -> ExportSummary:
        """Return the counts so far."""
        return ExportSummary(
            target,
            self.files,
            self.images,
            self.detections,
            self.without_area,
            tuple(self.skipped),
            self.was_cancelled,
        )

    def _numbered(self, items: Iterable[ExportItem]) -> Iterator[tuple[int, ExportItem]]:
        """Yield prepared items with their numbers from 1; skipped items use up a number, so that exports agree."""
        for number, item in enumerate(items, 1):
            self._check_cancelled()
            try:
                ready = item.ready(self.classes)
            except EngineError as error:
                self._skip(item, error)
            else:
                self._count(item, ready)
                yield number, ready
            self.progress(number)

    def _check_cancelled(self) -> None:
        if self.cancelled():
            raise CancelledError

    def _count(self, item: ExportItem, ready: ExportItem) -> None:
        self.images += 1
        self.detections += len(ready.shown)
        self.without_area += len(item.shown) - len(ready.shown)

    def _skip(self, item: ExportItem, error: EngineError) -> None:
        self.skipped.append(Skipped(item.name.file_name, error))

    def _write(self, path: Path, data: bytes) -> None:
        _make_folder(path.parent)
        write_atomic(path, data)
        self.files += 1


def _is_name_refused(error: WriteError) -> bool:
    """Whether a file could not be written because of its name, such as one with a colon on exFAT."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _NAME_ERRORS


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _check_free(path: Path, shared: Collection[Path]) -> None:
    """Check that an image's file does not overwrite a shared file, such as YOLO's classes.txt.

    Raises:
        EngineError: `export_name_taken`.
    """
    if str(path).casefold() in (str(each).casefold() for each in shared):
        message = "The export has a file {name} of its own; rename the image."
        raise EngineError("export_name_taken", message, name=path.name)


def _only_item(items: Iterable[ExportItem], target: Path) -> list[ExportItem]:
    """Return the only item in a list.

    Raises:
        WriteError: `export_needs_folder`: there are several.
    """
    first = list(islice(items, 2))
    if len(first) > 1:
        message = "{path} is one file, and there are several images; choose a folder."
        raise WriteError("export_needs_folder", message, path=target)
    return first
