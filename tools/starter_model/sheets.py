"""Lays out labels, packages, posters, tickets, documents and screens: flat sheets with or without codes on them."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from .clutter import look_alike
from .codes import BARCODE, CLASSES, PDF417, Print, print_symbol, random_ink, random_symbol
from .lettering import Typesetter, phrase
from .textures import colour, gradient, noise, surface

Rng = np.random.Generator
EDGE_POINTS = 9
TRIES = 6
LEAST_MODULES = 18  # of an extra code's cell, per side
LINEAR_FINENESS = 0.4  # barcodes and PDF417 are recognised with modules this much finer than the others'


@dataclass
class Sheet:
    """A flat RGB uint8 `image`, its `cover` (float32 0..1) and its codes: (class, outline points (n, 2) in pixels)."""

    image: np.ndarray
    cover: np.ndarray
    codes: list[tuple[int, np.ndarray]] = field(default_factory=list)


@dataclass(frozen=True)
class Style:
    """The colours and the fonts of one sheet."""

    ground: np.ndarray
    ink: np.ndarray
    accent: np.ndarray
    pick: int


def random_style(rng: Rng) -> Style:
    """White paper mostly, coloured or dark ground at times, with ink that can be read on it."""
    ground = np.float32([rng.uniform(222, 255)] * 3) + rng.normal(0, 3, 3).astype(np.float32)
    if rng.random() < 0.4:
        ground = colour(rng)
    ink = np.float32([rng.uniform(0, 60)] * 3) if ground.mean() > 120 else np.float32([rng.uniform(190, 255)] * 3)
    return Style(np.clip(ground, 0, 255), ink, colour(rng), int(rng.integers(1000)))


def printed_code(rng: Rng, kind: int, long_side: float, finest: float, type_: Typesetter) -> Print:
    """A code of class `kind`, its longer side about `long_side` pixels, its modules not finer than `finest` pixels."""
    if kind in (BARCODE, PDF417):
        finest *= LINEAR_FINENESS
    symbol = random_symbol(rng, kind)
    for _ in range(TRIES):
        if max(symbol.modules.shape) * finest <= long_side:
            break
        symbol = min(symbol, random_symbol(rng, kind), key=lambda one: max(one.modules.shape))
    aspect = symbol.aspect
    if kind == BARCODE:
        modules = symbol.modules.shape[1]
        aspect = float(np.clip(modules / 95 * np.exp(rng.uniform(np.log(0.7), np.log(3.2))), 0.6, 8))
    width, height = (long_side, long_side / aspect) if aspect > 1 else (long_side * aspect, long_side)
    return print_symbol(rng, symbol, round(width), round(height), random_ink(rng, kind), type_)


def code_sheet(
    rng: Rng, kind: int, long_side: float, finest: float, type_: Typesetter, spread: float, more: float
) -> Sheet:
    """A sheet around one code, up to `spread` times its size, with further codes by the chance `more`.

    `long_side` is the code's longer side and `finest` the finest module, in pixels.
    """
    first = printed_code(rng, kind, long_side, finest, type_)
    code_h, code_w = first.image.shape[:2]
    growth = 1 + (spread - 1) * rng.random(2) ** 1.6
    height = min(int(code_h * growth[0] + long_side * (growth[0] - 1) * 0.4), int(4 * long_side)) + 2
    width = min(int(code_w * growth[1] + long_side * (growth[1] - 1) * 0.4), int(4 * long_side)) + 2
    height, width = max(height, code_h), max(width, code_w)
    top, left = (int(rng.integers(room + 1)) for room in (height - code_h, width - code_w))
    style = random_style(rng)
    sheet = _blank(rng, height, width, style)
    if rng.random() < 0.9:
        for area in _around(rng, top, left, code_h, code_w, height, width):
            _fill(rng, sheet, area, style, type_, finest, more)
    _place(sheet, first, top, left, bare=bool(rng.random() < 0.22))
    return sheet


def blank_sheet(rng: Rng, height: int, width: int, type_: Typesetter) -> Sheet:
    """A sheet with everything but codes."""
    style = random_style(rng)
    sheet = _blank(rng, height, width, style)
    _fill(rng, sheet, (0, 0, height, width), style, type_, 0.0, 0.0)
    return sheet


def _blank(rng: Rng, height: int, width: int, style: Style) -> Sheet:
    kind = rng.random()
    if kind < 0.12:
        image = surface(rng, height, width)
    elif kind < 0.25:
        image = np.clip(gradient(rng, height, width), 0, 255).astype(np.uint8, order="C")
    else:
        image = np.ascontiguousarray(np.broadcast_to(style.ground.astype(np.uint8), (height, width, 3)))
    cover = np.ones((height, width), np.float32)
    radius = int(min(height, width) * rng.choice([0, 0, 0.05, 0.12]))
    if radius > 1:
        cover[:] = 0
        cv2.rectangle(cover, (radius, 0), (width - radius, height), 1, -1)
        cv2.rectangle(cover, (0, radius), (width, height - radius), 1, -1)
        for x, y in (
            (radius, radius),
            (width - radius, radius),
            (radius, height - radius),
            (width - radius, height - radius),
        ):
            cv2.circle(cover, (x, y), radius, 1, -1)
    if rng.random() < 0.2:
        cv2.rectangle(image, (1, 1), (width - 2, height - 2), style.ink.tolist(), max(1, min(height, width) // 80))
    return Sheet(image, cover)


def _around(
    rng: Rng, top: int, left: int, code_h: int, code_w: int, height: int, width: int
) -> list[tuple[int, int, int, int]]:
    bottom, right = top + code_h, left + code_w
    if rng.random() < 0.5:
        areas = [(0, 0, top, width), (bottom, 0, height, width), (top, 0, bottom, left), (top, right, bottom, width)]
    else:
        areas = [(0, 0, height, left), (0, right, height, width), (0, left, top, right), (bottom, left, height, right)]
    return [area for area in areas if area[2] - area[0] > 9 and area[3] - area[1] > 9]


def _fill(
    rng: Rng, sheet: Sheet, area: tuple[int, int, int, int], style: Style, type_: Typesetter, finest: float, more: float
) -> None:
    top, left, bottom, right = area
    height, width = bottom - top, right - left
    if min(height, width) < 8:
        return
    if height * width > 60 * 60 and rng.random() < 0.6 and max(height, width) > 70:
        cut = rng.uniform(0.25, 0.75)
        if height > width * rng.uniform(0.6, 1.6):
            middle = top + int(height * cut)
            halves = [(top, left, middle, right), (middle, left, bottom, right)]
        else:
            middle = left + int(width * cut)
            halves = [(top, left, bottom, middle), (top, middle, bottom, right)]
        for half in halves:
            _fill(rng, sheet, half, style, type_, finest, more)
        return
    if more and rng.random() < more and min(height, width) > LEAST_MODULES * finest:
        side = max(height, width) * rng.uniform(0.5, 0.9)
        extra = printed_code(rng, int(rng.integers(len(CLASSES))), side, finest, type_)
        if extra.image.shape[0] <= height and extra.image.shape[1] <= width:
            _place(sheet, extra, top + (height - extra.image.shape[0]) // 2, left + (width - extra.image.shape[1]) // 2)
            return
    margin = int(min(height, width) * rng.uniform(0, 0.12))
    _element(rng, sheet.image[top + margin : bottom - margin, left + margin : right - margin], style, type_)


def _element(rng: Rng, area: np.ndarray, style: Style, type_: Typesetter) -> None:
    height, width = area.shape[:2]
    if min(height, width) < 7:
        return
    pick = rng.random()
    if pick < 0.30:
        size = max(6, int(height / np.exp(rng.uniform(np.log(1.5), np.log(22)))))
        _ink(
            area, type_.block(rng, width, height, size, str(rng.choice(["any", "sans", "mono", "chinese"]))), style.ink
        )
    elif pick < 0.55:
        family = "chinese" if type_.speaks_chinese and rng.random() < 0.15 else str(rng.choice(["bold", "sans", "any"]))
        words = phrase(rng, int(rng.integers(3, 18)), family == "chinese")
        size = int(min(height * 0.8, width * 1.7 / max(1, len(words)) * (0.55 if family == "chinese" else 1)))
        if size > 6:
            mask = type_.line(words, size, family, style.pick)[:height, :width]
            top = (height - mask.shape[0]) // 2
            left = int((width - mask.shape[1]) * rng.choice([0, 0.5]))
            tone = style.ink if rng.random() < 0.7 else style.accent
            _ink(area[top : top + mask.shape[0], left : left + mask.shape[1]], mask, tone)
    elif pick < 0.72:
        area[:] = look_alike(rng, height, width, type_)
    elif pick < 0.80:
        area[:] = surface(rng, height, width)
    elif pick < 0.90:
        area[:] = style.accent.astype(np.uint8)
        if min(height, width) > 14 and rng.random() < 0.6:
            mask = type_.line(phrase(rng, 8), int(height * 0.5), "bold", style.pick)[:height, :width]
            _ink(
                area[height // 4 : height // 4 + mask.shape[0]][:, : mask.shape[1]],
                mask[: height - height // 4],
                style.ground,
            )


def _ink(area: np.ndarray, mask: np.ndarray, tone: np.ndarray) -> None:
    mask = mask[: area.shape[0], : area.shape[1], None]
    area[: mask.shape[0], : mask.shape[1]] = (area[: mask.shape[0], : mask.shape[1]] * (1 - mask) + tone * mask).astype(
        np.uint8
    )


def _place(sheet: Sheet, code: Print, top: int, left: int, bare: bool = False) -> None:
    """Puts the code on the sheet, on a ground of its own or, `bare`, as ink on what is there."""
    height, width = code.image.shape[:2]
    area = sheet.image[top : top + height, left : left + width]
    tone = np.float32([22, 22, 26] if area.mean() > 105 else [236, 236, 232])
    area[:] = area + (tone - area) * code.cover[..., None] * 0.92 if bare else code.image
    sheet.cover[top : top + height, left : left + width] = 1
    x0, y0, x1, y1 = np.array(code.box) + np.array([left, top, left, top])
    sheet.codes.append((code.kind, outline(x0, y0, x1, y1)))


def outline(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Points along a rectangle's border, float32 (4 * EDGE_POINTS, 2), so that bent edges keep their extent."""
    along_x, along_y = np.linspace(x0, x1, EDGE_POINTS), np.linspace(y0, y1, EDGE_POINTS)
    sides = [(along_x, np.full_like(along_x, y0)), (np.full_like(along_y, x1), along_y)]
    sides += [(along_x[::-1], np.full_like(along_x, y1)), (np.full_like(along_y, x0), along_y[::-1])]
    return np.concatenate([np.stack(side, 1) for side in sides]).astype(np.float32)


