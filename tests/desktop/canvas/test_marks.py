"""Decisions are visible on every box, in its label or beside it, and not by colour alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from PyQt5.QtCore import QPoint, QRect, QRectF
from PyQt5.QtGui import QImage, QPainter
from PyQt5.QtTest import QTest

from desktop.canvas.display import DisplaySettings
from desktop.canvas.marks import BoxMarks, Sign
from desktop.canvas.pointer_tip import PROMPTLY_MS, PointerTip
from desktop.canvas.view import ImageView
from engine.detect.detection import Detections
from tests.desktop.canvas.conftest import Hand, MakeDetections

NONE, FIRST = frozenset[int](), frozenset({0})
REJECTED, ADDED, ACCEPTED, ORPHAN = (tuple(FIRST if at == which else NONE for at in range(4)) for which in range(4))


@pytest.fixture
def one(view: ImageView, make_detections: MakeDetections) -> ImageView:
    view.show_detections(make_detections((100, 80, 300, 220)))
    return view


def shades_of_grey(view: ImageView) -> QImage:
    return view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)


@pytest.mark.parametrize("labels", [1.0, 0.0])
def test_each_mark_looks_like_no_other_even_without_colour_or_labels(one: ImageView, labels: float) -> None:
    one.set_display(DisplaySettings(label_opacity=labels))
    looks = []
    for marks in ((NONE,) * 4, REJECTED, ADDED, ACCEPTED, ORPHAN):
        one.mark(*marks)
        looks.append(shades_of_grey(one))
    assert all(one_look != other for one_look, other in itertools.combinations(looks, 2))


def test_what_needs_a_look_goes_before_what_is_settled() -> None:
    marks = BoxMarks(accepted=frozenset({1, 2}), added=frozenset({3}), orphans=frozenset({2}))
    assert [marks.sign_of(index) for index in range(4)] == [None, Sign.ACCEPTED, Sign.ORPHAN, Sign.ADDED]


def test_a_marked_box_without_a_label_has_its_sign_at_the_corner(
    view: ImageView, crowd: Callable[[int], Detections]
) -> None:
    """In a crowd not every box has room for a label."""
    everything = crowd(900)
    view.show_detections(everything)
    labels = view.label_rects()

    def near(index: int) -> QRect:
        _, top, right, _ = everything[index].box
        corner = view.mapFromScene(right, top)
        return QRect(corner - QPoint(8, 8), corner + QPoint(8, 8))

    def is_clear(index: int) -> bool:
        return index not in labels and not any(rect.intersects(QRectF(near(index))) for rect in labels.values())

    before = view.viewport().grab().toImage()
    for index in filter(is_clear, range(900)):
        view.mark(NONE, NONE, frozenset({index}))
        after = view.viewport().grab().toImage()
        if view.label_rects() == labels:  # else the sign, which widens its hidden label, moved labels behind it
            break
    else:
        pytest.fail("no mark leaves the labels where they are")
    assert before.copy(near(index)) != after.copy(near(index))
    painter = QPainter(after)
    painter.drawImage(near(index), before, near(index))
    painter.end()
    assert after == before


def test_labels_widen_for_a_sign(one: ImageView) -> None:
    before = one.label_rects()[0].width()
    one.mark(*ACCEPTED)
    assert one.label_rects()[0].width() > before


def test_a_box_that_a_person_drew_shows_no_score(one: ImageView, hand: Hand) -> None:
    accepted_width = one.label_rects()[0].width()
    one.mark(*ADDED)
    assert one.label_rects()[0].width() < accepted_width
    hand.move(200, 150)
    assert one.findChild(PointerTip).text == "qr_code\n200 × 140 px  ·  added"


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ((NONE,) * 4, ""),
        (REJECTED, "  ·  rejected"),
        (ACCEPTED, "  ·  accepted"),
        (ORPHAN, "  ·  not found by this model"),
    ],
)
def test_hovering_tells_label_score_size_and_decision(
    one: ImageView, hand: Hand, marks: tuple[frozenset[int], ...], words: str
) -> None:
    tip = one.findChild(PointerTip)
    one.mark(*marks)
    hand.move(200, 150)
    QTest.qWait(PROMPTLY_MS + 100)
    assert tip.isVisible()
    assert tip.text == f"qr_code\n0.99  ·  200 × 140 px{words}"
    hand.move(5, 5)
    assert not tip.isVisible()


def test_the_tip_follows_a_decision_while_the_pointer_rests(one: ImageView, hand: Hand) -> None:
    hand.move(200, 150)
    one.mark(*REJECTED)
    assert one.findChild(PointerTip).text.endswith("rejected")


def test_the_tip_stays_in_the_view_and_lets_clicks_through(
    view: ImageView, hand: Hand, make_detections: MakeDetections
) -> None:
    view.show_detections(make_detections((0, 0, 400, 300)))
    tip = view.findChild(PointerTip)
    for corner in ((1, 1), (399, 1), (1, 299), (399, 299)):
        hand.move(*corner)
        QTest.qWait(PROMPTLY_MS + 50)
        assert view.viewport().rect().contains(tip.geometry())
        assert not tip.geometry().contains(hand.at(*corner))
    hand.click(399, 299)
    assert view.selected == {0}


def test_hovering_a_box_with_a_label_leaves_all_labels_where_they_are(
    view: ImageView, hand: Hand, crowd: Callable[[int], Detections]
) -> None:
    view.show_detections(crowd(900))
    before = view.label_rects()
    view.highlight(min(before))
    assert view.label_rects() == before
    view.highlight(max(frozenset(range(900)) - before.keys()))
    assert view.label_rects() != before
