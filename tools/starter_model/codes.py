"""Draws the five kinds of codes as ink on a small ground, every symbol made by zxing-cpp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp

from .lettering import Typesetter
from .words import LINKS, WORDS

CLASSES = ("qr_code", "barcode", "data_matrix", "aztec", "pdf417")
QR_CODE, BARCODE, DATA_MATRIX, AZTEC, PDF417 = range(5)

Format = zxingcpp.BarcodeFormat
Rng = np.random.Generator
ALPHABET = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@dataclass(frozen=True)
class Symbol:
    """One encoded code: `modules` is a bool array, True where there is ink; `caption` is its human-readable text."""

    kind: int
    modules: np.ndarray
    caption: str = ""
    guards: np.ndarray | None = None  # a barcode's columns that reach below the others

    @property
    def aspect(self) -> float:
        """Width divided by height, in modules."""
        return self.modules.shape[1] / self.modules.shape[0]


@dataclass(frozen=True)
class Ink:
    """How a symbol is printed: two RGB colours, the modules' shape, the share of a logo, the caption."""

    dark: tuple[int, int, int] = (15, 15, 15)
    light: tuple[int, int, int] = (250, 250, 250)
    shape: str = "square"  # square, dot, rounded
    logo: float = 0.0
    caption: bool = True


@dataclass(frozen=True)
class Print:
    """A printed code with its quiet zone: RGB uint8 `image`, the `cover` of its ink (float32 0..1, same size) and the
    `box` (x0, y0, x1, y1) around its modules in pixels."""

    kind: int
    image: np.ndarray
    cover: np.ndarray
    box: tuple[float, float, float, float]


def random_symbol(rng: Rng, kind: int) -> Symbol:
    """A valid symbol of `kind` with random content and density; content that its standard refuses is drawn anew."""
    draw = (_qr_code, _barcode, _data_matrix, _aztec, _pdf417)[kind]
    while True:
        try:
            return draw(rng)
        except ValueError:
            continue


def random_ink(rng: Rng, kind: int) -> Ink:
    """Mostly black on white; at times coloured, faint, inverted, dotted or with a logo."""
    look = rng.random()
    dark = np.full(3, rng.integers(0, 60)) + rng.integers(0, 18, 3)
    light = np.full(3, rng.integers(205, 256)) - rng.integers(0, 14, 3)
    if look < 0.12:
        dark = rng.integers(0, 130, 3)
    elif look < 0.24:
        light = rng.integers(150, 256, 3)
    elif look < 0.30:
        base = rng.integers(90, 200, 3)
        dark, light = base - rng.integers(45, 85), base + rng.integers(20, 56)
    if rng.random() < (0.05 if kind in (BARCODE, PDF417) else 0.10):
        dark, light = light, dark
    shape = "square"
    if kind == QR_CODE and rng.random() < 0.14:
        shape = str(rng.choice(["dot", "rounded"]))
    if kind == DATA_MATRIX and rng.random() < 0.18:
        shape = "dot"
    logo = float(rng.uniform(0.15, 0.28)) if kind == QR_CODE and rng.random() < 0.15 else 0.0
    return Ink(_rgb(dark), _rgb(light), shape, logo, caption=bool(rng.random() < 0.75))


def print_symbol(rng: Rng, symbol: Symbol, width: int, height: int, ink: Ink, type_: Typesetter) -> Print:
    """Prints `symbol` so that its modules cover about `width` x `height` pixels, antialiased, with a quiet zone."""
    width, height = max(width, 6), max(height, 6)
    cover = _coverage(symbol, width, height, ink.shape)
    module = width / symbol.modules.shape[1]
    quiet = max(1, round(module * rng.uniform(*((4, 12) if symbol.kind == BARCODE else (1, 4.5)))))
    below, caption = quiet, None
    if symbol.kind == BARCODE and ink.caption and symbol.caption and height >= 14:
        size = int(np.clip(height * rng.uniform(0.1, 0.24), 6, width / max(len(symbol.caption), 1) * 1.5))
        if size >= 6:
            caption = type_.line(symbol.caption, size, str(rng.choice(["mono", "sans"])))
            below = caption.shape[0] + quiet // 2 + 1
    sheet = np.zeros((height + quiet + below, width + 2 * quiet), np.float32)
    sheet[quiet : quiet + height, quiet : quiet + width] = cover
    if caption is not None:
        _write_below(sheet, caption, quiet + height + 1, symbol.guards is not None)
    image = _blend(sheet, ink)
    if ink.logo:
        _stamp_logo(rng, image, quiet, width, height, ink)
    return Print(symbol.kind, image, sheet, (quiet, quiet, quiet + width, quiet + height))