def wear(rng: Rng, sheet: Sheet) -> Sheet:
    """Bends the sheet around a cylinder or creases and stains it, as happens to labels on bottles and parcels."""
    height, width = sheet.image.shape[:2]
    image, cover, codes = sheet.image, sheet.cover, sheet.codes
    if rng.random() < 0.25:
        half = rng.uniform(0.4, 1.25)
        sag = rng.uniform(-0.2, 0.2) * width * (1 - np.cos(half))
        across = np.linspace(-1, 1, width)
        inside = np.arcsin(np.clip(across * np.sin(half), -1, 1)) / half
        source_x = ((inside + 1) / 2 * (width - 1)).astype(np.float32)
        drop = (sag * np.cos(inside * half)).astype(np.float32)
        pad = int(abs(sag)) + 1
        rows = np.arange(-pad, height + pad, dtype=np.float32)[:, None] - drop[None]
        columns = np.broadcast_to(source_x, rows.shape)
        shade = (0.55 + 0.45 * np.cos(inside * half)).astype(np.float32)
        image = cv2.remap(image, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.remap(cover, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderValue=0)
        image = (image * shade[None, :, None]).astype(np.uint8)
        codes = [(kind, _bend(points, width, half, sag, pad)) for kind, points in codes]
    if rng.random() < 0.3:
        relief = noise(rng, *image.shape[:2], rng.uniform(0.1, 0.6), int(rng.integers(1, 5)))
        slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
        shade = 1 + np.clip(slope / (np.abs(slope).max() + 1e-6) * rng.uniform(0.05, 0.4), -0.5, 0.5)
        image = np.clip(image * shade[..., None], 0, 255).astype(np.uint8)
    return Sheet(image, cover, codes)


def _bend(points: np.ndarray, width: int, half: float, sag: float, pad: int) -> np.ndarray:
    inside = points[:, 0] / (width - 1) * 2 - 1
    x = (np.sin(inside * half) / np.sin(half) + 1) / 2 * (width - 1)
    return np.stack([x, points[:, 1] + sag * np.cos(inside * half) + pad], 1).astype(np.float32)
