"""Multipart bodies."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import ParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from engine.api.errors import RequestError

_MOST_PARTS = 64
_PIECE = 1 << 20
"""Bytes that are worked on at a time: other threads run in between."""


@dataclass(frozen=True)
class Part:
    """One part of a form.

    Attributes:
        name: The field's.
        is_file: Whether it carries a file name.
        content: Its bytes.
    """

    name: str
    is_file: bool
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", "replace").strip()


def is_multipart(content_type: str) -> bool:
    """Whether a Content-Type header announces a form with files."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def parse_form(body: bytes | bytearray, content_type: str) -> list[Part]:
    """The parts of a form in order.

    Raises:
        RequestError: `bad_form`.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise _bad_form()
    reader, view = _Reader(), memoryview(body)
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        for at in range(0, len(view), _PIECE):
            parser.write(bytes(view[at : at + _PIECE]))
        parser.finalize()
    except ParseError as error:
        raise _bad_form() from error
    if reader.unfinished:
        raise _bad_form()
    return reader.parts


class _Reader:
    """Collects what the parser calls out."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.unfinished = False
        self._content: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._field = self._value = b""

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_field,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_part_data": lambda data, start, end: self._content.append(data[start:end]),
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) >= _MOST_PARTS:
            message = "The form has more than {limit} parts; send fewer."
            raise RequestError("too_many_images", message, limit=_MOST_PARTS)
        self.unfinished = True
        self._content, self._headers = [], {}

    def _add_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _end(self) -> None:
        self.unfinished = False
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        self.parts.append(Part(name, b"filename" in options, b"".join(self._content)))


def _bad_form() -> RequestError:
    return RequestError("bad_form", "The form is not complete multipart/form-data; send it again.")
