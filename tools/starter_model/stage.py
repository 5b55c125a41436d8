"""A small stage for the sample pictures: flat artwork, boxes in space, one camera, one lamp."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .codes import Ink, print_symbol, random_symbol
from .lettering import FONT_FOLDERS, Typesetter
from .scene import Canvas
from .sheets import Sheet, outline
from .textures import cardboard, noise

Rng = np.random.Generator
Colour = tuple[int, int, int]
BLACK: Colour = (24, 24, 26)
FACES = {
    "light": "Lato-Light.ttf", "regular": "Lato-Regular.ttf", "bold": "Lato-Bold.ttf", "black": "Lato-Black.ttf",
    "mono": "DejaVuSansMono.ttf", "serif": "LiberationSerif-Regular.ttf", "italic": "LiberationSerif-Italic.ttf",
    "narrow": "RobotoCondensed-Bold.ttf", "chinese": "NotoSansCJK-Bold.ttc", "songti": "NotoSerifCJK-Bold.ttc",
}  # fmt: skip


class Art:
    """Flat artwork of `width` x `height` pixels: text, shapes and codes, ready to be laid on a canvas."""

    def __init__(self, rng: Rng, width: int, height: int, ground: Colour | np.ndarray = (250, 249, 246)) -> None:
        filled = np.broadcast_to(np.asarray(ground, np.uint8), (height, width, 3))
        self._picture = Image.fromarray(np.ascontiguousarray(filled))
        self.pen = ImageDraw.Draw(self._picture)
        self.width, self.height = width, height
        self._rng, self._codes = rng, list[tuple[int, np.ndarray]]()

    def text(
        self,
        at: tuple[float, float],
        words: str,
        size: int,
        face: str = "regular",
        fill: Colour = BLACK,
        anchor: str = "la",
    ) -> None:
        """Sets `words`, `size` pixels high; `anchor` as in Pillow."""
        self.pen.text(at, words, fill=fill, font=face_font(face, size), anchor=anchor)

    def paste(self, image: np.ndarray, left: int, top: int) -> None:
        """Puts an RGB uint8 picture on the artwork."""
        self._picture.paste(Image.fromarray(image), (left, top))

    def code(
        self, kind: int, left: int, top: int, width: int, height: int, light: Colour = (252, 252, 250), dense: int = 60,
        captioned: bool = False,
    ) -> None:  # fmt: skip
        """Prints a code whose modules fill about `width` x `height`; `dense` is the most modules it may have a side."""
        ink = Ink(BLACK, light, caption=False)
        while True:
            symbol = random_symbol(self._rng, kind)
            square = kind == 1 or abs(np.log(symbol.aspect * height / width)) < 0.25
            if square and dense / 2 < max(symbol.modules.shape) <= dense:
                break
        printed = print_symbol(self._rng, symbol, width, height, ink, Typesetter())
        x0, y0, x1, y1 = (round(v) for v in printed.box)
        self.paste(printed.image[y0:y1, x0:x1], left, top)
        if captioned:
            self.text((left + width / 2, top + height + 4), symbol.caption, max(16, height // 6), "mono", anchor="ma")
        self._codes.append((kind, outline(left, top, left + x1 - x0, top + y1 - y0)))

    def sheet(self) -> Sheet:
        """The finished artwork."""
        image = np.asarray(self._picture)
        return Sheet(np.ascontiguousarray(image), np.ones(image.shape[:2], np.float32), list(self._codes))


class Stage:
    """A camera over a canvas; faces in space (right, up, towards the camera) are laid back to front."""

    def __init__(
        self, ground: np.ndarray, eye: tuple[float, float, float], target: tuple[float, float, float], zoom: float
    ):
        self.canvas = Canvas(ground)
        height, width = ground.shape[:2]
        self._eye = np.array(eye, float)
        ahead = np.array(target, float) - self._eye
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, (0, 1, 0))
        right /= np.linalg.norm(right)
        self._axes = np.stack([right, -np.cross(right, ahead), ahead])
        self._zoom, self._middle = zoom * width, np.array([width / 2, height / 2])

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points in space (n, 3) as pixels (n, 2)."""
        seen = (points - self._eye) @ self._axes.T
        return (seen[:, :2] / seen[:, 2:] * self._zoom + self._middle).astype(np.float32)

    def face(
        self, rng: Rng, sheet: Sheet, corner: np.ndarray, along: np.ndarray, down: np.ndarray, shadow: bool = False
    ) -> None:
        """Lays the sheet on the parallelogram that starts at its top left `corner`."""
        quad = self.project(np.array([corner, corner + along, corner + along + down, corner + down]))
        height, width = sheet.image.shape[:2]
        flat = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
        self.canvas.codes, kept = [], self.canvas.codes
        laid = self.canvas.lay(rng, sheet, cv2.getPerspectiveTransform(flat, quad).astype(np.float64), shadow)
        if sheet.codes and not laid:
            raise ValueError("a code of this sheet would be cut")
        self.canvas.codes = kept + self.canvas.codes

    def shade(self, points: np.ndarray, strength: float, softness: float) -> None:
        """Darkens the polygon of points in space (n, 3), its edge `softness` pixels soft: a cast shadow."""
        mask = np.zeros(self.canvas.image.shape[:2], np.float32)
        cv2.fillPoly(mask, [cv2.convexHull(self.project(points).astype(np.int32))], 1.0)
        small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), softness / 4), mask.shape[::-1])
        self.canvas.image = (self.canvas.image * (1 - strength * soft[..., None])).astype(np.uint8)


