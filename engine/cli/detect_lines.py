"""Going on with the JSON Lines file of a `detrdesk detect` that was stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.detect.detection import Filter
from engine.detect.tiling import Tiling
from engine.errors import EngineError
from engine.storage.atomic import cannot_write, write_atomic
from engine.storage.json_lines import done_sources


def told_of(tiling: Tiling | None) -> dict[str, float]:
    """What a line tells of its tiles; nothing where there were none, so that such lines are as they always were."""
    return {} if tiling is None else {"tiles": tiling.side, "overlap": tiling.overlap}


def begin_lines(path: Path, model: str, chosen: Filter, tiling: Tiling | None, resume: bool) -> set[str]:
    """Make the file ready for more lines and return the sources that it has already.

    Without `resume` it begins empty. With it, a half-written last line is cut off, and images that failed are taken
    out, for they are tried again. Lines that tell of no tiles are taken for answers without, though the
    first versions told of none in any line.

    Raises:
        EngineError: the file holds something else, or was written for another model, threshold, top_k or tiles.
        WriteError: it cannot be read or written.
    """
    if not resume or not path.exists():
        write_atomic(path, b"")
        return set()
    without: dict[str, Any] = {"tiles": None, "overlap": None}
    wanted = {"model": model, "threshold": chosen.threshold, "top_k": chosen.top_k, **without, **told_of(tiling)}
    has_failures = False
    for line in _whole_lines(path):
        record = _record_in(line, path)
        has_failures |= "error" in record
        if "error" not in record:
            _check(record, path, wanted)
    done = done_sources(path)
    if has_failures:
        write_atomic(path, b"".join(line for line in _whole_lines(path) if "error" not in _record_in(line, path)))
    return done


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise cannot_write(path, error) from error


def _record_in(line: bytes, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if isinstance(record, dict) and isinstance(record.get("source"), str):
        return record
    raise EngineError(
        "not_our_lines", "{path} is not a file that --json-lines wrote; name another one to write to.", path=path
    )


def _check(record: dict[str, Any], path: Path, wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if record.get(name) != value:
            raise EngineError(
                "other_lines",
                "{path} was written with {name} {was}, not {value}; use the same, or name another file.",
                path=path,
                name=name,
                was=record.get(name),
                value=value,
            )
