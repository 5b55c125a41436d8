"""Encoding of JSON and boxes for the text formats."""

from __future__ import annotations

import json

from engine.answer import shortest
from engine.detect.detection import Box, Detection


def json_bytes(value: object) -> bytes:
    """Encode as one line of UTF-8 JSON; undecodable bytes of file names become escapes that JSON readers restore."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def corners(detection: Detection) -> Box:
    """Return the box, xyxy in pixels, in the shortest decimals of its float32 values."""
    xmin, ymin, xmax, ymax = (shortest(edge) for edge in detection.box)
    return xmin, ymin, xmax, ymax


def corner_and_size(detection: Detection) -> Box:
    """Return the box as x, y, width, height in pixels, sizes rounded to 4 decimals."""
    xmin, ymin, xmax, ymax = corners(detection)
    return xmin, ymin, round(xmax - xmin, 4), round(ymax - ymin, 4)
