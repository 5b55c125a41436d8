"""Composes random scenes: sheets with codes and look-alikes under a camera, and the boxes of the codes that show."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .clutter import look_alike
from .codes import CLASSES
from .lettering import Typesetter
from .photo import expose, moire
from .sheets import Sheet, blank_sheet, code_sheet, wear
from .textures import surface

Rng = np.random.Generator
KIND_SHARES = np.array([0.18, 0.20, 0.22, 0.18, 0.22])  # in the order of codes.CLASSES
VISIBLE_SHARE = 0.6
FINEST = 1 / 208  # of the frame's short side: the finest module
LEAST_LONG, LEAST_SHORT = 0.1, 0.05  # a code's sides as shares of the frame's short side: smaller ones are not placed


@dataclass
class Scene:
    """An RGB uint8 `image`, `boxes` float32 (n, 4) as x0, y0, x1, y1 in its pixels, `labels` int64 (n,)."""

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


class Canvas:
    """A frame that sheets are laid on; it remembers which codes show where."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.taken = np.zeros(image.shape[:2], np.uint8)
        self.codes: list[tuple[int, np.ndarray]] = []

    def lay(self, rng: Rng, sheet: Sheet, matrix: np.ndarray, shadow: bool = True) -> bool:
        """Warps the sheet by the 3x3 `matrix`; lays nothing and says False where a code would be hidden or cut."""
        height, width = self.image.shape[:2]
        area = self._area(sheet, matrix)
        placed = [(kind, cv2.perspectiveTransform(points[None], matrix)[0]) for kind, points in sheet.codes]
        if area is None or not all(_shows(points, height, width) for _, points in placed):
            return False
        x0, y0, x1, y1 = area
        here, size = np.s_[y0:y1, x0:x1], (x1 - x0, y1 - y0)
        local = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1.0]]) @ matrix
        cover = cv2.warpPerspective(sheet.cover, local, size, flags=cv2.INTER_LINEAR)
        if self.codes and (self.taken[here] * (cover > 0.05)).any():
            return False
        warped = cv2.warpPerspective(sheet.image, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        under = self.image[here]
        if shadow:
            under = self._shade(rng, under, cover)
        self.image[here] = (under + (warped.astype(np.float32) - under) * cover[..., None]).astype(np.uint8)
        for kind, points in placed:
            cv2.fillPoly(self.taken, [points.astype(np.int32)], 1)
            self.codes.append((kind, points))
        return True

    def _area(self, sheet: Sheet, matrix: np.ndarray) -> tuple[int, int, int, int] | None:
        """The frame's part (x0, y0, x1, y1) that the sheet and its shadow touch; None where it is behind the camera."""
        height, width = self.image.shape[:2]
        rows, columns = sheet.image.shape[:2]
        corners = np.array([[0, 0, 1], [columns, 0, 1], [columns, rows, 1], [0, rows, 1.0]]) @ matrix.T
        if corners[:, 2].min() <= 0.15 * corners[:, 2].max():
            return None
        corners = corners[:, :2] / corners[:, 2:]
        reach = 0.06 * min(height, width)
        x0, y0 = np.clip(corners.min(0) - reach, 0, (width, height)).astype(int).tolist()
        x1, y1 = np.clip(corners.max(0) + reach, 0, (width, height)).astype(int).tolist()
        return (x0, y0, x1, y1) if x1 - x0 > 8 and y1 - y0 > 8 else None

    def _shade(self, rng: Rng, under: np.ndarray, cover: np.ndarray) -> np.ndarray:
        size = min(self.image.shape[:2]) / 4
        small = cv2.resize(cover, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), size * rng.uniform(0.002, 0.015) + 0.3)
        dx, dy = rng.normal(0, size * 0.01, 2).clip(-0.03 * size, 0.03 * size)
        soft = cv2.warpAffine(soft, np.float32([[1, 0, dx], [0, 1, dy]]), small.shape[::-1])
        soft = cv2.resize(soft, cover.shape[::-1])
        return (under * (1 - rng.uniform(0.1, 0.6) * soft[..., None])).astype(np.uint8)

    def scene(self) -> Scene:
        """The picture and the boxes, clipped to the frame."""
        height, width = self.image.shape[:2]
        boxes = [np.concatenate([points.min(0), points.max(0)]) for _, points in self.codes]
        clipped = np.clip(np.array(boxes, np.float32).reshape(-1, 4), 0, np.float32([width, height, width, height]))
        return Scene(self.image, clipped, np.array([kind for kind, _ in self.codes], np.int64))


