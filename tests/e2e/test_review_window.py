"""A folder is reviewed in a real window, by keyboard and mouse, and found as it was left."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.review.decision import Decision, Status
from engine.review.image_review import ImageReview
from engine.review.session import Session
from tests.e2e.desk import Desk, needs_screen, wait_for

pytestmark = needs_screen

NAMES = [f"tea {at}.png" for at in range(1, 5)]
QUERIES = 12
"""How many boxes the tiny model finds in every image."""

COCO_OF_SESSION = ("shift+Tab", "Down", "shift+Tab", "Down", "shift+Tab", "Home", "c", "Tab", "Tab", "Tab")
"""From the line of the path: what was decided, the whole session, the first format that begins with C, and back."""


class Review:
    """The program with the tiny model on a folder of four small images, and a look into its session's file."""

    def __init__(self, display: str, folder: Path, model: Path, home: Path) -> None:
        self._display, self.folder, self._model, self._home = display, folder, model, home
        self.desk = self.start()

    def start(self) -> Desk:
        self.desk = Desk(self._display, [self.folder], self.folder, DETRDESK_MODEL=str(self._model))
        return self.desk

    @property
    def file(self) -> Path | None:
        found = [path for path in (self._home / "data" / "sessions").glob("*.detrdesk") if "Single" not in path.name]
        return found[0] if found else None

    def count(self, query: str) -> int:
        """A number that the session's file tells while the program has it open."""
        if self.file is None:
            return -1
        try:
            with contextlib.closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True)) as connection:
                (number,) = connection.execute(query).fetchone()
        except sqlite3.OperationalError:  # it is just being made
            return -1
        return int(number)

    def wait_found(self, images: int) -> None:
        """Wait until so many images were detected in; the window shows it by then."""
        wait_for(lambda: self.count("SELECT count(*) FROM found") >= images, f"detections in {images} images")

    def do(self, *keys: str, steps: int = 1) -> None:
        """Press keys, and wait until so many more steps are in the file."""
        wanted = self.count("SELECT done FROM state") + steps
        self.desk.keys(*keys)
        self.wait_steps(wanted)

    def wait_steps(self, wanted: int) -> None:
        wait_for(lambda: self.count("SELECT done FROM state") == wanted, f"{wanted} steps")


@pytest.fixture
def review(display: str, tmp_path: Path, tiny_detr: Path, own_home: Path) -> Iterator[Review]:
    folder = tmp_path / "八月 客户"
    folder.mkdir()
    for at, name in enumerate(NAMES):
        Image.effect_noise((320 + 8 * at, 240), 60 + 10 * at).convert("RGB").save(folder / name)
    review = Review(display, folder, tiny_detr, own_home)
    yield review
    review.desk.end()


def decide_about_the_first(review: Review) -> None:
    """Accept one, reject one, relabel one, draw one, take it back and do it again, and go on."""
    desk = review.desk
    window = desk.focus(f"{NAMES[0]} – detrdesk")
    review.wait_found(1)
    desk.keys(*["bracketleft"] * 10)
    review.do("j", "Return")
    review.do("j", "x")
    desk.keys("j", "ctrl+e")
    desk.type("carton")
    review.do("Return")
    width, height = desk.size(window)
    desk.keys("n")
    start, end = (int(width * 0.38), int(height * 0.45)), (int(width * 0.5), int(height * 0.58))
    desk.drag(window, start, (int(width * 0.44), int(height * 0.5)), end)
    desk.type("parcel")
    review.do("Return")
    review.do("ctrl+z", steps=-1)
    review.do("ctrl+shift+z")
    review.do("space")


def test_a_folder_is_reviewed_exported_and_found_as_it_was_left(review: Review, tmp_path: Path) -> None:
    decide_about_the_first(review)
    for at, name in enumerate(NAMES[1:], start=2):
        review.desk.focus(f"{name} – detrdesk")
        review.wait_found(at)
        review.do("space")
    review.desk.export_to(tmp_path / "checked.json", *COCO_OF_SESSION)
    review.desk.focus(" – detrdesk$")
    review.desk.keys("a")
    review.desk.focus(f"{NAMES[2]} – detrdesk")
    assert review.desk.quit() == (0, "", "")

    kept = kept_reviews(review)
    check_decisions(kept)
    check_coco(json.loads((tmp_path / "checked.json").read_text("utf-8")), kept)

    review.start().focus(f"{NAMES[2]} – detrdesk")
    assert review.desk.quit() == (0, "", "")


def kept_reviews(review: Review) -> list[ImageReview]:
    """What the session's file holds, that of the first image first."""
    assert review.file is not None
    with contextlib.closing(Session.open(review.file)) as session:
        places = session.known_images([str(review.folder / name) for name in NAMES])
        return [session.image(places[str(review.folder / name)].content_hash) for name in NAMES]


def check_decisions(kept: list[ImageReview]) -> None:
    assert [each.is_reviewed for each in kept] == [True] * len(NAMES)
    first = kept[0].decisions
    assert Counter(each.status for each in first) == {Status.ACCEPTED: QUERIES - 1, Status.REJECTED: 1, Status.ADDED: 1}
    assert [(each.label, each.status) for each in first if each.label in ("carton", "parcel")] == [
        ("carton", Status.ACCEPTED),
        ("parcel", Status.ADDED),
    ]
    for others in kept[1:]:
        assert Counter(each.status for each in others.decisions) == {Status.ACCEPTED: QUERIES}


def check_coco(coco: dict[str, Any], kept: list[ImageReview]) -> None:
    assert [each["file_name"] for each in coco["images"]] == NAMES
    names = {each["id"]: each["name"] for each in coco["categories"]}
    assert list(names.values())[-2:] == ["carton", "parcel"]
    for image, review in zip(coco["images"], kept, strict=True):
        boxes = [each for each in coco["annotations"] if each["image_id"] == image["id"]]
        expected = [each for each in review.decisions if each.status is not Status.REJECTED]
        assert Counter(names[each["category_id"]] for each in boxes) == Counter(each.label for each in expected)
        assert sorted(x for each in boxes for x in each["bbox"][:2]) == pytest.approx(
            sorted(x for each in expected for x in corner(each)), abs=0.01
        )


def corner(decision: Decision) -> tuple[float, float]:
    """The upper left of a box."""
    return decision.box[0], decision.box[1]
