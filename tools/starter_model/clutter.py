"""Things that a hasty detector takes for codes: stripes, grids, text, mosaics, keys, windows, rulers and the like."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .lettering import Typesetter, phrase
from .textures import colour, noise

Rng = np.random.Generator
Painter = Callable[[Rng, int, int, Typesetter], np.ndarray]


def _tones(rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    if rng.random() < 0.5:
        return np.float32([rng.uniform(0, 50)] * 3), np.float32([rng.uniform(195, 255)] * 3)
    return colour(rng, 0, 130), colour(rng, 120, 256)


def _canvas(tone: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(np.float32(tone), (height, width, 3)))


def _pitch(rng: Rng, length: int, least: int, most: int) -> int:
    return max(3, int(length / np.exp(rng.uniform(np.log(least), np.log(most)))))


def stripes(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Evenly spaced bars: fences, blinds, zebra crossings, radiators; soft-edged and shaded as solid things are."""
    dark, light = _tones(rng)
    pitch = _pitch(rng, width, 4, 40)
    phase = (np.arange(width) % pitch) / pitch
    duty = rng.uniform(0.25, 0.75)
    wave = (phase < duty).astype(np.float32) if rng.random() < 0.5 else 0.5 + 0.5 * np.sin(phase * 2 * np.pi)
    image = _canvas(dark, height, width) + np.float32(light - dark) * wave[None, :, None]
    if rng.random() < 0.4:
        for top in rng.integers(0, height, int(rng.integers(1, 4))):
            image[top : top + max(2, height // 20)] = light if rng.random() < 0.5 else dark
    image *= 1 + rng.uniform(0, 0.3) * noise(rng, height, width, 0.5, 2)[..., None]
    return image if rng.random() < 0.5 else _turn(image, height, width)


def spines(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A shelf of book spines or folders of many colours and widths."""
    image, left = _canvas(colour(rng, 0, 60), height, width), 0
    while left < width:
        thick = max(3, int(width * rng.uniform(0.02, 0.12)))
        tone, top = colour(rng), int(height * rng.uniform(0, 0.2))
        image[top:, left : left + thick] = tone * np.linspace(0.75, 1.1, min(thick, width - left))[None, :, None]
        for _ in range(int(rng.integers(0, 4))):
            band = int(rng.integers(top, height))
            image[band : band + max(1, height // 40), left : left + thick - 1] = colour(rng)
        left += thick + int(rng.integers(0, 2))
    return image


def grid(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Regular cells with lines between them: tiles, windows of a tower, nets, sudoku, keyboards, calendars."""
    dark, light = _tones(rng)
    image = _canvas(dark, height, width)
    columns, rows = int(rng.integers(3, 16)), int(rng.integers(3, 16))
    if rng.random() < 0.4:
        rows = columns
    gap, lettered = rng.uniform(0.04, 0.35), rng.random() < 0.45
    cell_w, cell_h = width / columns, height / rows
    uneven = rng.choice([0.0, 0.0, 30.0])
    for row in range(rows):
        for column in range(columns):
            x0, y0 = int((column + gap / 2) * cell_w), int((row + gap / 2) * cell_h)
            x1, y1 = int((column + 1 - gap / 2) * cell_w), int((row + 1 - gap / 2) * cell_h)
            tone = light + rng.normal(0, uneven)
            cv2.rectangle(image, (x0, y0), (max(x0, x1 - 1), max(y0, y1 - 1)), tone.tolist(), -1)
            if lettered and min(x1 - x0, y1 - y0) > 9:
                glyph = type_.line(chr(int(rng.integers(65, 91))), int(min(x1 - x0, y1 - y0) * 0.6), "sans")
                _lay(image, glyph, x0 + 2, y0 + 2, dark)
    return image


def checks(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Chess boards, race flags and checked floors: two tones that alternate strictly."""
    dark, light = _tones(rng)
    count = int(rng.integers(4, 13))
    board = (np.add.outer(np.arange(count), np.arange(count)) % 2).astype(np.float32)
    mask = cv2.resize(board, (width, height), interpolation=cv2.INTER_NEAREST)
    return dark + (light - dark) * mask[..., None]


def tartan(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Crossing coloured bands, as on a cloth."""
    sett = np.stack([colour(rng) for _ in range(int(rng.integers(3, 7)))])
    repeat = np.repeat(sett, rng.integers(1, 8, len(sett)), axis=0)
    scale = max(1, _pitch(rng, width, 4, 14) // len(repeat))
    threads = np.repeat(np.concatenate([repeat, repeat[::-1]]), scale, axis=0)
    across = threads[np.arange(width) % len(threads)][None]
    down = threads[np.arange(height) % len(threads)][:, None]
    return 0.5 * across + 0.5 * down


def crossword(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """White cells with thin borders and letters, a few of them black."""
    count = int(rng.integers(6, 16))
    image = _canvas(np.float32([248, 247, 242]), height, width)
    cell_w, cell_h = width / count, height / count
    for row in range(count):
        for column in range(count):
            x, y = int(column * cell_w), int(row * cell_h)
            if rng.random() < 0.2:
                cv2.rectangle(image, (x, y), (int(x + cell_w), int(y + cell_h)), (20, 20, 20), -1)
            elif cell_h > 10 and rng.random() < 0.7:
                _lay(image, type_.line(chr(int(rng.integers(65, 91))), int(cell_h * 0.65), "sans"), x + 2, y + 2, 20)
    for column in range(count + 1):
        cv2.line(image, (int(column * cell_w), 0), (int(column * cell_w), height), (60, 60, 60), 1)
        cv2.line(image, (0, int(column * cell_h)), (width, int(column * cell_h)), (60, 60, 60), 1)
    return image


def mosaic(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Coloured square patches in many tones: pixel art, tiles, colour charts."""
    rows, columns = int(rng.integers(4, 20)), int(rng.integers(4, 20))
    palette = np.stack([colour(rng) for _ in range(int(rng.integers(4, 12)))])
    small = palette[rng.integers(0, len(palette), (rows, columns))]
    if rng.random() < 0.5:
        small = np.concatenate([small, small[:, ::-1]], axis=1)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)


def dots(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Regular round holes or halftone: grilles, pegboards, perforated metal, LED matrices."""
    dark, light = _tones(rng)
    pitch = _pitch(rng, width, 8, 40)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    if rng.random() < 0.5:
        columns = columns + (rows // pitch % 2) * pitch / 2
    distance = np.hypot(columns % pitch - pitch / 2, rows % pitch - pitch / 2)
    radius = pitch * np.clip(0.3 + 0.2 * noise(rng, height, width, 0.5, 2) * rng.choice([0, 1]), 0.05, 0.48)
    mask = np.clip(radius - distance + 0.5, 0, 1)[..., None]
    return dark + (light - dark) * mask if rng.random() < 0.5 else light + (dark - light) * mask


def text(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A page of dense text."""
    dark, light = _tones(rng)
    size = max(6, int(height / np.exp(rng.uniform(np.log(4), np.log(40)))))
    mask = type_.block(rng, width, height, size, str(rng.choice(["any", "mono", "sans", "bold", "chinese"])))
    if rng.random() < 0.15:
        dark, light = light, dark
    return light + (dark - light) * mask[..., None]


def table(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Ruled rows of words and figures: nutrition facts, time tables, spread sheets, receipts."""
    dark, light = _tones(rng)
    rows = int(rng.integers(4, 18))
    image, step = _canvas(light, height, width), height / rows
    size, splits = max(6, int(step * 0.62)), np.sort(rng.uniform(0.35, 0.95, int(rng.integers(1, 5))))
    for row in range(rows):
        top = int(row * step)
        if rng.random() < 0.7:
            cv2.line(image, (0, top), (width, top), dark.tolist(), int(rng.choice([1, 1, 1, 3])))
        for left in (0.02, *splits):
            words = phrase(rng, int(rng.integers(4, 14))) if left < 0.1 else str(rng.integers(10 ** rng.integers(1, 5)))
            _lay(image, type_.line(words, size, "sans"), int(left * width), top + 2, dark)
    return image


def circuit(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A printed circuit board: traces, pads and chips with legs."""
    base = np.float32([rng.uniform(0, 50), rng.uniform(60, 120), rng.uniform(20, 90)])
    image = _canvas(base, height, width)
    trace, thick = (base * 1.35 + 10).tolist(), max(1, min(height, width) // 90)
    for _ in range(int(rng.integers(10, 40))):
        x, y, reach = int(rng.integers(width)), int(rng.integers(height)), int(rng.integers(-width, width) // 2)
        cv2.line(image, (x, y), (x + reach, y), trace, thick)
        cv2.line(image, (x + reach, y), (x + reach + reach // 4, y + abs(reach) // 4), trace, thick)
    for _ in range(int(rng.integers(2, 9))):
        w, h = (int(v) for v in rng.uniform(0.06, 0.25, 2) * min(height, width))
        x, y = int(rng.integers(width)), int(rng.integers(height))
        for leg in range(x, x + w, max(3, w // 8)):
            cv2.rectangle(image, (leg, y - h // 6), (leg + max(1, w // 20), y + h + h // 6), (190, 190, 195), -1)
        cv2.rectangle(image, (x, y), (x + w, y + h), (28, 28, 30), -1)
        if h > 14:
            _lay(image, type_.line(phrase(rng, 7).upper(), max(6, h // 4), "mono"), x + 3, y + h // 3, 200)
    return image


def ruler(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A ruler or scale: ticks of three lengths with numbers."""
    dark, light = _tones(rng)
    image, pitch = _canvas(light, height, width), _pitch(rng, width, 20, 70)
    for count, left in enumerate(range(2, width, pitch)):
        reach = 0.5 if count % 10 == 0 else 0.36 if count % 5 == 0 else 0.25
        cv2.line(image, (left, 0), (left, int(height * reach)), dark.tolist(), max(1, pitch // 6))
        if count % 10 == 0:
            _lay(image, type_.line(str(count // 10), max(7, int(height * 0.25)), "sans"), left, int(height * 0.6), dark)
    return image


def piano(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Piano keys, black among white."""
    image, key = _canvas(np.float32([240, 240, 235]), height, width), _pitch(rng, width, 7, 24)
    for count, left in enumerate(range(0, width, key)):
        cv2.line(image, (left, 0), (left, height), (120, 120, 120), 1)
        if count % 7 in (1, 2, 4, 5, 6):
            cv2.rectangle(image, (left - key // 3, 0), (left + key // 3, int(height * 0.62)), (22, 22, 22), -1)
    return image


def targets(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Nested squares or rings, arrows and icons: logos, washing marks, speaker cones, recycling and care symbols."""
    dark, light = _tones(rng)
    image = _canvas(light, height, width)
    count = int(rng.integers(1, 5))
    size = min(height, width / count) * 0.8
    for index in range(count):
        centre = np.array([(index + 0.5) * width / count, height / 2])
        look = rng.integers(4)
        for ring in range(int(rng.integers(1, 5))):
            radius = int(size / 2 * (1 - ring * rng.uniform(0.18, 0.3)))
            if radius < 2:
                break
            tone = (dark if ring % 2 == 0 else light).tolist()
            if look == 0:
                cv2.circle(image, centre.astype(int).tolist(), radius, tone, -1, cv2.LINE_AA)
            elif look == 1:
                first, last = (centre - radius).astype(int).tolist(), (centre + radius).astype(int).tolist()
                cv2.rectangle(image, first, last, tone, -1)
            else:
                angles = np.linspace(0, 2 * np.pi, int(look) + 2)[:-1] - np.pi / 2
                corners = centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
                cv2.fillPoly(image, [corners.astype(np.int32)], tone, cv2.LINE_AA)
    return image


def maze(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Thin walls of a labyrinth or a hatched weave, diagonal strokes at random."""
    dark, light = _tones(rng)
    image, pitch = _canvas(light, height, width), _pitch(rng, min(height, width), 6, 18)
    for top in range(0, height, pitch):
        for left in range(0, width, pitch):
            near, far = (left, left + pitch) if rng.random() < 0.5 else (left + pitch, left)
            cv2.line(image, (near, top), (far, top + pitch), dark.tolist(), max(1, pitch // 5), cv2.LINE_AA)
    return image


def bricks(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A wall of bricks or paving in a running bond."""
    mortar, brick = colour(rng, 120, 220), colour(rng, 40, 190)
    image, rows = _canvas(mortar, height, width), int(rng.integers(4, 20))
    step = height / rows
    wide, joint = step * rng.uniform(1.5, 3.2), max(1, int(step * 0.1))
    for row in range(rows):
        for column in range(-1, int(width / wide) + 2):
            left = int((column + (row % 2) / 2) * wide)
            corner = (int(left + wide) - joint, int((row + 1) * step) - joint)
            cv2.rectangle(image, (left, int(row * step)), corner, (brick * rng.uniform(0.8, 1.15)).tolist(), -1)
    return image


def charts(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Bar charts, equalisers and skylines: columns of unequal height on a ground."""
    image, count = _canvas(_tones(rng)[1], height, width), int(rng.integers(4, 30))
    wide, gap = width / count, rng.uniform(0.05, 0.5)
    tones = [colour(rng, 0, 200) for _ in range(int(rng.integers(1, 4)))]
    for index in range(count):
        first = (int(index * wide), int(height * rng.uniform(0.1, 0.9)))
        cv2.rectangle(image, first, (int((index + 1 - gap) * wide), height), tones[index % len(tones)].tolist(), -1)
    return image


def keyboard(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """Rows of rounded keys with small letters, each row a little further in; remote controls and keypads too."""
    dark, light = _tones(rng)
    if rng.random() < 0.5:
        dark, light = light, dark
    rows, columns = int(rng.integers(3, 7)), int(rng.integers(3, 15))
    image, step = _canvas(dark * 0.8, height, width), np.array([width / (columns + 0.8), height / rows])
    shift, gap = rng.uniform(0, 0.25), rng.uniform(0.06, 0.2)
    key = np.clip(dark + (light - dark) * rng.uniform(0.08, 0.5), 0, 255)
    for row in range(rows):
        for column in range(columns):
            wide = 4 if row == rows - 1 and column == columns // 3 else 1
            first = ((column + gap + shift * row) * step[0], (row + gap) * step[1])
            last = ((column + wide - gap + shift * row) * step[0], (row + 1 - gap) * step[1])
            corners = np.array([first, last]).astype(int).tolist()
            cv2.rectangle(image, corners[0], corners[1], key.tolist(), -1)
            if step[1] > 14 and wide == 1:
                letter = type_.line(chr(int(rng.integers(48, 91))), int(step[1] * 0.35), "sans")
                _lay(image, letter, corners[0][0] + 3, corners[0][1] + 2, light)
    return image


def editor(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A screen full of indented coloured lines, cards and bars: programs, chats, dashboards."""
    ground = colour(rng, 0, 60) if rng.random() < 0.5 else colour(rng, 215, 256)
    inks = [np.clip(ground + (128 - ground) * rng.uniform(1.0, 2.2) + rng.normal(0, 40, 3), 0, 255) for _ in range(4)]
    image, size = _canvas(ground, height, width), max(6, int(height / rng.integers(10, 40)))
    left_bar = int(width * rng.uniform(0, 0.25))
    image[:, :left_bar] = ground * 0.8 + 20
    for top in range(size, height - size, int(size * rng.uniform(1.2, 1.9))):
        left = left_bar + size * int(rng.integers(1, 8))
        for _ in range(int(rng.integers(0, 4))):
            words = type_.line(phrase(rng, int(rng.integers(3, 16))), size, "mono" if left_bar else "sans")
            if left + words.shape[1] > width:
                break
            _lay(image, words, left, top, inks[int(rng.integers(len(inks)))].astype(np.float32))
            left += words.shape[1] + size
    return image


PAINTERS: tuple[Painter, ...] = (
    stripes, stripes, stripes, spines, grid, grid, checks, tartan, crossword, mosaic, dots, text, text, text, table,
    table, keyboard, keyboard, editor, editor, circuit, ruler, piano, targets, targets, maze, bricks, charts,
)  # fmt: skip


def look_alike(rng: Rng, height: int, width: int, type_: Typesetter) -> np.ndarray:
    """A random thing that is no code, RGB uint8 (height, width, 3)."""
    height, width = max(8, height), max(8, width)
    return np.clip(PAINTERS[rng.integers(len(PAINTERS))](rng, height, width, type_), 0, 255).astype(np.uint8, order="C")


def _lay(image: np.ndarray, mask: np.ndarray, left: int, top: int, tone: np.ndarray | int) -> None:
    area = image[max(0, top) : top + mask.shape[0], max(0, left) : left + mask.shape[1]]
    mask = mask[: area.shape[0], : area.shape[1], None]
    area += (np.float32(tone) - area) * mask


def _turn(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(np.ascontiguousarray(image.transpose(1, 0, 2)), (width, height), interpolation=cv2.INTER_LINEAR)