def camera(
    rng: Rng, sheet: Sheet, centre: np.ndarray, size: float, pose: str, frame: tuple[float, float]
) -> np.ndarray:
    """The 3x3 matrix that shows `centre` (sheet pixels) at `frame` (frame pixels), tilted as `pose` says.

    `size` is the viewed thing's size in sheet pixels; it keeps about that size in the frame.
    """
    if pose == "flat":
        return np.float32([[1, 0, frame[0] - centre[0]], [0, 1, frame[1] - centre[1]], [0, 0, 1]])
    roll = rng.normal(0, 0.12) if rng.random() < 0.6 else rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.2:
        roll += np.pi / 2 * rng.integers(4)
    most = {"tilted": 0.95, "upright": 0.45}[pose]
    pitch, yaw = rng.normal(0, most / 2, 2).clip(-most, most)
    turn = _rotation(0, roll) @ _rotation(1, yaw) @ _rotation(2, pitch)
    distance = size * rng.uniform(1.6, 6)
    to_plane = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1.0]])
    view = np.stack([turn[:, 0], turn[:, 1], np.array([0, 0, distance])], 1)
    lens = np.array([[distance, 0, frame[0]], [0, distance, frame[1]], [0, 0, 1.0]])
    return lens @ view @ to_plane


def random_scene(rng: Rng, height: int, width: int, type_: Typesetter, empty: bool | None = None) -> Scene:
    """A scene of `height` x `width` pixels; about a third of them hold no code (`empty` None lets chance decide)."""
    if empty is None:
        empty = bool(rng.random() < 0.30)
    digital = rng.random() < 0.07
    if digital:
        canvas = Canvas(np.full((height, width, 3), rng.choice([255, 255, 240, 30]), np.uint8))
    else:
        ground = look_alike(rng, height, width, type_) if rng.random() < 0.12 else surface(rng, height, width)
        if rng.random() < 0.3:
            ground = cv2.GaussianBlur(ground, (0, 0), min(height, width) * rng.uniform(0.004, 0.03))
        canvas = Canvas(ground)
    if empty:
        _empty(rng, canvas, type_)
    elif rng.random() < 0.68 or digital:
        _close_up(rng, canvas, type_, "flat" if digital else "tilted" if rng.random() < 0.5 else "upright")
    else:
        _several(rng, canvas, type_)
    if rng.random() < 0.12:
        canvas.image = moire(rng, canvas.image)
    canvas.image = expose(rng, canvas.image, 0.0 if digital and rng.random() < 0.7 else float(rng.uniform(0.3, 1.2)))
    return canvas.scene()


def _close_up(rng: Rng, canvas: Canvas, type_: Typesetter, pose: str) -> None:
    height, width = canvas.image.shape[:2]
    short = min(height, width)
    if rng.random() < 0.3:
        _scatter(rng, canvas, type_, int(rng.integers(1, 4)))
    for _ in range(8):
        kind = int(rng.choice(len(CLASSES), p=KIND_SHARES))
        longest = 1.25 if kind in (1, 4) else 0.97
        long_side = short * float(np.exp(rng.uniform(np.log(0.17), np.log(longest))))
        spread = float(np.clip(short / long_side * rng.uniform(0.8, 3.0), 1.05, 7))
        sheet = wear(rng, code_sheet(rng, kind, long_side, short * FINEST, type_, spread, more=0.06))
        frame = np.array([width, height]) * (0.5 + rng.normal(0, 0.13, 2))
        if canvas.lay(rng, sheet, camera(rng, sheet, _middle(sheet), long_side, pose, tuple(frame))):
            return


