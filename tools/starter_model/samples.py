"""Renders the four sample pictures that ship in resources/samples, from seeds that training never uses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .clutter import crossword, ruler
from .codes import AZTEC, BARCODE, DATA_MATRIX, PDF417, QR_CODE
from .lettering import Typesetter
from .scene import Canvas
from .sheets import Sheet
from .stage import BLACK, Art, Stage, carton, daylight, plain_sheet
from .textures import bokeh, noise, wood

Rng = np.random.Generator
WIDTH, HEIGHT, OVERSAMPLE = 1440, 1080, 2
SAMPLE_SEED = 3026
WHITE, RED, TEAL, NAVY, GREY = (252, 251, 248), (196, 52, 44), (22, 110, 112), (26, 38, 70), (110, 110, 114)


def shipping_label(rng: Rng) -> Sheet:
    """A carrier's label with a Data Matrix, a barcode and a PDF417."""
    art = Art(rng, 800, 1060)
    art.pen.rectangle((0, 0, 800, 110), fill=BLACK)
    art.text((36, 22), "NORDPOST", 62, "black", WHITE)
    art.text((764, 30), "EXPRESS 24", 46, "bold", WHITE, "ra")
    art.text((36, 130), "TO", 24, "bold", GREY)
    for row, line in enumerate(
        ("Dr. M. Lindqvist", "Institute of Marine Optics", "Sandviksgatan 8", "413 02 Gothenburg")
    ):
        art.text((36, 164 + row * 44), line, 38, "bold" if row == 0 else "regular")
    art.text((32, 352), "GOT 7Q", 112, "black")
    art.text((36, 480), "4.20 kg   1/1   2026-03-14", 25, "mono")
    art.code(DATA_MATRIX, 486, 150, 280, 280, dense=16)
    art.pen.line((0, 524, 800, 524), fill=BLACK, width=5)
    art.code(BARCODE, 70, 548, 660, 180, dense=110, captioned=True)
    art.pen.line((0, 778, 800, 778), fill=BLACK, width=5)
    art.code(PDF417, 50, 806, 700, 216, dense=170)
    return art.sheet()


def parts_label(rng: Rng) -> Sheet:
    """A supplier's label with a large QR code."""
    art = Art(rng, 760, 460)
    art.text((30, 20), "Kestrel", 74, "black", TEAL)
    art.text((32, 112), "COUPLER K-204", 40, "bold")
    for row, line in enumerate(("Batch  26-0311", "Qty    48 pcs", "Net    2.85 kg", "Bristol, UK")):
        art.text((32, 180 + row * 44), line, 30, "mono")
    art.pen.rectangle((32, 372, 336, 424), fill=TEAL)
    art.text((184, 398), "KEEP DRY", 34, "black", WHITE, "mm")
    art.code(QR_CODE, 376, 50, 350, 350, dense=25)
    return art.sheet()


def fragile_label(rng: Rng) -> Sheet:
    """A Chinese "handle with care" label with an Aztec code."""
    art = Art(rng, 640, 420, RED)
    art.pen.rectangle((14, 14, 626, 406), outline=WHITE, width=6)
    art.text((40, 46), "小心轻放", 66, "chinese", WHITE)
    art.text((42, 150), "易碎品  向上", 40, "chinese", WHITE)
    art.text((42, 244), "FRAGILE", 62, "black", WHITE)
    art.text((44, 326), "HANDLE WITH CARE", 27, "bold", WHITE)
    art.pen.rectangle((326, 60, 604, 338), fill=WHITE)
    art.code(AZTEC, 348, 82, 234, 234, dense=19)
    return art.sheet()


