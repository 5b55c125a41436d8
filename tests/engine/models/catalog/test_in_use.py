"""What the engine does when the catalog changes under it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.detect.detection import Detections
from engine.detect.recipe import Prepared
from engine.engine import Engine
from engine.errors import ModelError
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entries import CatalogError
from engine.models.checkpoint.checkpoint import Checkpoint
from engine.models.fingerprint import fingerprint
from engine.paths import cache_dir
from engine.review.cache import DetectionCache
from engine.runtimes.detector import Detector
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings
from tests.checkpoints import make_checkpoint


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


def test_a_model_that_is_renamed_stays_in_memory_and_answers_by_its_new_name(
    engine: Engine, tiny_detr: Path, image_file: Path
) -> None:
    name = engine.catalog.add(tiny_detr)
    before = engine.detect(image_file, name)
    detector = engine.loaded(name)
    assert detector is not None
    engine.catalog.rename(name, "瓶盖")
    assert engine.loaded(name) is None
    assert engine.loaded("瓶盖") is detector
    after = engine.detect(image_file, "瓶盖")
    assert after.model == "瓶盖"
    assert after.boxes.tolist() == before.boxes.tolist()
    assert engine.loaded("瓶盖") is detector
    with pytest.raises(ModelError, match="no model tiny-detr"):
        engine.detect(image_file, name)


def test_a_name_that_leads_elsewhere_is_loaded_from_there(
    engine: Engine, tiny_detr: Path, tmp_path: Path, image_file: Path
) -> None:
    engine.catalog.add(tiny_detr, "caps")
    before = engine.detect(image_file, "caps")
    other = make_checkpoint(tmp_path / "other", "detr", seed=1)
    text = engine.catalog.file.read_text("utf-8")
    engine.catalog.file.write_text(text.replace(str(tiny_detr), str(other)), "utf-8")
    after = engine.detect(image_file, "caps")
    assert after.boxes.tolist() != before.boxes.tolist()
    assert engine.known.key("caps") != engine.known.key(str(tiny_detr))


def test_a_model_that_is_removed_is_gone_and_the_others_serve_on(
    engine: Engine, tiny_detr: Path, image_file: Path
) -> None:
    name = engine.catalog.add(tiny_detr)
    engine.detect(image_file, name)
    engine.catalog.remove(name)
    with pytest.raises(ModelError):
        engine.detect(image_file, name)
    assert len(engine.detect(image_file, "starter"))


def test_a_model_on_the_hub_says_that_it_must_be_downloaded(engine: Engine, image_file: Path) -> None:
    name = engine.catalog.add("facebook/detr-resnet-50")
    with pytest.raises(ModelError, match="download it first"):
        engine.detect(image_file, name)


@pytest.mark.parametrize("change", ["rename", "remove", "move"])
def test_a_name_that_changes_while_its_model_answers_costs_no_answer(
    change: str, engine: Engine, tiny_detr: Path, tmp_path: Path, image_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = engine.catalog.add(tiny_detr)
    detect = Detector.detect

    def meanwhile(self: Detector, prepared: Prepared) -> Detections:
        if change == "rename":
            engine.catalog.rename(name, "caps")
        elif change == "remove":
            engine.catalog.remove(name)
        else:
            text = engine.catalog.file.read_text("utf-8")
            engine.catalog.file.write_text(text.replace(str(tiny_detr), str(tmp_path)), "utf-8")
        return detect(self, prepared)

    monkeypatch.setattr(Detector, "detect", meanwhile)
    engine.known.cache = DetectionCache(tmp_path / "detections.sqlite")
    image = engine.open(image_file)
    assert len(engine.detect_known(image, name)) == 12
    monkeypatch.undo()
    assert engine.known.recall(image, str(tiny_detr)) is None or change == "move"


def test_a_model_that_is_written_over_while_it_is_loaded_is_loaded_again(
    engine: Engine, tiny_detr: Path, tmp_path: Path, image_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shutil.copytree(tiny_detr, tmp_path / "training")
    load, loads = TorchRuntime.__init__, []

    def meanwhile(self: TorchRuntime, checkpoint: Checkpoint, device: str) -> None:
        loads.append(checkpoint)
        if len(loads) == 1:
            make_checkpoint(model, "detr", seed=1)
        load(self, checkpoint, device)

    monkeypatch.setattr(TorchRuntime, "__init__", meanwhile)
    engine.detect(image_file, str(model))
    assert engine.known.key(str(model)) == fingerprint(model) != fingerprint(tiny_detr)
    assert len(loads) == 2


def test_a_default_model_that_a_broken_models_toml_hides_is_told_when_it_is_asked(image_file: Path) -> None:
    catalog = Catalog()
    catalog.file.parent.mkdir(parents=True, exist_ok=True)
    catalog.file.write_text('[models.caps]\npath = "/models/caps\n', "utf-8")
    with closing(Engine(Settings(model="caps"))) as engine:
        engine.known.cache = DetectionCache(cache_dir() / "detections.sqlite")
        assert engine.default_model == "caps"
        assert engine.known.recall(engine.open(image_file)) is None
        with pytest.raises(CatalogError, match="line 2"):
            engine.detect(image_file)
