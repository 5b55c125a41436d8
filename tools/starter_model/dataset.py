"""Renders scenes into shards on disk and feeds them to the training as augmented batches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .lettering import Typesetter
from .scene import random_scene

Rng = np.random.Generator
SHAPES = (
    (480, 640),
    (640, 480),
    (512, 512),
    (360, 640),
    (480, 640),
)  # height, width of scenes; shards take turns
SHARD_SCENES = 300
TRIES = 6
TRAIN_SEED, CHECK_SEED, TEST_SEED, CLUTTER_SEED, CHECK_CLUTTER_SEED = 2026, 2027, 2028, 2029, 2030


@dataclass
class Shard:
    """Scenes of one shape: JPEG bytes each, boxes (x0, y0, x1, y1) in pixels and labels."""

    jpegs: list[np.ndarray]
    boxes: list[np.ndarray]
    labels: list[np.ndarray]

    def image(self, index: int) -> np.ndarray:
        """Scene `index`, RGB uint8."""
        return cv2.cvtColor(cv2.imdecode(self.jpegs[index], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def render_shard(folder: Path, seed: int, number: int, type_: Typesetter, empty: bool | None = None) -> Path:
    """Renders shard `number` of the stream `seed` unless it is there already."""
    path = folder / f"{seed}-{number:04d}.npz"
    if path.exists():
        return path
    height, width = SHAPES[number % len(SHAPES)]
    jpegs, boxes, labels = [], [], []
    for index in range(SHARD_SCENES):
        scene = random_scene(np.random.default_rng([seed, number, index]), height, width, type_, empty)
        straight = cv2.cvtColor(scene.image, cv2.COLOR_RGB2BGR)
        _, packed = cv2.imencode(".jpg", straight, [cv2.IMWRITE_JPEG_QUALITY, 95])
        jpegs.append(packed.ravel())
        boxes.append(scene.boxes)
        labels.append(scene.labels)
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.array([len(found) for found in labels])
    sizes = np.array([len(packed) for packed in jpegs])
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    with partial.open("wb") as file:
        np.savez(
            file, jpegs=np.concatenate(jpegs), sizes=sizes, counts=counts,
            boxes=np.concatenate(boxes), labels=np.concatenate(labels),
        )  # fmt: skip
    partial.replace(path)
    return path


def read_shard(path: Path) -> Shard:
    """Reads what `render_shard` wrote."""
    with np.load(path) as stored:
        jpegs = np.split(stored["jpegs"], np.cumsum(stored["sizes"])[:-1])
        ends = np.cumsum(stored["counts"])[:-1]
        return Shard(jpegs, np.split(stored["boxes"], ends), np.split(stored["labels"], ends))


@dataclass
class Batch:
    """`pixels` RGB uint8 (n, height, width, 3); per image `boxes` (k, 4), centre and size in 0..1, and `labels`."""

    pixels: np.ndarray
    boxes: list[np.ndarray]
    labels: list[np.ndarray]


class Feeder:
    """Draws augmented training batches from every shard that is on disk, looking for new ones as it goes."""

    def __init__(self, folder: Path, seed: list[int]) -> None:
        self._folder, self._rng = folder, np.random.default_rng(seed)
        self._shards: dict[Path, Shard] = {}
        self.look_for_more()

    def look_for_more(self) -> int:
        """Reads shards rendered since; returns how many scenes there are now."""
        for path in sorted(self._folder.glob(f"{TRAIN_SEED}-*.npz")):
            if path not in self._shards:
                self._shards[path] = read_shard(path)
        return len(self._shards) * SHARD_SCENES

    def batch(self, size: int, side: int) -> Batch:
        """`size` scenes, each stretched to `side` x `side` pixels."""
        shards = list(self._shards.values())
        pixels, boxes, labels = [], [], []
        for _ in range(size):
            shard = shards[self._rng.integers(len(shards))]
            index = int(self._rng.integers(SHARD_SCENES))
            image, box, label = augment(self._rng, shard.image(index), shard.boxes[index], shard.labels[index], side)
            pixels.append(image)
            boxes.append(relative(box, side, side))
            labels.append(label)
        return Batch(np.stack(pixels), boxes, labels)


def augment(
    rng: Rng, image: np.ndarray, boxes: np.ndarray, labels: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random crop of the scene, turned and mirrored, stretched to a square of `side`, recoloured; boxes follow."""
    if rng.random() < 0.35:
        image, boxes = np.rot90(image), _quarter_turn(boxes, image.shape[1])
    if rng.random() < 0.5:
        image, boxes = image[:, ::-1], boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + np.array([1, 0, 1, 0]) * image.shape[1]
    rows, columns = image.shape[:2]
    x0, y0, wide, high = _crop(rng, boxes, rows, columns)
    crop = Image.fromarray(np.ascontiguousarray(image[y0 : y0 + high, x0 : x0 + wide]))
    shot = np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR))  # as the image processor does
    moved = (boxes - (x0, y0, x0, y0)) * np.tile([side / wide, side / high], 2)
    clipped = np.clip(moved, 0, side)
    keep = _area(clipped) > 0.5 * _area(moved)
    return _recolour(rng, shot), clipped[keep], labels[keep]


def relative(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Corner boxes in pixels to centre and size as shares of the image, float32 (n, 4)."""
    scaled = boxes / np.array([width, height, width, height])
    return np.concatenate([(scaled[:, :2] + scaled[:, 2:]) / 2, scaled[:, 2:] - scaled[:, :2]], 1).astype(np.float32)


def _crop(rng: Rng, boxes: np.ndarray, rows: int, columns: int) -> tuple[int, int, int, int]:
    """Left, top, width, height of a crop of about the frame's shape around some code, cutting deep into none."""
    aspect = columns / rows * float(np.exp(rng.normal(0, 0.15)))
    for _ in range(TRIES):
        share = 1 - 0.7 * rng.random() ** 2
        wide = int(min(columns, rows * aspect) * share)
        high = min(rows, int(wide / aspect))
        if not len(boxes):
            return int(rng.integers(columns - wide + 1)), int(rng.integers(rows - high + 1)), wide, high
        left, top, right, bottom = boxes[rng.integers(len(boxes))]
        first = np.clip((right - wide, bottom - high), 0, (columns - wide, rows - high))
        last = np.clip((left, top), 0, (columns - wide, rows - high))
        if (first > last).any():
            continue
        x0, y0 = rng.uniform(first, last).astype(int).tolist()
        cut = np.clip(boxes, (x0, y0, x0, y0), (x0 + wide, y0 + high, x0 + wide, y0 + high))
        seen = _area(cut) / np.maximum(_area(boxes), 1e-6)
        if ((seen < 0.02) | (seen > 0.8)).all():
            return x0, y0, wide, high
    return 0, 0, columns, rows


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _quarter_turn(boxes: np.ndarray, width: int) -> np.ndarray:
    return np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], 1)


def _recolour(rng: Rng, image: np.ndarray) -> np.ndarray:
    if rng.random() < 0.5:
        gain, lift = rng.uniform(0.75, 1.25) * (1 + rng.normal(0, 0.04, 3)), rng.normal(0, 12)
        table = np.clip(np.arange(256)[:, None] * gain + lift, 0, 255).astype(np.uint8)
        image = cv2.LUT(image, table[None])
    if rng.random() < 0.1:
        image = image[..., rng.permutation(3)]
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), rng.uniform(0.3, 1.3))
    return image
