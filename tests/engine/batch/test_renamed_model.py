"""A list of images is worked through to its end, whatever happens to the model's name meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from engine.batch.detect_many import Answer, detect_many
from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.engine import Engine
from engine.errors import ModelError
from engine.image.listing import expand_sources
from engine.image.source import Source
from engine.models.catalog.entry import Defaults
from engine.paths import resource
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.settings import Settings


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Settings(), DetectionCache(tmp_path / "detections.sqlite"))
    yield engine
    engine.close()


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Eight images, each of another size."""
    (folder := tmp_path / "many").mkdir()
    for at in range(8):
        Image.new("RGB", (40 + at, 30), (at * 20, 80, 90)).save(folder / f"{at}.png")
    return expand_sources([folder])


def through(engine: Engine, sources: list[Source], model: str, third: Callable[[], object]) -> list[Answer]:
    """The answers where something happens after the third."""
    answers = []
    for outcome in detect_many(engine, sources, model):
        assert isinstance(outcome, Answer)
        answers.append(outcome)
        if len(answers) == 3:
            third()
    assert [answer.source for answer in answers] == sources
    return answers


@pytest.mark.parametrize("is_kept", [True, False], ids=["in models.toml", "of this run"])
def test_a_renamed_model_goes_on_under_its_new_name(
    engine: Engine, sources: list[Source], tiny_detr: Path, is_kept: bool
) -> None:
    name = engine.catalog.add(tiny_detr, "tiny") if is_kept else engine.catalog.put("tiny", tiny_detr)
    answers = through(engine, sources, name, lambda: engine.catalog.rename(name, "small"))
    names = [answer.found.model for answer in answers]
    assert (names[0], names[-1]) == ("tiny", "small")
    detector = engine.loaded("small")
    assert detector is not None
    assert detector.name == "tiny", "it was loaded anew"
    assert all(engine.known.recall(engine.open(source), "small") is not None for source in sources)


def test_somebody_else_renames_it(engine: Engine, sources: list[Source], tiny_detr: Path) -> None:
    """As `detrdesk models rename` beside a window."""
    name = engine.catalog.add(tiny_detr, "tiny")
    through(engine, sources, name, lambda: Engine(Settings()).catalog.rename(name, "small"))


def test_other_defaults_change_nothing(engine: Engine, sources: list[Source], tiny_detr: Path) -> None:
    name = engine.catalog.add(tiny_detr, "tiny")
    answers = through(engine, sources, name, lambda: engine.catalog.set_defaults(name, Defaults(threshold=0.1)))
    assert {answer.found.model for answer in answers} == {"tiny"}


def test_what_is_renamed_while_it_answers_is_asked_again(
    engine: Engine, sources: list[Source], tiny_detr: Path
) -> None:
    name = engine.catalog.add(tiny_detr, "tiny")
    detect, widths = Detector.detect, []

    def renames(self: Detector, prepared: Prepared) -> Detections:
        widths.append(prepared.width)
        if len(widths) == 4:
            engine.catalog.rename(name, "small")
        return detect(self, prepared)

    with patch.object(Detector, "detect", renames):
        answers = through(engine, sources, name, lambda: None)
    assert widths == [40, 41, 42, 43, 43, 44, 45, 46, 47]
    assert [answer.found.model for answer in answers] == ["tiny"] * 3 + ["small"] * 5


def test_another_model_that_gets_the_name_answers_nothing(
    engine: Engine, sources: list[Source], tiny_detr: Path, tmp_path: Path
) -> None:
    name = engine.catalog.add(tiny_detr, "tiny")
    other = shutil.copytree(resource("starter"), tmp_path / "other")

    def swap() -> None:
        engine.catalog.rename(name, "small")
        engine.catalog.add(other, "tiny")

    answers = through(engine, sources, name, swap)
    assert {len(answer.found) for answer in answers} == {len(answers[0].found)}
    assert answers[-1].found.model == "small"


def test_a_model_that_is_removed_ends_it(engine: Engine, sources: list[Source], tiny_detr: Path) -> None:
    name = engine.catalog.add(tiny_detr, "tiny")
    with pytest.raises(ModelError, match="There is no model tiny"):
        through(engine, sources, name, lambda: engine.catalog.remove(name))
    assert engine.catalog.names == ("starter",)


def test_a_model_that_is_removed_and_whose_name_is_taken_ends_it(
    engine: Engine, sources: list[Source], tiny_detr: Path, tmp_path: Path
) -> None:
    name = engine.catalog.add(tiny_detr, "tiny")
    other = shutil.copytree(resource("starter"), tmp_path / "other")

    def swap() -> None:
        engine.catalog.remove(name)
        engine.catalog.add(other, "tiny")

    with pytest.raises(ModelError, match="another one has its name"):
        through(engine, sources, name, swap)
