"""What a camera or a screen does to a scene: light, shadows, glare, blur, noise, colour, JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from .textures import noise

Rng = np.random.Generator


def expose(rng: Rng, image: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """A photo of the RGB uint8 scene, same size; `strength` 0 leaves it clean, 1 is everyday wear."""
    if strength <= 0:
        return image
    height, width = image.shape[:2]
    light = np.ones((height, width, 1), np.float32)
    if rng.random() < 0.7:
        light *= _falloff(rng, height, width, strength)
    if rng.random() < 0.3:
        light *= _shadow(rng, height, width)
    shot = image * light
    if rng.random() < 0.18:
        shot += _glare(rng, height, width)
    shot = cv2.LUT(np.clip(shot, 0, 255).astype(np.uint8), _tone(rng, strength))
    if rng.random() < 0.12:
        shot = cv2.cvtColor(cv2.cvtColor(shot, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    shot = _blur(rng, shot, strength)
    if rng.random() < 0.6:
        grain = rng.standard_normal((height, width, 1), dtype=np.float32) * rng.uniform(1, 14) * strength
        shot = np.clip(shot + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        shot = _jpeg(shot, int(rng.integers(25, 96)))
    return shot


def moire(rng: Rng, image: np.ndarray) -> np.ndarray:
    """A screen photographed: interference bands that differ by colour, and a bluish glow."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(4, 60)
    wave = (rows * np.sin(angle) + columns * np.cos(angle)) * 2 * np.pi / pitch
    wave += 2 * noise(rng, height, width, 0.7, 1)
    bands = np.stack([np.sin(wave + shift) for shift in rng.uniform(0, 2.5, 3)], 2)
    shot = image * (1 + bands * rng.uniform(0.01, 0.1)) * np.float32([0.95, 1.0, 1.05]) + rng.uniform(0, 22)
    return np.clip(shot, 0, 255).astype(np.uint8)


def _falloff(rng: Rng, height: int, width: int, strength: float) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    centre_x, centre_y = rng.uniform(-0.3, 1.3) * width, rng.uniform(-0.3, 1.3) * height
    distance = np.hypot(columns - centre_x, rows - centre_y) / max(height, width)
    return (1 - np.clip(distance * rng.uniform(0, 0.5) * strength, 0, 0.7))[..., None]


def _shadow(rng: Rng, height: int, width: int) -> np.ndarray:
    mask = np.zeros((max(4, height // 4), max(4, width // 4)), np.float32)
    corners = rng.uniform(-0.3, 1.3, (int(rng.integers(3, 6)), 2)) * mask.shape[::-1]
    cv2.fillPoly(mask, [cv2.convexHull(corners.astype(np.int32))], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.3, mask.shape[1] / 12))
    return 1 - rng.uniform(0.15, 0.6) * cv2.resize(mask, (width, height))[..., None]


def _glare(rng: Rng, height: int, width: int) -> np.ndarray:
    small = np.zeros((max(4, height // 8), max(4, width // 8)), np.float32)
    rows, columns = small.shape
    axes = (max(1, int(columns * rng.uniform(0.02, 0.3))), max(1, int(rows * rng.uniform(0.01, 0.1))))
    centre = (int(rng.integers(columns)), int(rng.integers(rows)))
    cv2.ellipse(small, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(1, columns / 16 + 1))
    return cv2.resize(small, (width, height))[..., None] * rng.uniform(40, 200)


def _tone(rng: Rng, strength: float) -> np.ndarray:
    """A lookup table, uint8 (1, 256, 3): gamma, contrast, brightness and white balance."""
    gamma = np.exp(rng.normal(-0.1, 0.3 * strength))
    low, high = rng.uniform(0, 0.2 * strength), rng.uniform(1 - 0.35 * strength, 1.15)
    warmth, tint = rng.normal(0, 0.07 * strength, 2)
    curve = low + (high - low) * np.linspace(0, 1, 256) ** gamma
    table = curve[:, None] * np.array([1 + warmth, 1 + tint / 2, 1 - warmth]) * 255
    return np.clip(table, 0, 255).astype(np.uint8)[None]


def _blur(rng: Rng, shot: np.ndarray, strength: float) -> np.ndarray:
    pick, size = rng.random(), min(shot.shape[:2])
    if pick < 0.35:
        return cv2.GaussianBlur(
            shot, (0, 0), max(0.3, size * np.exp(rng.uniform(np.log(0.0008), np.log(0.006))) * strength)
        )
    if pick < 0.5:
        length = max(2, int(size * rng.uniform(0.003, 0.02) * strength))
        kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
        angle = rng.uniform(0, np.pi)
        reach = (int(length * np.cos(angle)), int(length * np.sin(angle)))
        cv2.line(kernel, (length - reach[0], length - reach[1]), (length + reach[0], length + reach[1]), 1.0, 1)
        return cv2.filter2D(shot, -1, kernel / kernel.sum())
    if pick < 0.6:
        soft = cv2.GaussianBlur(shot, (0, 0), size * 0.003)
        return cv2.addWeighted(shot, 1 + (gain := rng.uniform(0.3, 1.2)), soft, -gain, 0)
    return shot


def _jpeg(shot: np.ndarray, quality: int) -> np.ndarray:
    _, packed = cv2.imencode(".jpg", shot[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
