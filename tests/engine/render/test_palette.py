"""Class colours: stable, far apart, readable."""

from __future__ import annotations

import itertools

import pytest

from engine.render.palette import (
    COLOURS,
    LINE_STYLES,
    Colour,
    label_colour,
    line_style,
    relative_luminance,
    text_colour_on,
)

STARTER = ["qr_code", "barcode", "data_matrix", "aztec", "pdf417"]


def contrast(one: Colour, other: Colour) -> float:
    dark, light = sorted((relative_luminance(one), relative_luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_a_colour_never_changes() -> None:
    """Exports of last year must match those of today; another process and another order give the same."""
    assert [label_colour(label) for label in STARTER] == [
        (28, 134, 91),
        (40, 197, 245),
        (149, 28, 183),
        (185, 97, 1),
        (254, 154, 174),
    ]
    assert label_colour("猫") == label_colour("猫")
    assert label_colour("\ud800") in COLOURS


def test_the_starters_classes_are_clearly_different_and_solid() -> None:
    colours = [label_colour(label) for label in STARTER]
    for one, other in itertools.combinations(colours, 2):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 100
    assert {line_style(label) for label in STARTER} == {0}


def test_names_spread_over_all_colours_and_styles() -> None:
    names = [f"class {number}" for number in range(500)]
    assert {label_colour(name) for name in names} == set(COLOURS)
    assert {line_style(name) for name in names} == set(range(len(LINE_STYLES)))
    assert 150 < sum(line_style(name) == 0 for name in names) < 350


@pytest.mark.parametrize("colour", [*COLOURS, (0, 0, 0), (255, 255, 255), (119, 119, 119)])
def test_text_is_readable_on_every_colour(colour: Colour) -> None:
    assert contrast(text_colour_on(colour), colour) >= 4.5


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_seen_on_light_and_dark(colour: Colour) -> None:
    assert contrast(colour, (255, 255, 255)) >= 2
    assert contrast(colour, (27, 27, 27)) >= 2
