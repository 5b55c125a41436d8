"""Sources of images (paths, URLs, `data:` URIs, base64, bytes) and reading of their bytes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal
from urllib.parse import unquote, urlsplit

from engine.detect.same_name import existing_twin
from engine.errors import CancelledError, SourceError
from engine.image.fetch_policy import FetchPolicy
from engine.image.formats import format_of
from engine.image.inline import PIECE, base64_bytes, data_uri_bytes
from engine.image.limits import LOCAL_LIMITS, Limits, too_many_bytes

Kind = Literal["path", "url", "data", "bytes"]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_CHUNK = 4 << 20
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image comes from.

    Attributes:
        kind: `path`, `url`, `data` (a data: URI or base64) or `bytes`.
        name: Display name: the file's name, the last part of the URL, "pasted image".
        location: The path or the URL; for `data` and `bytes` the name.
        content: The bytes, for `data` and `bytes`.
    """

    kind: Kind
    name: str
    location: str
    content: bytes = field(default=b"", repr=False)


SourceLike = str | os.PathLike[str] | bytes | Source


def parse_source(value: SourceLike) -> Source:
    """Make a source of a path, an http(s) or file URL, a data: URI, base64 of an image, or the bytes of a file.

    Raises:
        SourceError: `url_not_http` for another scheme, `bad_data_uri`, `bad_base64`.
    """
    if isinstance(value, Source):
        return value
    if isinstance(value, bytes):
        return Source("bytes", "pasted image", "pasted image", value)
    if isinstance(value, os.PathLike):
        return _path_source(os.fspath(value))
    text = value.strip()
    if text[:5].lower() == "data:":
        return Source("data", "data URI", "data URI", data_uri_bytes([text.encode("utf-8", "replace")]))
    scheme = _SCHEME.match(text)
    if scheme:
        return _url_source(text, scheme[1].lower())
    if not os.path.lexists(value):
        content = _image_from_base64(text)
        if content:
            return Source("data", "base64 image", "base64 image", content)
        twin = existing_twin(os.path.expanduser(value))  # noqa: PTH111
        if twin is not None:
            return _path_source(twin)
    return _path_source(value)


def decode_base64(text: str) -> bytes:
    """Decode base64 text in pieces; see `base64_bytes`.

    Raises:
        SourceError: `bad_base64`.
    """
    return base64_bytes(text[at : at + PIECE].encode("utf-8", "replace") for at in range(0, len(text), PIECE))


def read_source(
    source: Source,
    limits: Limits = LOCAL_LIMITS,
    fetch_policy: FetchPolicy | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> bytes:
    """Read or fetch the bytes of an image file.

    Args:
        source: The image.
        limits: Size limits of all kinds but URLs.
        fetch_policy: Limits of URLs; `None` allows public addresses only.
        cancelled: Return true to give up.

    Raises:
        SourceError: `file_not_found`, `file_is_folder`, `file_not_regular`, `file_not_readable`, `too_many_bytes`, or
            any code that `fetch_url` raises.
        CancelledError: `cancelled` returned true.
    """
    if source.kind == "url":
        from engine.image.fetch import fetch_url  # imports requests, which local files do not need

        return fetch_url(source.location, fetch_policy or FetchPolicy(), cancelled=cancelled)
    if source.kind == "path":
        return _read_file(source, limits.max_bytes, cancelled)
    if len(source.content) > limits.max_bytes:
        raise too_many_bytes(SourceError, limits.max_bytes)
    return source.content


def _url_source(text: str, scheme: str) -> Source:
    if scheme in {"http", "https"}:
        return Source("url", url_name(text), text)
    parts = urlsplit(text) if scheme == "file" else None
    if parts is None or parts.netloc.lower() not in {"", "localhost"}:
        raise SourceError(
            "url_not_http",
            "Give an address that begins with http:// or https:// and has no user name or backslash.",
        )
    from urllib.request import url2pathname  # imports an HTTP client, which only file: URLs need

    return _path_source(url2pathname(parts.path))


def url_name(url: str) -> str:
    """Return the last part of the URL's path, or its host."""
    address = re.split(r"[?#]", url.partition("://")[2])[0]
    host, *rest = [part for part in address.split("/") if part] or [url]
    return printable(unquote(rest[-1]) if rest else host.rpartition("@")[2])


def _path_source(path: str) -> Source:
    expanded = os.path.expanduser(path)  # noqa: PTH111
    return Source("path", printable(Path(expanded).name or expanded), expanded)


def printable(name: str) -> str:
    """Replace unprintable characters and undecodable bytes of a file name, and shorten it."""
    if len(name) <= _LONGEST_NAME and name.isprintable():
        return name
    clean = name.encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else "?" for char in clean)[:_LONGEST_NAME]


def _image_from_base64(text: str) -> bytes | None:
    if not _BASE64.fullmatch(text):
        return None
    try:
        content = decode_base64(text)
    except SourceError:
        return None
    return content if format_of(content) else None


def _read_file(source: Source, limit: int, cancelled: Callable[[], bool]) -> bytes:
    try:
        status = os.stat(source.location)  # noqa: PTH116
        _check_status(source, status, limit)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        with open(os.open(source.location, flags), "rb") as file:  # noqa: PTH123
            _check_status(source, os.fstat(file.fileno()), limit)
            return _read_up_to(file, limit, cancelled)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceError("file_not_found", "There is no file {name}; check its name.", name=source.name) from error
    except OSError as error:
        message = "The file {name} cannot be read; check its permissions and its disk."
        raise SourceError("file_not_readable", message, name=source.name) from error


def _check_status(source: Source, status: os.stat_result, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise SourceError("file_is_folder", "{name} is a folder; choose an image in it.", name=source.name)
    if not stat.S_ISREG(status.st_mode):
        raise SourceError("file_not_regular", "{name} is not a file; choose an image file.", name=source.name)
    if status.st_size > limit:
        raise too_many_bytes(SourceError, limit)


def _read_up_to(file: IO[bytes], limit: int, cancelled: Callable[[], bool]) -> bytes:
    content = bytearray()
    while chunk := file.read(_CHUNK):
        if cancelled():
            raise CancelledError
        content += chunk
        if len(content) > limit:
            raise too_many_bytes(SourceError, limit)
    return bytes(content)
