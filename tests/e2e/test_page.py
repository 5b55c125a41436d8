"""The pages `/` and `/docs` in a real browser, headless Chromium, as a phone and as a desk see them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.api.app import create_app
from engine.api.server import Server
from engine.engine import Engine
from engine.settings import Settings
from tests.e2e import chromium
from tests.e2e.chromium import Chromium

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="needs Chromium (apt-get install chromium)")
SIZES = {"phone": (375, 812, True), "desk": (1280, 900, False)}
KEY = "a-key-for-the-page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """One browser for all of it."""
    started = Chromium()
    yield started
    started.close()


@pytest.fixture
def page(browser: Chromium) -> Iterator[Chromium]:
    """The browser; afterwards nothing may have gone wrong in it, and nothing gone to another machine."""
    browser.requested.clear()
    browser.complaints.clear()
    yield browser
    assert browser.complaints == []
    assert browser.requested
    for address in browser.requested:
        assert address.removeprefix("blob:").startswith(("http://127.0.0.1:", "data:")), address


@pytest.fixture
def serve(session_engine: Engine) -> Iterator[Callable[..., str]]:
    """Starts servers on the starter with the settings that are given, and tells their address."""
    started: list[Server] = []

    def start(**settings: Any) -> str:
        app = create_app(session_engine, Settings(**settings), listener=lambda record: None)
        started.append(Server(app, port=0))
        started[-1].start()
        return started[-1].url

    yield start
    for server in started:
        assert server.stop()


@pytest.fixture(params=SIZES)
def sized(request: pytest.FixtureRequest, page: Chromium) -> Chromium:
    """The browser with a window of each size."""
    page.resize(*SIZES[request.param])
    return page


def count(page: Chromium, selector: str) -> int:
    return int(page.value(f"document.querySelectorAll('{selector}').length"))


def shown(page: Chromium, selector: str) -> bool:
    return bool(page.value(f"document.querySelector('{selector}').checkVisibility()"))


def answer(page: Chromium) -> dict[str, Any]:
    """The JSON that the page shows."""
    found: dict[str, Any] = json.loads(page.value("document.querySelector('#json').textContent"))
    return found


def slide(page: Chromium, threshold: float) -> None:
    """Move the slider with the mouse and the keyboard."""
    page.click("#threshold")
    at = float(page.value("document.querySelector('#threshold').value"))
    page.press("ArrowRight" if threshold > at else "ArrowLeft", round(abs(threshold - at) / 0.01))
    assert float(page.value("document.querySelector('#threshold').value")) == pytest.approx(threshold)


def check_fits(page: Chromium) -> None:
    """The page is as wide as the window: nothing to scroll sideways."""
    assert page.value("document.documentElement.scrollWidth") <= page.value("innerWidth")


def detect(page: Chromium, image: Path) -> None:
    page.choose_file("#file", image)
    page.wait(lambda: shown(page, "#raw"), "an answer")


def test_an_image_is_chosen_and_its_boxes_follow_the_slider(
    sized: Chromium, serve: Callable[..., str], session_engine: Engine, sample: Path
) -> None:
    sized.open(serve() + "/")
    sized.wait(lambda: count(sized, "#model option") > 0, "the models")
    assert not shown(sized, "#lock")
    check_fits(sized)
    detect(sized, sample)
    expected = session_engine.detect(sample)
    for threshold in (0.3, 0.6, 1.0):
        slide(sized, threshold)
        kept = list(expected.above(threshold))
        assert count(sized, "#boxes rect") == count(sized, "#table tr") == len(kept)
        told = answer(sized)
        assert told["threshold"] == threshold
        assert [each["label"] for each in told["predictions"][0]["result"]] == [each.label for each in kept]
    assert len(list(expected.above(0.3))) > 0
    check_fits(sized)


def test_a_box_lies_where_the_detection_is(
    sized: Chromium, serve: Callable[..., str], session_engine: Engine, sample: Path
) -> None:
    sized.open(serve() + "/")
    detect(sized, sample)
    slide(sized, 0.3)
    best = session_engine.detect(sample)
    rectangle = "(r => [r.left, r.top, r.right, r.bottom])(document.querySelector('{}').getBoundingClientRect())"
    image = sized.value(rectangle.format("#image"))
    box = sized.value(rectangle.format("#boxes rect:last-child"))
    scale = (image[2] - image[0]) / best.width
    assert (image[3] - image[1]) / best.height == pytest.approx(scale, rel=0.01)
    on_page = [edge * scale + image[at % 2] for at, edge in enumerate(next(iter(best)).box)]
    assert box == pytest.approx(on_page, abs=2)


def test_an_image_that_the_browser_cannot_show_has_its_boxes_too(
    page: Chromium, serve: Callable[..., str], sample: Path, tmp_path: Path
) -> None:
    page.resize(*SIZES["phone"])
    Image.open(sample).save(tmp_path / "a.tiff")
    page.open(serve() + "/")
    detect(page, tmp_path / "a.tiff")
    assert count(page, "#boxes rect") > 0
    assert page.value("document.querySelector('#boxes').getBoundingClientRect().height") > 100


def test_an_error_is_told_in_a_sentence(browser: Chromium, serve: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    browser.open(serve() + "/")
    browser.choose_file("#file", tmp_path / "a.jpg")
    browser.wait(lambda: browser.value("document.querySelector('#say').className") == "error", "the error")
    assert "not an image" in browser.value("document.querySelector('#say').textContent")
    assert count(browser, "#boxes rect") == 0


def test_the_key_is_asked_for_where_there_is_one(browser: Chromium, serve: Callable[..., str], sample: Path) -> None:
    browser.resize(*SIZES["phone"])
    browser.open(serve(api_key=KEY) + "/")
    browser.wait(lambda: shown(browser, "#lock"), "the field for the key")
    assert count(browser, "#model option") == 0
    browser.click("#key")
    browser.type(KEY)
    browser.press("Tab")
    browser.wait(lambda: count(browser, "#model option") > 0, "the models")
    detect(browser, sample)
    check_fits(browser)


def test_the_address_of_the_qr_code_brings_the_key(page: Chromium, serve: Callable[..., str], sample: Path) -> None:
    page.resize(*SIZES["phone"])
    page.open(f"{serve(api_key=KEY)}/#key={KEY}")
    page.wait(lambda: count(page, "#model option") > 0, "the models")
    assert KEY not in page.value("location.href")
    detect(page, sample)
    assert count(page, "#boxes rect") > 0


def test_the_documentation_has_every_operation(sized: Chromium, serve: Callable[..., str]) -> None:
    address = serve(api_key=KEY)
    sized.open(address + "/docs")
    sized.wait(lambda: count(sized, "main details") > 0, "the operations")
    document = sized.value("fetch('/openapi.json').then(answer => answer.json())")
    operations = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    heads = sized.value("[...document.querySelectorAll('summary')].map(head => head.textContent)")
    assert [tuple(head.split(" ")[:2]) for head in heads] == operations
    sized.click("summary")
    opened = sized.value("document.querySelector('details[open]').innerText")
    for text in ("X-Detr-Threshold", "curl -X POST", address, "The queue is full", "image_base64", '"bbox"'):
        assert text in opened
    check_fits(sized)
