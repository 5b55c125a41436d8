"""The recently opened places and the history of typed addresses, in two JSON files."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from engine.errors import EngineError, SourceError
from engine.image.source import Source, parse_source
from engine.paths import data_dir
from engine.storage.atomic import write_atomic

MOST_OPENED, MOST_TYPED = 12, 50

_LARGEST_FILE = 1 << 20
_LONGEST = 4_096
_MOST_FILES = 3
"""If more files than this are opened at once, their folders are remembered instead."""
_MOST_LOOKED_AT = 100
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_SECRET_NAME = re.compile("key|token|sig|secret|pass|pwd|auth|credential|session|jwt|code", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"[\w+=-]{32,}")


@dataclass(frozen=True, slots=True)
class RecentEntry:
    """A recently opened place.

    Attributes:
        text: The path or URL.
        name: Its name in the menu.
        place: Its folder or host.
        is_folder: Whether it is a folder.
        is_there: Whether it exists; true for a URL, which is not requested.
    """

    text: str
    name: str
    place: str
    is_folder: bool = False
    is_there: bool = True


class RememberedTexts:
    """Texts in a JSON file, newest first; a file that cannot be read or written is ignored.

    Args:
        path: The file.
        most: How many texts are kept.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._most = most

    @property
    def texts(self) -> list[str]:
        """The texts in the file, which other windows may have changed."""
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.read(_LARGEST_FILE))
        except (OSError, ValueError, RecursionError):
            return []
        texts = found if isinstance(found, list) else []
        return [text for text in texts if isinstance(text, str) and 0 < len(text) <= _LONGEST][: self._most]

    def add(self, *texts: str) -> None:
        """Put these in front, in this order."""
        before = self.texts
        after = list(dict.fromkeys((*texts, *before)))[: self._most]
        if after == before:
            return
        with contextlib.suppress(OSError, EngineError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(after, indent=1).encode())


class Recent:
    """The recently opened files, folders and URLs."""

    def __init__(self) -> None:
        self._opened = RememberedTexts(data_dir() / "recent.json", MOST_OPENED)

    def add(self, given: Sequence[str | os.PathLike[str] | bytes | Source]) -> None:
        """Remember what was opened, but no pasted data and no addresses that contain a secret."""
        texts = [text for each in given[:_MOST_LOOKED_AT] if (text := _text_of(each))]
        files = {text for text in texts if not _is_address(text) and not _is_folder(text)}
        if len(files) > _MOST_FILES:
            texts = [str(Path(text).parent) if text in files else text for text in texts]
        self._opened.add(*dict.fromkeys(texts))

    @property
    def entries(self) -> list[RecentEntry]:
        """The recent places, newest first; checks for each whether it exists."""
        return [_entry(text) for text in self._opened.texts]


class AddressHistory:
    """The history of the address field."""

    def __init__(self) -> None:
        self._typed = RememberedTexts(data_dir() / "addresses.json", MOST_TYPED)

    def add(self, text: str) -> None:
        """Remember a path or a URL, but no data and no secret."""
        text = text.strip()
        if "\n" not in text and _text_of(text):
            self._typed.add(text)

    @property
    def texts(self) -> list[str]:
        """The typed texts, newest first."""
        return self._typed.texts


def _text_of(given: str | os.PathLike[str] | bytes | Source) -> str:
    """Return the absolute path or the URL; empty for what is not remembered."""
    if isinstance(given, Source):
        given = given.location if given.kind in {"path", "url"} else b""
    if isinstance(given, bytes):
        return ""
    text = os.fspath(given).strip()
    if not 0 < len(text) <= _LONGEST or "\0" in text:
        return ""
    if _is_address(text):
        return "" if _has_secret(text) else text
    if text[:7].lower() == "file://":
        with contextlib.suppress(SourceError):
            text = parse_source(text).location
    path = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111
    return path if os.path.exists(path) else ""  # noqa: PTH110


def _has_secret(address: str) -> bool:
    """Return whether a URL contains a user name, or something that looks like a key or a signature."""
    try:
        parts = urlsplit(address)
        fields = [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]
    except ValueError:
        return True
    names_user = "@" in parts.netloc
    return names_user or any(_SECRET_NAME.search(name) or _SECRET_VALUE.search(value) for name, value in fields)


def _entry(text: str) -> RecentEntry:
    if _is_address(text):
        parts = urlsplit(text)
        name = unquote(parts.path).rstrip("/").rpartition("/")[2]
        return RecentEntry(text, name or parts.netloc, parts.netloc)
    path = Path(text)
    return RecentEntry(text, path.name or text, str(path.parent), _is_folder(text), path.exists())


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.match(text))


def _is_folder(text: str) -> bool:
    return os.path.isdir(text)  # noqa: PTH112
