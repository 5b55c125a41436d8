"""Exporting many images: streaming, cancellable, each file whole or not there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.errors import CancelledError, EngineError
from engine.export.classes import ClassTable
from engine.export.format import ExportFormat, FileAnImage, OneFile
from engine.export.item import ExportItem
from engine.storage.atomic import WriteError, cannot_write, open_atomic, write_atomic


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that could not be exported, and why."""

    name: str
    reason: EngineError


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export did.

    Attributes:
        target: The file or the folder.
        files: Written files.
        images: Images in them.
        detections: Detections in them.
        without_area: Boxes that were left out because nothing of them is inside the image.
        skipped: Images that could not be exported.
        was_cancelled: Whether it ended early; what is counted is there and whole.
    """

    target: Path
    files: int
    images: int
    detections: int
    without_area: int
    skipped: tuple[Skipped, ...]
    was_cancelled: bool

    @property
    def sentence(self) -> str:
        """All of it in English, for a command line or a log."""
        if self.was_cancelled and not self.files:
            return "Cancelled; nothing was written."
        images, detections = _counted(self.images, "image"), _counted(self.detections, "detection")
        done = f"{images} with {detections} exported to {self.target}."
        parts = [f"Cancelled; {done}" if self.was_cancelled else done]
        if self.without_area:
            parts.append(f"{_counted(self.without_area, 'box', 'boxes')} without area left out.")
        if self.skipped:
            first = self.skipped[0]
            failed = _counted(len(self.skipped), "image")
            parts.append(f"{failed} could not be exported, first {first.name}: {first.reason.message}")
        return " ".join(parts)


def export_items(
    format: ExportFormat,
    items: Iterable[ExportItem],
    target: Path,
    classes: ClassTable,
    *,
    progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = bool,
) -> ExportSummary:
    """Export images in one format.

    A format of one file for all writes `target`. The others fill the folder `target`, which is made; where `target` has
    one of the format's endings and is no folder, it is the file of the only image. A cancelled export leaves whole
    files or, in a format of one file, the old one. An image that cannot be opened is passed over and told in the
    summary.

    Args:
        format: One of `EXPORT_FORMATS`.
        items: Drawn one at a time, in the order of the image ids, none kept.
        target: A file or a folder.
        classes: Of the whole session.
        progress: Told after each image how many are done.
        cancelled: Asked before each image; true ends the export.

    Raises:
        WriteError: a file or folder cannot be written, or `target` is a file where a folder is needed; its message
            names it. Files written before are whole.
    """
    run = _Run(classes, progress, cancelled)
    try:
        match format.way:
            case OneFile():
                run.write_one(format.way, items, target)
            case FileAnImage():
                run.write_many(format.way, items, target, is_file=_names_file(format, target))
    except CancelledError:
        run.was_cancelled = True
    return run.summary(target)


def _names_file(format: ExportFormat, target: Path) -> bool:
    return target.suffix.lower() in format.suffixes and not target.is_dir()


@dataclass
class _Run:
    """One export while it goes on: what to ask, and the counts."""

    classes: ClassTable
    progress: Callable[[int], None]
    cancelled: Callable[[], bool]
    files: int = 0
    images: int = 0
    detections: int = 0
    without_area: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    was_cancelled: bool = False

    def write_one(self, way: OneFile, items: Iterable[ExportItem], target: Path) -> None:
        """All images in the file `target`."""
        _make_folder(target.parent)
        try:
            with open_atomic(target) as file:
                for chunk in way.chunks(self._numbered(items), self.classes):
                    file.write(chunk)
        except CancelledError:
            self.images = self.detections = self.without_area = 0
            raise
        self.files = 1

    def write_many(self, way: FileAnImage, items: Iterable[ExportItem], target: Path, *, is_file: bool) -> None:
        """Each image's files in the folder `target`, or the only image's in the file."""
        if is_file:
            items = _only(items, target)
        elif target.is_file():
            raise WriteError("export_file_not_folder", "{path} is a file; choose a folder.", path=target)
        folder = target.parent if is_file else target
        beside = {folder / name: data for name, data in way.beside(self.classes).items()}
        for path, data in beside.items():
            self._write(path, data)
        for number, item in enumerate(items, 1):
            self._ask()
            path = target if is_file else target / (item.place.stem + way.ending)
            try:
                _keep_apart(path, beside)
                ready = item.ready(self.classes)
                for written, data in way.files(ready, path, self.classes):
                    self._write(written, data)
            except (WriteError, CancelledError):
                raise
            except EngineError as error:
                self._skip(item, error)
            else:
                self._count(item, ready)
            self.progress(number)

    def summary(self, target: Path) -> ExportSummary:
        """What was done so far."""
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
        """Those that are ready, with their places from 1: a skipped one keeps its number, so that exports agree."""
        for number, item in enumerate(items, 1):
            self._ask()
            try:
                ready = item.ready(self.classes)
            except EngineError as error:
                self._skip(item, error)
            else:
                self._count(item, ready)
                yield number, ready
            self.progress(number)

    def _ask(self) -> None:
        if self.cancelled():
            raise CancelledError

    def _count(self, item: ExportItem, ready: ExportItem) -> None:
        self.images += 1
        self.detections += len(ready.shown)
        self.without_area += len(item.shown) - len(ready.shown)

    def _skip(self, item: ExportItem, error: EngineError) -> None:
        self.skipped.append(Skipped(item.place.file_name, error))

    def _write(self, path: Path, data: bytes) -> None:
        _make_folder(path.parent)
        write_atomic(path, data)
        self.files += 1


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _keep_apart(path: Path, beside: Collection[Path]) -> None:
    """An image called `classes` would overwrite YOLO's classes.txt.

    Raises:
        EngineError: `export_name_taken`.
    """
    if str(path).casefold() in (str(each).casefold() for each in beside):
        message = "The export has a file {name} of its own; rename the image."
        raise EngineError("export_name_taken", message, name=path.name)


def _only(items: Iterable[ExportItem], target: Path) -> list[ExportItem]:
    """The only one; two are drawn to see that there is no second."""
    first = list(islice(items, 2))
    if len(first) > 1:
        message = "{path} is one file, and there are several images; choose a folder."
        raise WriteError("export_needs_folder", message, path=target)
    return first


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
