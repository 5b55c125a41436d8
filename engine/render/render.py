"""Drawing of detections on images, for exports and the server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw

from engine.detect.detection import Box, Detection, Detections
from engine.errors import ImageError
from engine.render.fonts import font_for, runs
from engine.render.label_layout import place_labels
from engine.render.palette import LINE_STYLES, Colour, label_colour, line_style, text_colour_on

_LONGEST_LABEL = 48
_JPEG_SIDE = 65_500
_MARGIN = 0.35
"""Margin around a label's text, in text sizes."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Line width and text size in pixels, proportional to the image size."""

    line: int
    text: int

    @classmethod
    def of(cls, image: Image.Image) -> _Scale:
        side = min(image.size)
        return cls(line=max(1 if side < 100 else 2, round(side / 400)), text=max(12, round(side / 52)))

    @property
    def margin(self) -> int:
        return max(2, round(self.text * _MARGIN))


@dataclass(frozen=True, slots=True)
class _Label:
    """A label's text with a font for each piece, and the size of its background in pixels."""

    pieces: tuple[tuple[str, Path], ...]
    width: int
    height: int


def draw_detections(image: Image.Image, detections: Detections) -> Image.Image:
    """Draw boxes, labels and scores on a copy of the image, mode RGB.

    Args:
        image: The upright image; boxes are in its pixels.
        detections: The detections to draw, best first; better ones are drawn on top, and their labels placed first.
    """
    drawn = image.convert("RGB") if image.mode != "RGB" else image.copy()
    brush, scale, shown = ImageDraw.Draw(drawn), _Scale.of(image), list(detections)
    for detection in reversed(shown):
        _draw_box(brush, detection, scale.line, image.size)
    fitting = [(detection, label) for detection in shown if (label := _label_within(detection, scale, image.size))]
    corners = place_labels(
        [_grown(detection.box, scale.line / 2) for detection, _ in fitting],
        [(label.width, label.height) for _, label in fitting],
        (0, 0, *image.size),
    )
    for (detection, label), (x, y) in reversed(list(zip(fitting, corners, strict=True))):
        _draw_label(brush, label, (round(x), round(y)), label_colour(detection.label), scale)
    return drawn


def encode_image(image: Image.Image, format: Literal["JPEG", "PNG"] = "JPEG") -> bytes:
    """Encode an image as a file without metadata.

    Raises:
        ImageError: `too_long_for_jpeg`: a side over 65,500 pixels.
    """
    if format == "JPEG" and max(image.size) > _JPEG_SIDE:
        message = "A JPEG has at most {limit} pixels a side; choose PNG."
        raise ImageError("too_long_for_jpeg", message, limit=_JPEG_SIDE)
    out = io.BytesIO()
    if format == "JPEG":
        image.convert("RGB").save(out, "JPEG", quality=90, subsampling=0)
    else:
        image.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _draw_box(brush: ImageDraw.ImageDraw, detection: Detection, line: int, size: tuple[int, int]) -> None:
    """Draw the outline centred on the edge of the box, moved inward at the edge of the image."""
    half = line // 2
    xmin, ymin, xmax, ymax = (round(edge) for edge in detection.box)
    left, top = min(max(xmin - half, 0), size[0] - 1), min(max(ymin - half, 0), size[1] - 1)
    right, bottom = max(min(xmax + half, size[0]) - 1, left), max(min(ymax + half, size[1]) - 1, top)
    colour, pattern = label_colour(detection.label), LINE_STYLES[line_style(detection.label)]
    if not pattern or min(right - left, bottom - top) < 12 * line:
        brush.rectangle((left, top, right, bottom), outline=colour, width=line)
        return
    for start, end in _strokes(left, right, pattern, line):
        brush.rectangle((start, top, end, top + line - 1), fill=colour)
        brush.rectangle((start, bottom - line + 1, end, bottom), fill=colour)
    for start, end in _strokes(top, bottom, pattern, line):
        brush.rectangle((left, start, left + line - 1, end), fill=colour)
        brush.rectangle((right - line + 1, start, right, end), fill=colour)


def _strokes(first: int, last: int, pattern: tuple[float, ...], line: int) -> Iterator[tuple[int, int]]:
    """Yield first and last pixel of each dash of a line from `first` to `last` inclusive."""
    at, turn = float(first), 0
    while at <= last:
        length = pattern[turn % len(pattern)] * line
        if turn % 2 == 0:
            yield round(at), min(round(at + length) - 1, last)
        at, turn = at + length, turn + 1


def _label_within(detection: Detection, scale: _Scale, size: tuple[int, int]) -> _Label | None:
    """Lay out the label of a detection; `None` if it is larger than the image."""
    pieces = (*runs(_printable(detection.label)), *runs(f" {detection.score:.2f}"))
    width = round(sum(font_for(path, scale.text).getlength(piece) for piece, path in pieces)) + 2 * scale.margin
    height = round(scale.text * 1.2) + scale.margin
    return _Label(pieces, width, height) if width <= size[0] and height <= size[1] else None


def _printable(label: str) -> str:
    clean = "".join(char if char.isprintable() else " " for char in label).strip()
    return clean if len(clean) <= _LONGEST_LABEL else clean[: _LONGEST_LABEL - 1] + "…"


def _draw_label(
    brush: ImageDraw.ImageDraw, label: _Label, corner: tuple[int, int], colour: Colour, scale: _Scale
) -> None:
    x, y = corner
    brush.rectangle((x, y, x + label.width - 1, y + label.height - 1), fill=colour)
    baseline = y + round((label.height + scale.text * 0.73) / 2)
    at = float(x + scale.margin)
    for piece, path in label.pieces:
        font = font_for(path, scale.text)
        brush.text((at, baseline), piece, fill=text_colour_on(colour), font=font, anchor="ls")
        at += font.getlength(piece)


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by
