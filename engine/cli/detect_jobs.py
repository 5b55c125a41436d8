"""Which images `detrdesk detect` is asked for, and where each one's annotated image goes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.detect.same_name import same_name
from engine.errors import EngineError
from engine.export.formats.annotated import ANNOTATED_JPEG, ANNOTATED_PNG
from engine.image.list_file import LIST_SUFFIXES
from engine.image.listing import ListingNotes, expand_sources, is_pattern
from engine.image.source import Source
from engine.storage.atomic import cannot_write

_IMAGE_SUFFIXES = (*ANNOTATED_PNG.suffixes, *ANNOTATED_JPEG.suffixes)


@dataclass(frozen=True, slots=True)
class Job:
    """One image to detect in.

    Attributes:
        source: Where it comes from.
        image_out: Where its annotated image goes, or `None`.
        problem: Why it is known beforehand that it cannot be opened, or `None`.
    """

    source: Source
    image_out: Path | None = None
    problem: EngineError | None = None


def jobs_of(given: argparse.Namespace, notes: ListingNotes) -> list[Job]:
    """The images that were named, folders looked through; makes the folder for annotated images.

    Args:
        given: The command line.
        notes: Filled with what the user should know of folders and lists.

    Raises:
        WriteError: that folder cannot be made.
    """
    jobs = [job for text in given.sources for job in _named_by(text, notes)]
    out: Path | None = given.image_out
    if out is None:
        return jobs
    if is_single(given) and not out.is_dir() and out.suffix.lower() in _IMAGE_SUFFIXES:
        return [replace(job, image_out=out) for job in jobs]
    _make_folder(out)
    return [replace(job, image_out=path) for job, path in zip(jobs, _free_paths(out, jobs), strict=True)]


def _named_by(text: str, notes: ListingNotes) -> list[Job]:
    try:
        return [Job(source) for source in expand_sources([text], notes)]
    except EngineError as error:
        return [Job(Source("data", text[:40], text[:200]), problem=error)]


def is_single(given: argparse.Namespace) -> bool:
    """Whether one image was named; a folder or a list counts as several, whatever it holds."""
    return len(given.sources) == 1 and not _holds_several(given.sources[0])


def _holds_several(text: str) -> bool:
    path = os.path.expanduser(text)  # noqa: PTH111 (pathlib raises on base64 text)
    if path.lower().endswith(tuple(LIST_SUFFIXES)):
        return os.path.isfile(path)  # noqa: PTH113
    return os.path.isdir(path) or is_pattern(Source("path", path, path))  # noqa: PTH112


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def _free_paths(folder: Path, jobs: list[Job]) -> Iterator[Path]:
    """A path for each image, none twice; the names tell them from the images themselves."""
    taken: set[str] = set()
    for job in jobs:
        stem = base = f"{Path(job.source.name).stem or 'image'}_detections"
        number = 2
        while same_name(stem).lower() in taken:
            stem, number = f"{base}_{number}", number + 1
        taken.add(same_name(stem).lower())
        yield folder / f"{stem}.png"
