"""Checkpoint folders, whole and broken (FAULTS 33)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from engine.detect.families import FAMILIES
from engine.engine import Engine
from engine.errors import ModelError
from engine.models.checkpoint.checkpoint import read_checkpoint
from engine.models.checkpoint.labels import class_count, fitted, read_labels
from engine.runtimes.torch_runtime import TorchRuntime


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


def index(weight_map: object) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder.parent / "other.safetensors")
        (folder / "link.safetensors").symlink_to(folder.parent / "other.safetensors")
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}), "utf-8")

    return write


def a_pipe(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")


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
    "tensors are a pipe": (a_pipe, "missing, truncated or damaged"),
    "index outside": (index({"a": "../other.safetensors"}), "outside its folder"),
    "index absolute": (index({"a": "/other.safetensors"}), "outside its folder"),
    "index with backslashes": (index({"a": "..\\other.safetensors"}), "outside its folder"),
    "index names a link that leads outside": (index({"a": "link.safetensors"}), "outside its folder"),
    "index names the folder": (index({"a": "."}), "outside its folder"),
    "index with NUL": (index({"a": "a\0b"}), "outside its folder"),
    "index is empty": (index({}), "names no file"),
    "index is a list": (index(["model.safetensors"]), "names no file"),
    "index of numbers": (index({"a": 1}), "names no file"),
    "index names what is not there": (index({"a": "model-00001-of-00002.safetensors"}), "is missing"),
    "other family": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(model_type="bert")),
        "of the kind bert",
    ),
    "no family": (lambda folder: edit(folder, "config.json", lambda c: c.pop("model_type")), "of the kind None"),
    "labels not numbered": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(id2label={"a": "cat"})),
        "label names",
    ),
    "labels a text": (lambda folder: edit(folder, "config.json", lambda c: c.update(id2label="cat")), "label names"),
    "labels negative": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(id2label={"-1": "cat"})),
        "label names",
    ),
    "more labels than classes": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(id2label=dict(enumerate("abcde")))),
        "names 5 classes, its tensors know 3",
    ),
    "a family that transformers gets wrong": (
        lambda folder: edit(folder, "config.json", lambda c: c.update(model_type="deimv2")),
        "use its ONNX export",
    ),
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
    ("change", "reason"),
    [
        (
            {"num_queries": 5},
            "the tensor model.query_position_embeddings.weight is 12 x 32, config.json makes it 5 x 32",
        ),
        ({"decoder_layers": 3}, "tensors are missing, the first is model.decoder.layers.1."),
        ({"d_model": 33}, "cannot be loaded"),
        ({"activation_function": "nonsense"}, "cannot be loaded"),
    ],
)
def test_tensors_that_do_not_fit_the_config_are_refused_and_the_former_model_serves_on(
    folder: Path, tiny_detr: Path, sample: Path, change: dict[str, object], reason: str
) -> None:
    """FAULTS 33."""
    edit(folder, "config.json", lambda c: c.update(change))
    engine = Engine()
    former = str(tiny_detr)
    before = engine.detect(sample, former)
    with pytest.raises(ModelError, match=reason):
        engine.load(str(folder))
    after = engine.detect(sample, former)
    assert after.scores.tolist() == before.scores.tolist()
    engine.close()


def scores_of(folder: Path) -> list[float]:
    runtime = TorchRuntime(read_checkpoint(folder), "cpu")
    pixels = np.random.default_rng(0).standard_normal((1, 3, 64, 96), np.float32)
    logits = runtime.run({"pixel_values": pixels})["logits"]
    runtime.close()
    return [float(value) for value in logits.ravel()]


def in_shards(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    weight_map = {}
    for at, name in enumerate(sorted(tensors)):
        shard = f"model-0000{at % 3 + 1}-of-00003.safetensors"
        weight_map[name] = shard
    for shard in set(weight_map.values()):
        save_file({name: tensors[name] for name in tensors if weight_map[name] == shard}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def with_half_precision(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({name: array.astype(np.float16) for name, array in tensors.items()}, folder / "model.safetensors")


def with_more_tensors(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    more = {"optimizer.step": np.zeros(1, np.int64), "mask_head.lay1.weight": np.zeros((2, 2), np.float32)}
    save_file(tensors | more, folder / "model.safetensors")


def with_byte_order_marks(folder: Path) -> None:
    for name in ("config.json", "preprocessor_config.json"):
        text = (folder / name).read_text("utf-8")
        (folder / name).write_text(text, "utf-8-sig")


def as_in_the_hubs_cache(folder: Path) -> None:
    in_shards(folder)
    home = folder.with_name("models--wang--pallets")
    (home / "blobs").mkdir(parents=True)
    (home / "snapshots").mkdir()
    for at, path in enumerate(sorted(folder.iterdir())):
        path.rename(home / "blobs" / f"{at:040}")
        path.symlink_to(home / "blobs" / f"{at:040}")
    folder.rename(home / "snapshots" / "0a1b2c")
    folder.symlink_to(home / "snapshots" / "0a1b2c", target_is_directory=True)


HARMLESS: dict[str, Callable[[Path], object]] = {
    "in shards": in_shards,
    "in the hub's cache": as_in_the_hubs_cache,
    "more tensors than are used": with_more_tensors,
    "byte order marks": with_byte_order_marks,
    "a stale index": lambda folder: (folder / "model.safetensors.index.json").write_text('{"weight_map": []}'),
    "a pickle beside it": lambda folder: (folder / "pytorch_model.bin").write_bytes(b"\x80\x04."),
    "an adapter beside it": lambda folder: (folder / "adapter_config.json").write_text(
        '{"base_model_name_or_path": "somebody/else", "peft_type": "LORA"}'
    ),
    "other files named": lambda folder: edit(
        folder, "config.json", lambda c: c.update(transformers_weights="../other.safetensors")
    ),
    "code named": lambda folder: edit(
        folder, "config.json", lambda c: c.update(auto_map={"AutoModelForObjectDetection": "evil.Model"})
    ),
    "configs of other parts": lambda folder: edit(
        folder, "config.json", lambda c: c.update(text_config={"model_type": "bert"}, vision_config=None, id2labels=[])
    ),
    "a number of labels that is not theirs": lambda folder: edit(
        folder, "config.json", lambda c: c.update(num_labels=91)
    ),
    "a precision": lambda folder: edit(folder, "config.json", lambda c: c.update(dtype="bfloat16", torch_dtype="half")),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_what_is_found_in_the_wild_answers_as_before(folder: Path, change: str) -> None:
    before = scores_of(folder)
    HARMLESS[change](folder)
    assert scores_of(folder) == before


def test_half_precision_is_computed_in_single(folder: Path) -> None:
    before = scores_of(folder)
    with_half_precision(folder)
    np.testing.assert_allclose(scores_of(folder), before, atol=0.1)


def test_a_file_that_is_written_over_leaves_the_loaded_model_alone(folder: Path) -> None:
    """A training that saves into the same folder would otherwise end the process: the tensors were mapped."""
    runtime = TorchRuntime(read_checkpoint(folder), "cpu")
    pixels = np.zeros((1, 3, 64, 64), np.float32)
    before = runtime.run({"pixel_values": pixels})["logits"]
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(0)
    np.testing.assert_array_equal(runtime.run({"pixel_values": pixels})["logits"], before)
    runtime.close()


COCO = {str(at): "N/A" if at in {0, 12, 26, 29, 30} else f"thing {at}" for at in range(91)}
NAMES: dict[str, tuple[int, dict[str, object], dict[int, str], int]] = {
    "whole": (3, {"id2label": {"0": "cat", "1": "dog", "2": "猫头鹰"}}, {0: "cat", 2: "猫头鹰"}, 0),
    "a list": (3, {"id2label": ["cat", "dog", "owl"]}, {0: "cat", 2: "owl"}, 0),
    "numbers as names": (2, {"id2label": {"0": 7, "1": None}}, {0: "7", 1: "None"}, 0),
    "names twice": (3, {"id2label": {"0": "cat", "1": "cat", "2": "dog"}}, {0: "cat", 1: "cat"}, 0),
    "91 ids with N/A": (91, {"id2label": COCO}, {0: "N/A", 1: "thing 1", 90: "thing 90"}, 0),
    "91 classes, the N/A left out": (
        91,
        {"id2label": {at: name for at, name in COCO.items() if name != "N/A"}},
        {0: "0", 12: "12", 90: "thing 90"},
        5,
    ),
    "counted from one": (3, {"id2label": {"1": "cat", "2": "dog", "3": "owl"}}, {0: "0", 1: "cat", 2: "dog"}, 1),
    "too few": (5, {"id2label": {"0": "cat"}}, {0: "cat", 4: "4"}, 4),
    "label2id alone": (2, {"label2id": {"cat": 0, "dog": 1}}, {0: "cat", 1: "dog"}, 0),
    "num_labels alone": (4, {"num_labels": 4}, {0: "LABEL_0", 3: "LABEL_3"}, 0),
    "nothing": (2, {}, {0: "LABEL_0", 1: "LABEL_1"}, 0),
    "an empty table": (2, {"id2label": {}}, {0: "LABEL_0", 1: "LABEL_1"}, 0),
}


@pytest.mark.parametrize("case", NAMES)
def test_every_class_has_a_name_and_missing_ones_are_told(case: str) -> None:
    classes, config, expected, unnamed = NAMES[case]
    names, notes = fitted(read_labels(config), classes, "a model")
    assert list(names) == list(range(classes))
    assert {at: names[at] for at in expected} == expected
    assert [note.params["count"] for note in notes] == ([unnamed] if unnamed else [])


@pytest.mark.parametrize(
    ("family", "head", "outputs"),
    [
        ("detr", "class_labels_classifier.bias", 4),
        ("yolos", "class_labels_classifier.layers.2.bias", 4),
        ("deformable_detr", "class_embed.5.bias", 3),
        ("dab-detr", "class_embed.bias", 3),
        ("rt_detr", "model.decoder.class_embed.0.bias", 3),
    ],
)
def test_the_number_of_classes_is_that_of_the_head(family: str, head: str, outputs: int) -> None:
    other = {"model.enc_out_class_embed.0.bias": (9,), "model.denoising_class_embed.weight": (8, 2), "a.bias": (7,)}
    assert class_count({head: (outputs,), **other}, FAMILIES[family]) == 3
    assert class_count(other, FAMILIES[family]) is None


def test_a_gap_in_the_names_loads_and_is_told(folder: Path) -> None:
    edit(folder, "config.json", lambda c: c.update(id2label={"0": "cat", "2": "猫头鹰"}))
    checkpoint = read_checkpoint(folder)
    assert dict(checkpoint.names) == {0: "cat", 1: "1", 2: "猫头鹰"}
    assert [note.message for note in checkpoint.notes] == [
        "1 of 3 classes have no name in config.json; they are called by their numbers."
    ]
    assert len(scores_of(folder)) == 12 * 4


def test_the_familys_defaults_are_told(folder: Path) -> None:
    assert read_checkpoint(folder).notes == ()
    (folder / "preprocessor_config.json").unlink()
    assert [note.message for note in read_checkpoint(folder).notes] == [
        "There is no preprocessor_config.json: images are prepared as is usual for detr."
    ]


def test_the_command_that_converts_a_pickle_is_named(folder: Path) -> None:
    only_a_pickle(folder)
    with pytest.raises(ModelError, match=r"detrdesk models unpickle '王工 2026'"):
        read_checkpoint(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_a_git_lfs_pointer_is_told_with_the_way_out(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 41\n")
    with pytest.raises(ModelError, match="is a Git LFS pointer; run git lfs pull in its folder") as caught:
        read_checkpoint(folder)
    assert (caught.value.code, name in caught.value.message) == ("lfs_pointer", True)