def _several(rng: Rng, canvas: Canvas, type_: Typesetter) -> None:
    height, width = canvas.image.shape[:2]
    short, pose = min(height, width), "tilted" if rng.random() < 0.4 else "upright"
    _scatter(rng, canvas, type_, int(rng.integers(0, 4)))
    for _ in range(int(rng.integers(2, 8))):
        kind = int(rng.choice(len(CLASSES), p=KIND_SHARES))
        long_side = short * float(np.exp(rng.uniform(np.log(0.11), np.log(0.55))))
        sheet = wear(rng, code_sheet(rng, kind, long_side, short * FINEST, type_, rng.uniform(1.05, 3), more=0.12))
        frame = rng.uniform(0.05, 0.95, 2) * (width, height)
        canvas.lay(rng, sheet, camera(rng, sheet, _middle(sheet), long_side, pose, tuple(frame)))


def _empty(rng: Rng, canvas: Canvas, type_: Typesetter) -> None:
    height, width = canvas.image.shape[:2]
    if rng.random() < 0.45:
        _scatter(rng, canvas, type_, int(rng.integers(1, 7)))
        return
    big = (int(height * rng.uniform(0.5, 1.5)), int(width * rng.uniform(0.5, 1.5)))
    if rng.random() < 0.5:
        image = look_alike(rng, *big, type_)
        sheet = Sheet(image, np.ones(big, np.float32))
    else:
        sheet = blank_sheet(rng, *big, type_)
    centre, frame = np.array(big[::-1]) / 2, (width / 2, height / 2)
    canvas.lay(rng, wear(rng, sheet), camera(rng, sheet, centre, min(big), "tilted", frame), shadow=False)
    if rng.random() < 0.3:
        _scatter(rng, canvas, type_, int(rng.integers(1, 4)))


def _scatter(rng: Rng, canvas: Canvas, type_: Typesetter, count: int) -> None:
    height, width = canvas.image.shape[:2]
    for _ in range(count):
        rows, columns = (int(v) for v in min(height, width) * np.exp(rng.uniform(np.log(0.08), np.log(0.7), 2)))
        if rng.random() < 0.55:
            sheet = Sheet(look_alike(rng, rows, columns, type_), np.ones((max(8, rows), max(8, columns)), np.float32))
        else:
            sheet = blank_sheet(rng, rows, columns, type_)
        frame = tuple(rng.uniform(0, 1, 2) * (width, height))
        centre = np.array([columns / 2, rows / 2])
        canvas.lay(rng, wear(rng, sheet), camera(rng, sheet, centre, max(rows, columns), "tilted", frame))


def _middle(sheet: Sheet) -> np.ndarray:
    return sheet.codes[-1][1].mean(0)


def _shows(points: np.ndarray, height: int, width: int) -> bool:
    area = cv2.contourArea(points)
    frame = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    seen, _ = cv2.intersectConvexConvex(cv2.convexHull(points), frame)
    sides = np.ptp(np.clip(points, 0, (width, height)), axis=0)
    least = np.array([LEAST_SHORT, LEAST_LONG]) * min(height, width)
    return bool(area > 1 and seen >= VISIBLE_SHARE * area and (np.sort(sides) >= least).all())


def _rotation(axis: int, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    if axis == 0:
        return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    if axis == 1:
        return np.array([[cos, 0, sin], [0, 1.0, 0], [-sin, 0, cos]])
    return np.array([[1.0, 0, 0], [0, cos, -sin], [0, sin, cos]])