def _box(
    stage: Stage, rng: Rng, place: tuple[float, float, float], size: tuple[float, float, float], turn: float,
    labels: dict[str, tuple[Sheet, float, float, float]], tone: float = 1.0,
) -> None:  # fmt: skip
    """A cardboard box standing at `place` (middle of its foot); labels by face: sheet, left, down, width in cm."""
    width, height, depth = size
    across = np.array([np.cos(turn), 0, -np.sin(turn)])
    ahead = np.array([np.sin(turn), 0, np.cos(turn)])
    up, foot = np.array([0, 1.0, 0]), np.array(place)
    base = [foot + across * x * width / 2 + ahead * z * depth / 2 for x, z in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    cast = [corner + np.array([height * 0.35, 0, -height * 0.12]) for corner in base]
    stage.shade(np.array(base + cast), 0.34, 60)
    stage.shade(np.array(base), 0.55, 22)
    top = foot + up * height
    faces = {
        "left": (top - across * width / 2 - ahead * depth / 2, ahead * depth, -up * height, 0.9),
        "right": (top + across * width / 2 + ahead * depth / 2, -ahead * depth, -up * height, 0.66),
        "front": (top - across * width / 2 + ahead * depth / 2, across * width, -up * height, 0.97),
        "top": (top - across * width / 2 - ahead * depth / 2, across * width, ahead * depth, 1.12),
    }
    for name, (corner, along, down, light) in faces.items():
        quad = stage.project(np.array([corner, corner + along, corner + along + down]))
        if np.cross(quad[1] - quad[0], quad[2] - quad[1]) <= 0:
            continue
        pixels = (int(np.linalg.norm(down) * 26), int(np.linalg.norm(along) * 26))
        side = carton(rng, pixels[1], pixels[0], light * tone, "down" if name in ("top", "front") else "")
        stage.face(rng, plain_sheet(side), corner, along, down)
        if name in labels:
            label, left, below, wide = labels[name]
            label.image = (label.image * min(1.0, light)).astype(np.uint8)
            unit_x, unit_y = along / np.linalg.norm(along), down / np.linalg.norm(down)
            high = wide * label.image.shape[0] / label.image.shape[1]
            stage.face(rng, label, corner + unit_x * left + unit_y * below, unit_x * wide, unit_y * high, shadow=True)


def parcels(rng: Rng) -> Canvas:
    """Parcels on a packing table, a shipping label in front."""
    height, width = HEIGHT * OVERSAMPLE, WIDTH * OVERSAMPLE
    hall = cv2.GaussianBlur(np.clip(bokeh(rng, height, width), 0, 255).astype(np.uint8), (0, 0), 45)
    hall = (hall * 0.35 + np.float32([118, 128, 138]) * 0.65).astype(np.uint8)
    stage = Stage(hall, eye=(4, 50, 132), target=(0, 27, 0), zoom=1.16)
    table = wood(rng, 1400, 2400)
    table = table / table.mean((0, 1)) * np.float32([176, 142, 106])
    stage.face(rng, plain_sheet(table), np.array([-190, 0, -90]), np.array([380, 0, 0]), np.array([0, 0, 168]))
    _box(stage, rng, (-29, 0, -12), (46, 46, 38), 0.15, {"front": (parts_label(rng), 2.5, 5, 38)}, 0.94)
    _box(stage, rng, (30, 0, -24), (50, 38, 34), -0.16, {}, 1.04)
    _box(stage, rng, (30, 38, -20), (42, 29, 28), -0.06, {"front": (fragile_label(rng), 3, 1.2, 36)}, 0.98)
    _box(stage, rng, (17, 0, 20), (44, 40, 28), -0.07, {"front": (shipping_label(rng), 7.5, 1, 29)}, 1.0)
    stage.canvas.image = daylight(stage.canvas.image, 1.1, 0.86, rng)
    return stage.canvas


def _pack(rng: Rng, name: str, note: str, tone: tuple[int, int, int], code: int | None, chinese: bool = False) -> Sheet:
    """The front of a product's package, with a code in its lower corner or none."""
    art = Art(rng, 560, 800, tone)
    shine = np.clip(np.float32(tone) * np.linspace(1.16, 0.86, 560)[None, :, None], 0, 255).astype(np.uint8)
    art.paste(np.repeat(shine, 800, axis=0), 0, 0)
    art.pen.ellipse((-160, 150, 460, 770), fill=tuple(int(min(255, c * 1.22 + 14)) for c in tone))
    art.text((44, 44), name, 116 if chinese else 84, "chinese" if chinese else "black", WHITE)
    art.text((48, 190 if chinese else 152), note, 40, "chinese" if chinese else "italic", WHITE)
    art.text((48, 716), "250 克" if chinese else "500 g", 34, "chinese" if chinese else "bold", WHITE)
    if code is not None:
        wide, high = (350, 210) if code == BARCODE else (270, 270)
        art.pen.rectangle((560 - wide - 70, 800 - high - 76, 536, 776), fill=WHITE)
        art.code(
            code,
            560 - wide - 47,
            800 - high - 52,
            wide,
            high - 6,
            WHITE,
            130 if code == BARCODE else 29,
            code == BARCODE,
        )
    return art.sheet()


def _price(rng: Rng, name: str, price: str) -> Sheet:
    """A shelf-edge label with a barcode."""
    art = Art(rng, 640, 230, (255, 252, 236))
    art.text((24, 10), name, 36, "chinese")
    art.text((22, 70), price, 104, "black", RED)
    art.text((24, 188), "per 100 g  0.78", 26, "regular", GREY)
    art.code(BARCODE, 286, 34, 330, 146, (255, 252, 236), dense=100, captioned=True)
    return art.sheet()


def shelf(rng: Rng) -> Canvas:
    """A shop shelf: packages with codes, price labels with barcodes."""
    height, width = HEIGHT * OVERSAMPLE, WIDTH * OVERSAMPLE
    back = np.float32([92, 94, 98]) * np.linspace(0.6, 1.0, height)[:, None, None] * np.ones((1, width, 1))
    stage = Stage(np.clip(back, 0, 255).astype(np.uint8), eye=(4, 46, 98), target=(0, 44, 0), zoom=1.24)
    products: tuple[tuple[str, str, tuple[int, int, int], int, bool], ...] = (
        ("绿茶", "高山有机茶叶", (44, 112, 70), QR_CODE, True),
        ("NOTTE", "dark roast, whole bean", (66, 44, 52), AZTEC, False),
        ("SALINA", "sea salt crackers", (36, 92, 146), DATA_MATRIX, False),
    )
    prices = (("Tea 绿茶", "7.50"), ("Coffee", "8.20"), ("Crackers", "2.40"))
    lefts = [-35.0 + number * 23.8 for number in range(len(products))]
    rail = np.float32([206, 208, 210]) + 5 * noise(rng, 120, 2200, 0.05, 2)[..., None]
    for floor, order, light in (
        (-6.5, (2, 0, 1), 0.82),
        (33.5, (0, 1, 2), 1.0),
        (71.5, (0, 1, 2), 1.0),
    ):
        for left, number in zip(lefts, order, strict=True):
            name, note, tone, code, chinese = products[number]
            pack = _pack(rng, name, note, tone, code if floor == 33.5 else None, chinese)
            pack.image = (pack.image * light).astype(np.uint8)
            corner, down = np.array([left, floor + 30, 0]), np.array([0, -30.0, 0])
            flank = plain_sheet(np.float32(tone) * 0.5 * light + np.zeros((64, 32, 1)))
            for near in (0.0, 21.0):
                stage.face(rng, flank, corner + np.array([near, 0, 0]), np.array([0, 0, -11.0]), down)
            lid = plain_sheet(np.float32(tone) * 0.8 * light + np.zeros((32, 64, 1)))
            stage.face(rng, lid, corner - np.array([0, 0, 11.0]), np.array([21.0, 0, 0]), np.array([0, 0, 11.0]))
            stage.face(rng, pack, corner, np.array([21.0, 0, 0]), down, shadow=True)
        ledge = np.array([[-90, floor - 7, 0.5], [90, floor - 7, 0.5], [90, floor - 15, -4], [-90, floor - 15, -4.0]])
        stage.shade(ledge, 0.45, 50)
        edge, along, down = np.array([-90, floor, 1.5]), np.array([180.0, 0, 0]), np.array([0, -7.8, 0])
        stage.face(rng, plain_sheet(rail), edge, along, down, shadow=True)
        for left, (name, price) in zip(lefts, prices if floor == 33.5 else (), strict=False):
            tag, corner = _price(rng, name, price), np.array([left, floor - 0.2, 1.8])
            stage.face(rng, tag, corner, np.array([20.6, 0, 0]), np.array([0, -7.4, 0]), shadow=True)
    stage.canvas.image = daylight(stage.canvas.image, 1.06, 0.94, rng)
    return stage.canvas


def festival_poster(rng: Rng) -> Sheet:
    """A festival's poster: sun over waves, and a QR code for the programme."""
    width, height = 1000, 1414
    sky = np.linspace(0, 1, height)[:, None, None] ** 0.8
    picture = np.float32([252, 206, 128]) * (1 - sky) + np.float32([222, 96, 84]) * sky + np.zeros((1, width, 1))
    picture = np.ascontiguousarray(picture.astype(np.uint8))
    cv2.circle(picture, (620, 610), 240, (255, 240, 206), -1, cv2.LINE_AA)
    columns = np.arange(width)
    for number, tone in enumerate(((168, 64, 88), (112, 48, 92), (62, 38, 84), (32, 28, 62))):
        crest = (
            690 + number * 110 + 46 * np.sin(columns / (150 - number * 16) + number * 1.7) + 14 * np.sin(columns / 41)
        )
        wave = np.stack([columns, crest], 1).astype(np.int32)
        cv2.fillPoly(picture, [np.concatenate([wave, [[width, height], [0, height]]])], tone, cv2.LINE_AA)
    art = Art(rng, width, height, picture)
    art.text((70, 60), "TIDES", 236, "black", (74, 34, 66))
    art.text((78, 318), "a summer festival of new music", 54, "italic", (74, 34, 66))
    art.text((76, 1090), "12–14 July", 92, "bold", (255, 236, 200))
    art.text((78, 1212), "Harbour Park, East Pier", 44, "regular", (255, 236, 200))
    art.text((78, 1284), "Programme and tickets:", 36, "light", (255, 236, 200))
    art.text((78, 1326), "scan the code", 36, "light", (255, 236, 200))
    art.pen.rounded_rectangle((600, 1010, 954, 1364), 22, fill=WHITE)
    art.code(QR_CODE, 636, 1046, 282, 282, WHITE, dense=25)
    return art.sheet()


def exhibition_poster(rng: Rng) -> Sheet:
    """A Chinese exhibition's poster in ink and paper, with a QR code and a barcode on its ticket strip."""
    art = Art(rng, 800, 1131, (238, 232, 218))
    for number, (x, y, radius) in enumerate(((280, 520, 210), (470, 590, 260), (610, 500, 150))):
        tone = (60 + number * 40, 74 + number * 38, 84 + number * 34)
        art.pen.polygon([(x - radius * 1.3, 720), (x, y - radius), (x + radius * 1.3, 720)], fill=tone)
    art.pen.ellipse((560, 210, 670, 320), fill=RED)
    art.text((60, 56), "山水之间", 132, "songti", (40, 44, 50))
    art.text((64, 224), "当代水墨展", 62, "songti", (40, 44, 50))
    art.text((64, 786), "9月1日 — 10月30日", 42, "songti")
    art.text((64, 852), "市立图书馆 三层展厅", 38, "songti")
    art.text((64, 916), "Between mountains and water", 30, "italic", GREY)
    art.text((64, 1010), "请扫码预约  免费入场", 40, "chinese", RED)
    art.code(QR_CODE, 478, 808, 272, 272, (238, 232, 218), dense=25)
    return art.sheet()


def poster(rng: Rng) -> Canvas:
    """Two posters on a plastered wall in the evening sun."""
    height, width = HEIGHT * OVERSAMPLE, WIDTH * OVERSAMPLE
    plaster = np.float32([172, 166, 156]) + 7 * noise(rng, height, width, 0.5, 7)[..., None]
    relief = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 4)
    plaster += 60 * cv2.Sobel(relief, cv2.CV_32F, 1, 1)[..., None]
    stage = Stage(np.clip(plaster, 0, 255).astype(np.uint8), eye=(-24, 1, 138), target=(-2, 0, 0), zoom=1.24)
    festival, exhibition = festival_poster(rng), exhibition_poster(rng)
    stage.face(rng, festival, np.array([-50, 37, 0]), np.array([53.0, 0, 0]), np.array([0, -75, 0]), shadow=True)
    stage.face(rng, exhibition, np.array([11, 30, 0]), np.array([40.0, 0, 0]), np.array([0.5, -56.5, 0]), shadow=True)
    branch = np.array([[-90, 60, 0], [-60, 60, 0], [40, -60, 0], [8, -60, 0.0]])
    stage.shade(branch, 0.16, 60)
    stage.canvas.image = daylight(stage.canvas.image, 1.12, 0.82, rng)
    return stage.canvas


