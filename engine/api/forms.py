"""Multipart bodies."""

from __future__ import annotations

import math
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from engine.api.errors import RequestError

_MAX_PARTS = 64
_PIECE = 1 << 20
"""Bytes that are parsed at a time: other threads run in between."""


@dataclass(frozen=True)
class Part:
    """One part of a form.

    Attributes:
        name: The field's name.
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
    """Return whether a Content-Type header announces a form with files."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def parse_form(body: bytes | bytearray, content_type: str) -> list[Part]:
    """Split a form into its parts, in order; all of them stay in memory.

    Raises:
        RequestError: `bad_form`, or `too_many_images` for more than 64 parts.
    """
    parts: list[Part] = []
    ends: list[bool] = []

    def add(name: bytes | None, is_file: bool, content: bytes) -> None:
        if len(parts) >= _MAX_PARTS:
            message = "The form has more than {limit} parts; send fewer."
            raise RequestError("too_many_images", message, limit=_MAX_PARTS)
        parts.append(Part((name or b"").decode("utf-8", "replace"), is_file, content))

    def add_field(field: Field) -> None:
        add(field.field_name, False, field.value or b"")

    def add_file(file: File) -> None:
        file.file_object.seek(0)
        add(file.field_name, True, file.file_object.read())
        file.close()

    try:
        parser = FormParser(
            "multipart/form-data",
            add_field,
            add_file,
            on_end=lambda: ends.append(True),
            boundary=parse_options_header(content_type)[1].get(b"boundary") or None,
            config={"MAX_MEMORY_FILE_SIZE": math.inf},
        )
        view = memoryview(body)
        for at in range(0, len(view), _PIECE):
            parser.write(bytes(view[at : at + _PIECE]))
        parser.finalize()
    except FormParserError as error:
        raise _bad_form() from error
    if not ends:
        raise _bad_form()
    return parts


def _bad_form() -> RequestError:
    return RequestError("bad_form", "The form is not complete multipart/form-data; send it again.")