def face_font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """One of FACES at `size` pixels; DejaVu Sans where it is not installed."""
    for name in (FACES[face], "DejaVuSans.ttf"):
        for folder in FONT_FOLDERS:
            found: Path | None = next(iter(sorted(folder.rglob(name))), None)
            if found is not None:
                return ImageFont.truetype(str(found), size)
    raise RuntimeError("no fonts found: install fonts-lato, fonts-dejavu and fonts-noto-cjk")


def carton(rng: Rng, width: int, height: int, tone: float = 1.0, tape: str = "") -> np.ndarray:
    """A side of a cardboard box, RGB uint8; `tape` is "", "across" or "down"."""
    side = cardboard(rng, height, width)
    side = side / side.mean((0, 1)) * np.float32([196, 155, 108]) * tone
    rim = np.minimum.outer(np.minimum(np.arange(height), np.arange(height)[::-1]), np.full(width, 1e9))
    rim = np.minimum(rim, np.minimum(np.arange(width), np.arange(width)[::-1])[None])
    side *= (0.86 + 0.14 * np.clip(rim / (0.03 * width), 0, 1))[..., None]
    if tape:
        band = (
            np.s_[:, int(width * 0.43) : int(width * 0.57)]
            if tape == "down"
            else np.s_[int(height * 0.42) : int(height * 0.58)]
        )
        side[band] = (
            side[band] * 0.75
            + np.float32([214, 180, 128]) * tone * 0.3
            + 6 * noise(rng, *side[band].shape[:2])[..., None]
        )
    return np.clip(side, 0, 255).astype(np.uint8)


def plain_sheet(image: np.ndarray) -> Sheet:
    """A picture without codes as a sheet."""
    image = np.clip(image, 0, 255).astype(np.uint8)
    return Sheet(np.ascontiguousarray(image), np.ones(image.shape[:2], np.float32))


def daylight(image: np.ndarray, left: float, right: float, grain: Rng) -> np.ndarray:
    """A soft fall of light from one side to the other, a faint vignette and film grain."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = left + (right - left) * (columns + 1) / 2 - 0.07 * (rows**2 + columns**2)
    shot = image * light[..., None] * np.float32([1.02, 1.0, 0.97])
    return np.clip(shot + grain.normal(0, 2.5, (height, width, 1)), 0, 255).astype(np.uint8)
