"""Listing of the images that folders, lists and patterns stand for."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from engine.errors import SourceError
from engine.image.folder_walk import FolderWalk, natural_order
from engine.image.formats import IMAGE_SUFFIXES
from engine.image.list_file import LIST_SUFFIXES, read_list
from engine.image.source import Source, parse_source, printable, url_name

_SUFFIXES, _LIST_SUFFIXES = tuple(IMAGE_SUFFIXES), tuple(LIST_SUFFIXES)


@dataclass
class ListingNotes:
    """What a user should know of a listing.

    Attributes:
        links: Folders that were reached through links.
        passed_over: How many lines of a list name no image, by the name of the list.
    """

    links: int = 0
    passed_over: dict[str, int] = field(default_factory=dict)

    def told(self) -> list[SourceError]:
        """Return a sentence for each; they are never raised."""
        told = [
            SourceError("lines_passed_over", "Lines of {name} that name no image: {count}.", name=name, count=count)
            for name, count in self.passed_over.items()
        ]
        if self.links:
            told.append(SourceError("links_followed", "Folders reached through links: {count}.", count=self.links))
        return told


def expand_sources(
    paths: Iterable[str | os.PathLike[str] | bytes | Source], notes: ListingNotes | None = None
) -> list[Source]:
    """Make sources of paths, URLs and the like; folders and lists are replaced by their images. See `walk_sources`."""
    return [source for batch in walk_sources(paths, notes=notes) for source in batch]


def walk_sources(
    paths: Iterable[str | os.PathLike[str] | bytes | Source],
    cancelled: Callable[[], bool] = lambda: False,
    notes: ListingNotes | None = None,
) -> Iterator[list[Source]]:
    """Yield sources in non-empty batches, so that the first image of a large folder is available early.

    Folders are replaced by the images in them, text files of URLs and paths by their entries, patterns with wildcards
    by the images and folders that they match.

    Args:
        paths: What to list.
        cancelled: True ends it.
        notes: Filled with what the user should know.

    Raises:
        SourceError: `nothing_matches`, or as raised by `parse_source` and `read_list`.
        CancelledError: `cancelled` returned true.
    """
    notes = ListingNotes() if notes is None else notes
    for path in paths:
        source = parse_source(path)
        for each in _matches(source) if is_pattern(source) else [source]:
            if _is_folder(each):
                yield from walk_images(each.location, cancelled, notes)
            elif _is_list(each):
                yield from _walk_list(each, cancelled, notes)
            else:
                yield [each]


def walk_images(
    folder: str | os.PathLike[str], cancelled: Callable[[], bool], notes: ListingNotes | None = None
) -> Iterator[list[Source]]:
    """Yield batches of the images in a folder and its subfolders, as `FolderWalk` orders them.

    Raises:
        CancelledError: `cancelled` returned true.
    """
    walk = FolderWalk(os.fspath(folder), cancelled)
    for files in walk.files():
        yield [Source("path", printable(name), path) for path, name in files]
    if notes is not None:
        notes.links += walk.links


def is_pattern(source: Source) -> bool:
    """Whether a path has wildcards that a shell left alone: no file has this name."""
    is_path = source.kind == "path" and "\0" not in source.location
    return is_path and glob.has_magic(source.location) and not os.path.lexists(source.location)


def _matches(source: Source) -> list[Source]:
    """The images and folders that a pattern matches, in natural order; lists only where it asks for them.

    Raises:
        SourceError: `nothing_matches`.
    """
    pattern = source.location
    suffixes = (*_SUFFIXES, *_LIST_SUFFIXES) if pattern.lower().endswith(_LIST_SUFFIXES) else _SUFFIXES
    # what ** finds in folders of its own is not found again by walking through them
    is_deep = "**" in pattern
    found = [
        path
        for path in glob.iglob(pattern, recursive=True)  # noqa: PTH207
        if path.lower().endswith(suffixes) or (os.path.isdir(path) and not is_deep)  # noqa: PTH112
    ]
    if not found:
        message = "No image matches {name}; check the folder and the pattern."
        raise SourceError("nothing_matches", message, name=source.name)
    return [Source("path", printable(os.path.basename(path)), path) for path in sorted(found, key=natural_order)]  # noqa: PTH119


def _walk_list(listing: Source, cancelled: Callable[[], bool], notes: ListingNotes) -> Iterator[list[Source]]:
    singles: list[Source] = []
    listed = read_list(listing.location, listing.name)
    if listed.passed_over:
        notes.passed_over[listing.name] = notes.passed_over.get(listing.name, 0) + listed.passed_over
    for entry in listed.entries:
        source = _listed(entry)
        if not _is_folder(source):
            singles.append(source)
            continue
        if singles:
            yield singles
            singles = []
        yield from walk_images(source.location, cancelled, notes)
    if singles:
        yield singles


def _listed(entry: str) -> Source:
    """Make a source of a list entry; an invalid one fails when it is read, so that the rest of the list opens."""
    try:
        return parse_source(entry)
    except SourceError:
        return Source("url", url_name(entry), entry)


def _is_folder(source: Source) -> bool:
    return source.kind == "path" and "\0" not in source.location and os.path.isdir(source.location)  # noqa: PTH112


def _is_list(source: Source) -> bool:
    has_suffix = source.kind == "path" and source.location.lower().endswith(_LIST_SUFFIXES)
    return has_suffix and "\0" not in source.location and os.path.isfile(source.location)  # noqa: PTH113
