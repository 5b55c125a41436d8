"""Numbers and JSON as the text formats write them."""

from __future__ import annotations

import json

from engine.answer import shortest
from engine.detect.detection import Box, Detection


def json_bytes(value: object) -> bytes:
    """UTF-8 JSON on one line, Chinese as it is; what is no text in a file name becomes escapes that readers undo."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def corners(detection: Detection) -> Box:
    """The box, xyxy in pixels, in the fewest digits that mean the same."""
    xmin, ymin, xmax, ymax = (shortest(edge) for edge in detection.box)
    return xmin, ymin, xmax, ymax


def corner_and_size(detection: Detection) -> Box:
    """The box as x, y, width, height, pixels, sizes to a ten-thousandth."""
    xmin, ymin, xmax, ymax = corners(detection)
    return xmin, ymin, round(xmax - xmin, 4), round(ymax - ymin, 4)
