"""A session: everything done is kept, can be taken back, and is there again after a restart."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.review import decision_table
from engine.review.change import ReviewChange
from engine.review.decision import Decision, Status
from engine.review.image_review import ImageReview
from engine.review.names import storable
from engine.review.session import KnownImage, Session, Step, session_path
from tests.engine.review.plain_review import IMAGES, PlainReview, is_same, move
from tests.engine.review.test_packing import assert_same, some

BOX = (1.0, 2.0, 3.0, 4.0)
ADDED = ImageReview((Decision(1, Status.ADDED, "二维码", BOX),))
MODEL = "f" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "会话 50%?#&" / "快递 #1.detrdesk"


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    session = Session.open(path)
    yield session
    session.close()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from([*["move"] * 9, "reopen"]), min_size=30, max_size=60))
def test_doing_undoing_and_redoing_is_as_in_a_plain_list(seed: int, moves: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.detrdesk"
        session, plain = Session.open(path), PlainReview()
        try:
            ours, theirs = random.Random(seed), random.Random(seed)
            for kind in moves:
                if kind == "reopen":
                    session.close()
                    session = Session.open(path)
                    assert session.notice is None
                else:
                    assert move(session, ours) == move(plain, theirs)
                assert is_same(session, plain)
                assert (session.undo_text, session.redo_text) == (plain.undo_text, plain.redo_text)
                assert session.next_id == plain.next_id
            assert dict(session.all_reviews()) == {
                content_hash: review for content_hash, review in plain.images.items() if review != ImageReview()
            }
            while plain.done:
                assert session.undo() == plain.undo()
            assert session.undo() is None
            assert is_same(session, PlainReview())
        finally:
            session.close()


def test_a_new_session_is_empty(session: Session, path: Path) -> None:
    assert path.is_file()
    assert (session.path, session.name, session.is_read_only, session.notice) == (path, "快递 #1", False, None)
    assert session.image(IMAGES[0]) == ImageReview()
    assert (session.undo(), session.redo(), session.undo_text, session.redo_text) == (None, None, "", "")
    assert (session.next_id, session.decided(), session.view()) == (1, frozenset(), {})
    assert list(session.all_reviews()) == []
    assert list(session.all_detections(MODEL)) == []


def test_a_step_without_effect_leaves_what_can_be_redone(session: Session) -> None:
    session.do(Step(IMAGES[0], "add", ImageReview(), ADDED))
    session.undo()
    session.do(Step(IMAGES[0], "accept", ImageReview(), ImageReview()))
    assert (session.undo_text, session.redo_text) == ("", "add")


def test_an_id_is_never_used_again(session: Session) -> None:
    session.do(Step(IMAGES[0], "add", ImageReview(), ADDED))
    session.undo()
    assert session.next_id == 2


def test_decided_are_images_with_decisions_or_reviewed(session: Session) -> None:
    done = ImageReview(is_reviewed=True)
    session.do(Step("a", "add", ImageReview(), ADDED))
    session.do(Step("b", "reviewed", ImageReview(), done))
    session.do(Step("c", "reviewed", ImageReview(), done))
    session.do(Step("c", "unreviewed", done, ImageReview()))
    session.note_image("d.jpg", "d", "d", 1, 1)
    assert session.decided() == {"a", "b"}


def test_many_reviews_come_in_small_parts(session: Session) -> None:
    wanted = {f"{at:032x}": replace(ADDED, note=str(at)) for at in range(600)}
    with session.store.durable.writing() as connection:
        for content_hash, review in wanted.items():
            image = decision_table.image_id(connection, content_hash)
            change = ReviewChange.between(ImageReview(), review)
            decision_table.write(connection, image, change, review)
    assert dict(session.all_reviews()) == wanted


def test_known_images_are_those_last_read(session: Session) -> None:
    session.note_image("/图/a.jpg", "aa", "a.jpg", 640, 480)
    session.note_image("/图/b \udcff.jpg", "bb", "b \udcff.jpg", 640, 480)
    session.note_unreadable("/图/b \udcff.jpg", "It is truncated.")
    session.note_unreadable("/图/c.jpg", "There is no such file.")
    session.do(Step("aa", "reviewed", ImageReview(), ImageReview(is_reviewed=True)))
    asked = ["/图/c.jpg", "/图/a.jpg", "/图/b \udcff.jpg", "/图/unknown.jpg"]
    assert session.known_images(asked) == {
        "/图/a.jpg": KnownImage("aa", True, ""),
        "/图/b \udcff.jpg": KnownImage("bb", False, "It is truncated."),
        "/图/c.jpg": KnownImage("", False, "There is no such file."),
    }
    session.note_image("/图/c.jpg", "aa", "c.jpg", 640, 480)
    assert session.known_images(asked)["/图/c.jpg"] == KnownImage("aa", True, "")


@pytest.mark.alone
def test_50000_locations_are_looked_up_in_well_under_a_second(session: Session) -> None:
    locations = [f"/home/张/图片/{at:06}.jpg" for at in range(50_000)]
    with session.store.derived.writing() as connection:
        for at, location in enumerate(locations):
            image = decision_table.image_id(connection, f"{at:032x}")
            connection.execute("INSERT INTO place (location, image) VALUES (?, ?)", (storable(location), image))
    started = time.thread_time()
    places = session.known_images(locations)
    assert time.thread_time() - started < 1
    assert [places[location].content_hash for location in locations] == [f"{at:032x}" for at in range(50_000)]


def test_detections_are_kept_by_image_and_model(session: Session, path: Path) -> None:
    session.put_detections("a", MODEL, some(300))
    session.put_detections("a", "other", some(1))
    session.put_detections("b", MODEL, some(0))
    session.put_detections("a", MODEL, some(3))
    session.close()
    again = Session.open(path)
    assert_same(again.detections("a", MODEL), some(3))
    assert_same(again.detections("a", "other"), some(1))
    assert again.detections("b", "other") is None
    assert [(content_hash, len(found)) for content_hash, found in again.all_detections(MODEL)] == [("b", 0), ("a", 3)]
    again.close()


def test_detections_of_many_images_come_in_small_parts(session: Session) -> None:
    for at in range(600):
        session.put_detections(f"{at:032x}", MODEL, some(at % 7))
    counts = {content_hash: len(found) for content_hash, found in session.all_detections(MODEL)}
    assert counts == {f"{at:032x}": at % 7 for at in range(600)}


def test_damaged_detections_are_absent(session: Session) -> None:
    for content_hash in ("a", "b"):
        session.put_detections(content_hash, MODEL, some(3))
    with session.store.derived.writing() as connection:
        connection.execute("UPDATE found SET packed = x'00ff' WHERE content_hash = 'a'")
    assert session.detections("a", MODEL) is None
    assert [content_hash for content_hash, _ in session.all_detections(MODEL)] == ["b"]


@pytest.mark.parametrize("statement", ["UPDATE decision SET value = '[1]'", "UPDATE image SET note = '['"])
def test_a_decision_that_cannot_be_read_is_reported(session: Session, path: Path, statement: str) -> None:
    session.do(Step(IMAGES[0], "add", ImageReview(), ADDED))
    with session.store.durable.writing() as connection:
        connection.execute(statement)
    with pytest.raises(EngineError, match=r"cannot be read") as caught:
        session.image(IMAGES[0])
    assert str(path) in caught.value.message


def test_a_step_that_cannot_be_read_is_reported_and_deciding_goes_on(session: Session) -> None:
    session.do(Step(IMAGES[0], "add", ImageReview(), ADDED))
    with session.store.durable.writing() as connection:
        connection.execute("UPDATE step SET difference = '[1]'")
    with pytest.raises(EngineError, match="a step cannot be read"):
        session.undo()
    assert session.image(IMAGES[0]) == ADDED
    session.do(Step(IMAGES[1], "add", ImageReview(), ADDED))
    assert session.undo_text == "add"
    assert session.undo() == Step(IMAGES[1], "add", ImageReview(), ADDED)


def test_the_view_is_kept(session: Session, path: Path) -> None:
    view = {"threshold": 0.35, "location": "/图/a \udcff.jpg", "hidden": ["二维码"], "solo": None}
    session.set_view(view)
    session.close()
    again = Session.open(path)
    assert again.view() == view
    again.close()


def test_a_closed_session_says_so(session: Session) -> None:
    session.close()
    with pytest.raises(EngineError, match="closed"):
        session.put_detections("a", MODEL, some())


@pytest.mark.alone
def test_deciding_goes_on_while_workers_put_detections(session: Session) -> None:
    """Two workers write and one reads all the time; no decision waits for long, none is lost."""
    stop = threading.Event()
    failures: list[Exception] = []

    def put(worker: int) -> None:
        at = 0
        try:
            while not stop.is_set():
                session.put_detections(f"{worker}-{at % 300}", MODEL, some(300))
                session.note_image(f"{worker}/{at}.jpg", f"{worker}-{at % 300}", "a", 1, 1)
                at += 1
        except EngineError as error:
            failures.append(error)

    def read() -> None:
        try:
            while not stop.is_set():
                for _, found in session.all_detections(MODEL):
                    assert len(found) == 300
        except (EngineError, AssertionError) as error:
            failures.append(error)

    threads = [threading.Thread(target=put, args=(1,)), threading.Thread(target=put, args=(2,))]
    threads.append(threading.Thread(target=read))
    for thread in threads:
        thread.start()
    plain, waits = PlainReview(), []
    try:
        for seed in range(150):
            started = time.perf_counter()
            move(session, random.Random(seed))
            waits.append(time.perf_counter() - started)
            move(plain, random.Random(seed))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert is_same(session, plain)
    assert float(np.median(waits)) < 0.2


@pytest.mark.parametrize(
    ("location", "start"),
    [
        ("/home/张/图片/快递 1/", "快递 1-"),
        ("C:\\Users\\me\\a:b?", "a_b_-"),
        ("/", "session-"),
        ("", "session-"),
        ("/x/..", "session-"),
        ("/x/a\x00\n\u202e\udcff%#", "a______-"),
        ("/x/" + "图" * 200, "图" * 26 + "-"),
    ],
)
def test_a_folders_session_has_a_readable_and_safe_name(location: str, start: str) -> None:
    path = session_path(Path("/sessions"), location)
    assert path.parent == Path("/sessions")
    assert path.name.startswith(start)
    assert path.suffix == ".detrdesk"
    assert len(path.name.encode()) < 120


def test_folders_of_the_same_name_have_sessions_of_their_own(tmp_path: Path) -> None:
    one, other = session_path(tmp_path, "/a/快递"), session_path(tmp_path, "/b/快递")
    assert one != other
    assert one == session_path(tmp_path, "/a/快递")
    session = Session.open(one)
    assert session.name == "快递"
    session.close()