def empty(rng: Rng) -> Canvas:
    """A desk from above: keyboard, notebook, crossword, ruler and a cup, and no code anywhere."""
    height, width = HEIGHT * OVERSAMPLE, WIDTH * OVERSAMPLE
    type_ = Typesetter()
    desk = wood(rng, height // 2, width // 2)
    desk = cv2.resize((desk / desk.mean((0, 1)) * np.float32([158, 118, 84])).astype(np.float32), (width, height))
    stage = Stage(np.clip(desk, 0, 255).astype(np.uint8), eye=(0, 0, 120), target=(0, 0, 0), zoom=1.25)

    def lay(image: np.ndarray, left: float, top: float, wide: float, turn: float) -> None:
        high = wide * image.shape[0] / image.shape[1]
        cos, sin = np.cos(turn), np.sin(turn)
        corner, along = np.array([left, top, 0.0]), np.array([cos, sin, 0]) * wide
        down = np.array([sin, -cos, 0]) * high
        cast = np.array([corner, corner + along, corner + along + down, corner + down]) + np.array([0.7, -0.7, 0])
        stage.shade(cast, 0.42, 26)
        stage.face(rng, plain_sheet(image), corner, along, down)

    page = Art(rng, 900, 1200, (247, 243, 230))
    for row in range(17):
        page.pen.line((70, 190 + row * 56, 850, 190 + row * 56), fill=(190, 204, 214), width=2)
    notes = ("Monday", "call the harbour office", "proofs of the poster, second round", "two cartons of oat flakes",
             "return the library books", "", "Tuesday", "train 9:42, platform 4", "bring the long ruler")  # fmt: skip
    for row, line in enumerate(notes):
        page.text((84, 146 + row * 56), line, 40, "italic", (38, 54, 104))
    lay(page.sheet().image, -41, 26, 30, 0.07)
    keys = Art(rng, 1500, 520, (40, 42, 46))
    for row, letters in enumerate(("1234567890-=", "QWERTYUIOP[]", "ASDFGHJKL;'#", "ZXCVBNM,./")):
        for column, letter in enumerate(letters):
            left, top = 40 + column * 117 + row * 24, 40 + row * 92
            keys.pen.rounded_rectangle((left, top, left + 102, top + 80), 12, fill=(66, 68, 74))
            keys.text((left + 18, top + 12), letter, 34, "regular", (224, 226, 230))
    keys.pen.rounded_rectangle((330, 412, 1120, 488), 12, fill=(66, 68, 74))
    lay(keys.sheet().image, -6, -14, 50, -0.03)
    puzzle = Art(rng, 760, 900, (250, 248, 240))
    puzzle.text((40, 26), "The Sunday Crossword", 58, "serif")
    puzzle.paste(np.clip(crossword(rng, 680, 680, type_), 0, 255).astype(np.uint8), 40, 130)
    puzzle.pen.rectangle((40, 130, 720, 810), outline=(60, 60, 60), width=2)
    lay(puzzle.sheet().image, 10, 33, 30, -0.14)
    lay(np.clip(ruler(rng, 110, 1500, type_), 0, 255).astype(np.uint8) // 2 + 100, -42, -28, 34, 0.35)
    _cup(stage, (-13.0, -4.0))
    stage.canvas.image = daylight(stage.canvas.image, 1.1, 0.84, rng)
    return stage.canvas


def _cup(stage: Stage, place: tuple[float, float]) -> None:
    """A cup of coffee on its saucer, seen from above."""
    middle, rim = stage.project(np.array([[*place, 0.0], [place[0] + 4.6, place[1], 0.0]]))
    radius, (x, y) = float(np.linalg.norm(rim - middle)), middle.astype(int).tolist()
    circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 40)), np.sin(np.linspace(0, 2 * np.pi, 40)), np.zeros(40)], 1)
    stage.shade(circle * 7.6 + np.array([place[0] + 0.9, place[1] - 0.9, 0]), 0.45, 30)
    picture = stage.canvas.image
    for share, tone in ((1.6, (238, 236, 230)), (1.52, (226, 223, 216)), (1.1, (206, 202, 194))):
        cv2.circle(picture, (x, y), int(radius * share), tone, -1, cv2.LINE_AA)
    cv2.line(
        picture,
        (x, y),
        (x + int(radius * 1.5), y - int(radius * 0.7)),
        (246, 244, 240),
        int(radius * 0.26),
        cv2.LINE_AA,
    )
    for share, tone in ((1.0, (248, 246, 242)), (0.88, (214, 208, 198)), (0.84, (58, 35, 22)), (0.78, (70, 43, 27))):
        cv2.circle(picture, (x, y), int(radius * share), tone, -1, cv2.LINE_AA)
    cv2.ellipse(
        picture, (x, y), (int(radius * 0.66),) * 2, 0, 200, 250, (132, 92, 62), max(1, int(radius * 0.05)), cv2.LINE_AA
    )


PICTURES = {"parcels": parcels, "shelf": shelf, "poster": poster, "empty": empty}


def render_samples(folder: Path) -> list[Path]:
    """Writes the four pictures as JPEG, WIDTH x HEIGHT pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (name, paint) in enumerate(PICTURES.items()):
        canvas = paint(np.random.default_rng([SAMPLE_SEED, number]))
        small = cv2.resize(canvas.image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        paths.append(folder / f"{name}.jpg")
        Image.fromarray(small).save(paths[-1], quality=90, optimize=True)
    return paths
