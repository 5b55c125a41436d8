"""JSON Lines that survive a killed process: each line is whole on the disk before the next one begins."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from engine.storage.atomic import cannot_write, sync

_BLOCK = 1 << 16


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Append one record as one line, creating the file where needed, and sync it.

    Where the disk has no room for the whole line, nothing of it stays.

    Raises:
        WriteError: naming the file and the reason.
    """
    line = json.dumps(record, ensure_ascii=False) + "\n"
    try:
        with path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                _write_whole(file, line.encode("utf-8", "backslashreplace"))
                sync(file)
            except OSError:
                file.truncate(end)
                raise
    except OSError as error:
        raise cannot_write(path, error) from error


def done_sources(path: Path) -> set[str]:
    """The `source` of every record that holds no error, so that a stopped run can go on; none where no file is.

    A last line that a killed process left half-written is cut off, so that the next record begins a line of its own.

    Raises:
        WriteError: naming the file and the reason.
    """
    try:
        with path.open("r+b") as file:
            _cut_half_line(file)
            file.seek(0)
            records = (_record_in(line) for line in file)
            return {record["source"] for record in records if "source" in record and "error" not in record}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise cannot_write(path, error) from error


def _write_whole(file: IO[bytes], data: bytes) -> None:
    """Write all bytes; an unbuffered write may take only a part on a nearly full disk."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _cut_half_line(file: IO[bytes]) -> None:
    """Truncate the file after its last line break."""
    end = size = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end < size:
        file.truncate(end)
        sync(file)


def _record_in(line: bytes) -> dict[str, Any]:
    """The record of a line; empty where it is none, e.g. after a power cut."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