def _coverage(symbol: Symbol, width: int, height: int, shape: str) -> np.ndarray:
    """The share of each of `height` x `width` pixels that is ink, float32 in 0..1."""
    modules = symbol.modules.astype(np.float32)
    rows, columns = modules.shape
    if symbol.kind == BARCODE:
        wide = cv2.resize(modules[:1], (columns * max(1, -(-width // columns)), 1), interpolation=cv2.INTER_NEAREST)
        line = cv2.resize(wide, (width, 1), interpolation=cv2.INTER_AREA)
        cover = np.repeat(line, height, axis=0)
        if symbol.guards is not None:
            long = cv2.resize(symbol.guards.astype(np.float32)[None], (width, 1), interpolation=cv2.INTER_NEAREST)
            cover[-max(1, height // 14) :] *= long
        return cover
    scale = max(1, -(-max(width // columns, height // rows) // 1) + 1)
    if shape != "square":
        scale = max(scale, 5)
    large = cv2.resize(modules, (columns * scale, rows * scale), interpolation=cv2.INTER_NEAREST)
    if shape == "dot":
        dot = np.zeros((scale, scale), np.float32)
        cv2.circle(dot, (scale // 2, scale // 2), max(1, round(scale * 0.44)), 1.0, -1)
        large *= np.tile(dot, (rows, columns))
        if symbol.kind == QR_CODE:
            for top, left in ((0, 0), (0, columns - 7), (rows - 7, 0)):
                area = np.s_[top * scale : (top + 7) * scale, left * scale : (left + 7) * scale]
                finder = modules[top : top + 7, left : left + 7]
                large[area] = np.kron(finder, np.ones((scale, scale), np.float32))
    elif shape == "rounded":
        large = (cv2.GaussianBlur(large, (0, 0), scale * 0.28) > 0.5).astype(np.float32)
    return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)


def _write_below(sheet: np.ndarray, caption: np.ndarray, top: int, spread: bool) -> None:
    room = sheet.shape[1]
    if spread or caption.shape[1] > room:
        caption = cv2.resize(caption, (max(1, int(room * 0.84)), caption.shape[0]), interpolation=cv2.INTER_AREA)
    left = (room - caption.shape[1]) // 2
    height = min(caption.shape[0], sheet.shape[0] - top)
    sheet[top : top + height, left : left + caption.shape[1]] = caption[:height]


def _blend(cover: np.ndarray, ink: Ink) -> np.ndarray:
    light, dark = np.float32(ink.light), np.float32(ink.dark)
    return (light + (dark - light) * cover[..., None] + 0.5).astype(np.uint8)


def _stamp_logo(rng: Rng, image: np.ndarray, quiet: int, width: int, height: int, ink: Ink) -> None:
    centre = (quiet + width // 2, quiet + height // 2)
    radius = max(2, round(width * ink.logo / 2))
    colour = tuple(int(c) for c in rng.integers(0, 255, 3))
    if rng.random() < 0.5:
        cv2.circle(image, centre, radius, ink.light, -1, cv2.LINE_AA)
        cv2.circle(image, centre, int(radius * 0.8), colour, -1, cv2.LINE_AA)
    else:
        for size, fill in ((radius, ink.light), (int(radius * 0.8), colour)):
            first, last = (centre[0] - size, centre[1] - size), (centre[0] + size, centre[1] + size)
            cv2.rectangle(image, first, last, fill, -1)
    cv2.circle(image, centre, max(1, int(radius * rng.uniform(0.2, 0.5))), ink.light, -1, cv2.LINE_AA)


def _encode(text: str, kind: Format, **options: object) -> np.ndarray:
    symbol = zxingcpp.create_barcode(text, kind, **options)
    return np.asarray(symbol.to_image(scale=1, add_quiet_zones=False)) < 128


def _text(rng: Rng, length: int) -> str:
    words = [str(rng.choice(LINKS))] if rng.random() < 0.4 else []
    while sum(map(len, words)) + len(words) < length:
        words.append(str(rng.choice(WORDS)) if rng.random() < 0.7 else _digits(rng, int(rng.integers(2, 9))))
    return " ".join(words)[:length]


def _digits(rng: Rng, count: int) -> str:
    return "".join(map(str, rng.integers(0, 10, count)))


def _length(rng: Rng, low: int, high: int) -> int:
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def _qr_code(rng: Rng) -> Symbol:
    level = str(rng.choice(["L", "M", "Q", "H"]))
    return Symbol(QR_CODE, _encode(_text(rng, _length(rng, 8, 220)), Format.QRCode, ec_level=level))


def _data_matrix(rng: Rng) -> Symbol:
    square = bool(rng.random() < 0.88)
    text = _text(rng, _length(rng, 4, 130)) if rng.random() < 0.6 else _digits(rng, _length(rng, 6, 90))
    return Symbol(DATA_MATRIX, _encode(text, Format.DataMatrix, force_square=square))


def _aztec(rng: Rng) -> Symbol:
    return Symbol(AZTEC, _encode(_text(rng, _length(rng, 5, 200)), Format.Aztec))


def _pdf417(rng: Rng) -> Symbol:
    length = _length(rng, 12, 420)
    columns = int(np.clip(round(np.sqrt(length) * rng.uniform(0.3, 1.3)), 1, 18))
    modules = _encode(_text(rng, length), Format.PDF417, columns=columns)
    rows = modules[::3]
    return Symbol(PDF417, np.repeat(rows, int(rng.choice([2, 3, 3, 3, 4])), axis=0))


def _barcode(rng: Rng) -> Symbol:
    code128: Callable[[], str] = lambda: _text(rng, int(rng.integers(4, 26))).upper()  # noqa: E731
    choices: list[tuple[float, Format, Callable[[], str]]] = [
        (0.30, Format.EAN13, lambda: _digits(rng, 12)),
        (0.06, Format.EAN8, lambda: _digits(rng, 7)),
        (0.10, Format.UPCA, lambda: _digits(rng, 11)),
        (0.04, Format.UPCE, lambda: "0" + _digits(rng, 6)),
        (0.28, Format.Code128, code128),
        (0.08, Format.Code39, lambda: "".join(rng.choice(ALPHABET, int(rng.integers(4, 13))))),
        (0.06, Format.ITF, lambda: _digits(rng, 2 * int(rng.integers(3, 9)))),
        (0.03, Format.Codabar, lambda: "A" + _digits(rng, int(rng.integers(5, 13))) + "B"),
        (0.03, Format.Code93, lambda: "".join(rng.choice(ALPHABET, int(rng.integers(4, 13))))),
        (0.02, Format.DataBar, lambda: _digits(rng, 13)),
    ]
    weights = np.array([weight for weight, _, _ in choices])
    _, kind, content = choices[int(rng.choice(len(choices), p=weights / weights.sum()))]
    text = content()
    modules = _encode(text, kind)
    retail = kind in (Format.EAN13, Format.EAN8, Format.UPCA, Format.UPCE)
    guards = modules[-1] if retail and rng.random() < 0.8 else None
    return Symbol(BARCODE, modules[:1], text, guards)


def _rgb(colour: np.ndarray) -> tuple[int, int, int]:
    red, green, blue = np.clip(colour, 0, 255).astype(int).tolist()
    return red, green, blue
