"""Checkpoint folders, whole and broken (FAULTS 33)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.errors import ModelError
from engine.models.checkpoint import read_checkpoint


@pytest.fixture
def folder(tiny_detr: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_detr, tmp_path / "王工 2026"))


def edit(folder: Path, name: str, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / name
    value = json.loads(path.read_text("utf-8"))
    change(value)
    path.write_text(json.dumps(value), "utf-8")


def test_a_whole_checkpoint_is_read_without_torch(folder: Path) -> None:
    checkpoint = read_checkpoint(folder)
    assert checkpoint.family_name == "detr"
    assert dict(checkpoint.names) == {0: "cat", 1: "dog", 2: "猫头鹰"}


def test_missing_preprocessor_means_the_familys_defaults(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()
    assert read_checkpoint(folder).preprocessing.input_size(1000, 1000) == (800, 800)


def test_settings_inside_processor_config_are_read(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()
    settings = {"image_processor": {"size": {"height": 64, "width": 32}}}
    (folder / "processor_config.json").write_text(json.dumps(settings), "utf-8")
    assert read_checkpoint(folder).preprocessing.input_size(1000, 1000) == (32, 64)


def cut(keep: Callable[[int], int]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        path = folder / "model.safetensors"
        data = path.read_bytes()
        path.write_bytes(data[: keep(len(data))])

    return damage


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def index_outside(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}', "utf-8")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
    "config is a list": (lambda folder: (folder / "config.json").write_text("[]"), "not a whole JSON file"),
    "config is cut": (lambda folder: (folder / "config.json").write_text('{"model_ty'), "not a whole JSON file"),
    "config is deep": (lambda folder: (folder / "config.json").write_text("[" * 100_000), "not a whole JSON file"),
    "config is not UTF-8": (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe{"), "not a whole JSON file"),
    "cut at 0": (cut(lambda size: 0), "model.safetensors is missing, truncated or damaged"),
    "cut at 7": (cut(lambda size: 7), "truncated"),
    "cut at 8": (cut(lambda size: 8), "truncated"),
    "cut in half": (cut(lambda size: size // 2), "truncated"),
    "one byte short": (cut(lambda size: size - 1), "truncated"),
    "no tensors": (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
    "only a pickle": (only_a_pickle, "pytorch_model.bin"),
    "index outside": (index_outside, "outside its folder"),
    "other family": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(model_type="bert")),
        "of the kind bert",
    ),
    "no family": (lambda folder: edit(folder, "config.json", lambda c: c.pop("model_type")), "of the kind None"),
    "labels not numbered": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(id2label={"a": "cat"})),
        "label names",
    ),
    "labels a list": (lambda folder: edit(folder, "config.json", lambda c: c.update(id2label=["cat"])), "label names"),
    "senseless size": (
        lambda folder: edit(folder, "preprocessor_config.json", lambda c: c.update(size={"width": 3})),
        "preprocessor_config.json",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_folder_is_refused_with_the_reason(folder: Path, damage: str) -> None:
    """FAULTS 33: one sentence that names what is wrong, and no path in it."""
    break_it, reason = DAMAGE[damage]
    break_it(folder)
    with pytest.raises(ModelError) as caught:
        read_checkpoint(folder)
    assert reason in caught.value.message
    assert str(folder) not in caught.value.message


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        read_checkpoint(tmp_path / "gone")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("labels", "cannot be loaded"),
        ("layers", "tensors are missing"),
    ],
)
def test_tensors_that_do_not_fit_the_config_are_refused_and_the_former_model_serves_on(
    folder: Path, tiny_detr: Path, sample: Path, damage: str, reason: str
) -> None:
    """FAULTS 33."""
    if damage == "labels":
        five = {str(at): f"class {at}" for at in range(5)}
        edit(folder, "config.json", lambda c: c.update(id2label=five, label2id={name: at for at, name in five.items()}))
    else:
        edit(folder, "config.json", lambda c: c.update(decoder_layers=3))
    engine = Engine()
    former = str(tiny_detr)
    before = engine.detect(sample, former)
    with pytest.raises(ModelError, match=reason):
        engine.load(str(folder))
    after = engine.detect(sample, former)
    assert after.scores.tolist() == before.scores.tolist()
    engine.close()
