"""CSV with one row per detection, for spreadsheets and pandas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from engine.answer import shortest
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, OneFile
from engine.export.item import ExportItem
from engine.export.text import corners

_HEAD = ("image", "label", "score", "xmin", "ymin", "xmax", "ymax", "status")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _chunks(items: Iterator[tuple[int, ExportItem]], classes: ExportClasses) -> Iterator[bytes]:
    """Encode as UTF-8 with a byte order mark, without which Excel on Chinese Windows reads the file as GBK."""
    yield "\ufeff".encode() + _rows([_HEAD])
    for _, item in items:
        name = item.source.location if item.source.kind == "url" else item.name.file_name
        rows = [
            (_text(name), _text(detection.label), shortest(detection.score), *corners(detection), status)
            for detection, status in zip(item.shown, item.statuses, strict=True)
        ]
        yield _rows(rows)


def _text(value: str) -> str:
    """Prefix text that a spreadsheet would evaluate as a formula with an apostrophe."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _rows(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8", "replace")


CSV = ExportFormat("CSV", "csv", (".csv",), OneFile(_chunks))
