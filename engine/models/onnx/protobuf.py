"""Iteration over the fields of a protobuf file; unread fields are skipped by seeking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MOST_FIELDS = 2_000_000
"""Limit on damaged files; a model of 10,000 nodes has some 300,000 fields."""

_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED_64: 8, _FIXED_32: 4}
_LONGEST_VARINT = 10


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: Its number in the message's definition.
        value: Value of a varint field, unsigned; else `None`.
        start, end: Offsets of a length-delimited field's content in the file; for others both are the field's end.
    """

    number: int
    value: int | None
    start: int
    end: int


class ProtobufFile:
    """A protobuf file of any size, read field by field.

    Every method raises ValueError if the file is not protobuf, is truncated, or has more than `MOST_FIELDS` fields.
    Source: https://protobuf.dev/programming-guides/encoding/
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._fields = 0
        self.size = file.seek(0, 2)

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Yield the fields of the message between the offsets `start` and `end`."""
        at = start
        while at < end:
            self._fields += 1
            key, at = self._varint(at, end)
            number, kind = key >> 3, key & 7
            if number == 0 or self._fields > MOST_FIELDS:
                raise ValueError("not the fields of a message")
            value, length = None, 0
            if kind == _VARINT:
                value, at = self._varint(at, end)
            elif kind == _LENGTH:
                length, at = self._varint(at, end)
            elif kind in _FIXED_BYTES:
                length = _FIXED_BYTES[kind]
            else:
                raise ValueError(f"there is no kind {kind} of fields")
            if length > end - at:
                raise ValueError("a field is longer than its message")
            yield Field(number, value, at, at + length)
            at += length

    def content(self, field: Field, most: int) -> bytes:
        """Return the content of a field.

        Raises:
            ValueError: it has more than `most` bytes.
        """
        if field.end - field.start > most:
            raise ValueError("a field is longer than it may be")
        self._file.seek(field.start)
        return self._file.read(field.end - field.start)

    def text(self, field: Field, most: int = 65536) -> str:
        """Return the text of a field of at most `most` bytes."""
        return self.content(field, most).decode()

    def integers(self, field: Field, most: int = 64) -> list[int]:
        """Yield the signed numbers of a repeated varint field, packed or not, of at most `most` bytes."""
        if field.value is not None:
            return [_signed(field.value)]
        if field.end - field.start > most:
            raise ValueError("a field has more numbers than it may have")
        numbers, at = [], field.start
        while at < field.end:
            number, at = self._varint(at, field.end)
            numbers.append(_signed(number))
        return numbers

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        self._file.seek(at)
        value = 0
        for place, byte in enumerate(self._file.read(min(_LONGEST_VARINT, end - at))):
            value |= (byte & 127) << (7 * place)
            if byte < 128:
                return value & (2**64 - 1), at + place + 1
        raise ValueError("a number is cut off")


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
