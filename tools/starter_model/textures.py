"""Surfaces to lay things on: noise, wood, cardboard, fabric, metal, gradients, blobs, and a few free photos."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

Rng = np.random.Generator
# Training-only textures: public-domain or CC0 images inside scikit-image, two CC BY images inside scikit-learn.
PHOTO_FILES = {
    "skimage/data": (
        "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
        "motorcycle_left.png", "motorcycle_right.png", "rocket.jpg", "hubble_deep_field.jpg", "ihc.png", "page.png",
        "text.png", "moon.png", "cell.png",
    ),
    "sklearn/datasets/images": ("china.jpg", "flower.jpg"),
}  # fmt: skip


def colour(rng: Rng, low: int = 0, high: int = 256) -> np.ndarray:
    """A random RGB colour, float32, of low to middling saturation."""
    grey = rng.uniform(low, high)
    return np.clip(grey + rng.normal(0, rng.choice([6.0, 25.0, 70.0]), 3), low, high - 1).astype(np.float32)


def noise(rng: Rng, height: int, width: int, cell: float = 0.5, octaves: int = 4) -> np.ndarray:
    """Fractal noise of mean 0 and about unit range, float32 (height, width); `cell` is its coarsest grain's share."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        grain = max(2.0, max(height, width) * cell / 2**octave)
        rows, columns = max(2, int(height / grain) + 2), max(2, int(width / grain) + 2)
        grid = rng.normal(0, 0.5 / 1.6**octave, (rows, columns)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return total


def _ramp(rng: Rng, height: int, width: int) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    ramp = columns * np.cos(angle) / width + rows * np.sin(angle) / height
    return (ramp - ramp.min()) / max(float(np.ptp(ramp)), 1e-6)


def _mix(ramp: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first + (second - first) * ramp[..., None]


def plain(rng: Rng, height: int, width: int) -> np.ndarray:
    """One colour, faintly uneven."""
    return colour(rng) + 5 * noise(rng, height, width, octaves=2)[..., None]


def gradient(rng: Rng, height: int, width: int) -> np.ndarray:
    """A smooth change between two colours."""
    return _mix(_ramp(rng, height, width), colour(rng), colour(rng))


def clouds(rng: Rng, height: int, width: int) -> np.ndarray:
    """Fractal patches of two or three colours, like stone, foliage or a blurred room."""
    octaves = int(rng.integers(2, 7))
    cell = rng.uniform(0.1, 0.8)
    surface = _mix(np.clip(noise(rng, height, width, cell, octaves) + 0.5, 0, 1), colour(rng), colour(rng))
    return surface + noise(rng, height, width, cell / 2, octaves)[..., None] * rng.normal(0, 30, 3).astype(np.float32)


def wood(rng: Rng, height: int, width: int) -> np.ndarray:
    """Grain along one axis, at times with gaps between planks."""
    base = np.float32([rng.uniform(110, 220), rng.uniform(75, 165), rng.uniform(40, 120)])
    base = np.sort(base)[::-1]
    grain = noise(rng, height, max(8, width // 40), 0.15, 5)
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
    lines = np.sin(grain * rng.uniform(8, 30)) * 0.5 + noise(rng, height, width, 0.02, 2) * 0.2
    surface = base * (1 + 0.12 * lines[..., None] * rng.uniform(0.3, 1.3))
    if rng.random() < 0.4:
        plank = max(12, int(height * rng.uniform(0.12, 0.35)))
        for top in range(int(rng.integers(plank)), height, plank):
            surface[top : top + max(1, height // 250)] *= 0.45
            surface[top : top + plank] *= rng.uniform(0.88, 1.08)
    return surface if rng.random() < 0.5 else _turn(surface, height, width)


def cardboard(rng: Rng, height: int, width: int) -> np.ndarray:
    """Brown card with fibres and faint flutes."""
    base = np.float32([rng.uniform(165, 205), rng.uniform(130, 165), rng.uniform(85, 125)]) * rng.uniform(0.65, 1.1)
    flutes = np.sin(np.arange(height, dtype=np.float32) * rng.uniform(0.3, 1.2))[:, None, None] * rng.uniform(0, 4)
    return base + flutes + 9 * noise(rng, height, width, 0.6, 3)[..., None] + rng.normal(0, 4, (height, width, 1))


def fabric(rng: Rng, height: int, width: int) -> np.ndarray:
    """A weave of two thread colours with soft folds."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch = rng.uniform(0.6, 2.4)
    weave = 0.5 + 0.25 * np.sin(columns * pitch) + 0.25 * np.sin(rows * pitch)
    surface = _mix(weave * rng.uniform(0.2, 0.6), colour(rng), colour(rng))
    return surface * (1 + 0.25 * noise(rng, height, width, 0.4, 2)[..., None])


def metal(rng: Rng, height: int, width: int) -> np.ndarray:
    """Brushed metal under a band of light."""
    brush = rng.normal(0, 1, (height, 1)).astype(np.float32) + 0.4 * rng.normal(0, 1, (height, width))
    shine = np.sin(_ramp(rng, height, width) * rng.uniform(2, 7)) * rng.uniform(10, 40)
    surface = np.float32(rng.uniform(90, 190)) + shine + brush * rng.uniform(2, 7)
    surface = surface[..., None] * (1 + rng.normal(0, 0.025, 3))
    return surface if rng.random() < 0.5 else _turn(surface, height, width)


def bokeh(rng: Rng, height: int, width: int) -> np.ndarray:
    """A room out of focus: large soft rectangles and round lights."""
    small_h, small_w = max(8, height // 8), max(8, width // 8)
    canvas = np.ascontiguousarray(np.broadcast_to(colour(rng, 10, 200), (small_h, small_w, 3)))
    for _ in range(int(rng.integers(5, 30))):
        tone = colour(rng).tolist()
        x, y = int(rng.integers(small_w)), int(rng.integers(small_h))
        w, h = (int(v) for v in rng.integers(2, max(3, small_w // 2), 2))
        if rng.random() < 0.7:
            cv2.rectangle(canvas, (x - w, y - h), (x + w // 2, y + h // 2), tone, -1)
        else:
            cv2.circle(canvas, (x, y), max(1, w // 4), tone, -1)
    canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, small_w / 14))
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_CUBIC)


def photo(rng: Rng, height: int, width: int) -> np.ndarray:
    """A random crop of a bundled photo, mirrored, recoloured; clouds where no photo is installed."""
    pictures = _photos()
    if not pictures:
        return clouds(rng, height, width)
    picture = pictures[rng.integers(len(pictures))]
    rows, columns = picture.shape[:2]
    share = rng.uniform(0.3, 1.0)
    crop_h = max(16, int(min(rows, columns * height / width) * share))
    crop_w = max(16, min(columns, int(crop_h * width / height)))
    top, left = int(rng.integers(rows - crop_h + 1)), int(rng.integers(columns - crop_w + 1))
    crop = picture[top : top + crop_h, left : left + crop_w]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.15:
        crop = crop[::-1]
    image = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if crop_h > height else cv2.INTER_CUBIC)
    image = image.astype(np.float32)
    if rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    return image * rng.uniform(0.7, 1.15) + rng.normal(0, 12, 3).astype(np.float32)


SURFACES = (plain, gradient, clouds, wood, cardboard, fabric, metal, bokeh, photo)
WEIGHTS = np.array([2, 2, 2, 2, 2.5, 1, 1.5, 2.5, 4])


def surface(rng: Rng, height: int, width: int) -> np.ndarray:
    """A random surface, RGB uint8 (height, width, 3)."""
    paint = SURFACES[int(rng.choice(len(SURFACES), p=WEIGHTS / WEIGHTS.sum()))]
    return np.clip(paint(rng, height, width), 0, 255).astype(np.uint8, order="C")


def _turn(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(np.ascontiguousarray(image.transpose(1, 0, 2)), (width, height), interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=1)
def _photos() -> list[np.ndarray]:
    found = []
    for folder, names in PHOTO_FILES.items():
        package, _, inside = folder.partition("/")
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for name in names:
            image = cv2.imread(str(Path(spec.origin).parent / inside / name))
            if image is not None:
                found.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    return found
