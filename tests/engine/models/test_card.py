"""What is told of a model that is not loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.models.card import backbone_of, card_of, unknown_labels
from engine.models.catalog.catalog import Catalog
from engine.models.catalog.entry import Defaults, downloaded_path
from engine.models.last_times import last_time
from engine.paths import cache_dir


@pytest.fixture
def folder(tiny_detr: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may change."""
    return Path(shutil.copytree(tiny_detr, tmp_path / "2026-11-03 客户"))


def test_the_starter_s_card_is_what_its_files_say() -> None:
    card = card_of(Catalog(), "starter")
    assert (card.problem, card.family, card.backbone, card.dtype) == (None, "detr", "resnet14", "F16")
    assert list(card.names.values()) == ["qr_code", "barcode", "data_matrix", "aztec", "pdf417"]
    assert card.licence == "gpl-3.0"
    assert card.preprocessing is not None
    assert card.preprocessing.size == {"height": 352, "width": 352}
    assert card.disk_bytes == pytest.approx(2 * (card.parameters or 0), rel=0.05)


def test_parameters_are_those_that_transformers_counts(tiny_detr: Path) -> None:
    from transformers import AutoModelForObjectDetection

    catalog = Catalog()
    model = AutoModelForObjectDetection.from_pretrained(tiny_detr)
    card = card_of(catalog, catalog.add(tiny_detr))
    frozen = [tensor.numel() for name, tensor in model.named_buffers() if name.endswith((".weight", ".bias"))]
    assert card.parameters == sum(tensor.numel() for tensor in model.parameters()) + sum(frozen)


def test_a_card_needs_no_runtime() -> None:
    code = (
        "import sys; from engine.models.card import card_of; from engine.models.catalog.catalog import Catalog\n"
        "card_of(Catalog(), 'starter')\n"
        "print({'torch', 'transformers', 'openvino', 'huggingface_hub', 'PyQt5'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "config.json").write_text("{"), "not a whole JSON file"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 20), "truncated"),
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "models unpickle"),
        (lambda folder: shutil.rmtree(folder), "no model folder"),
    ],
    ids=["no config", "half a config", "no safetensors", "a pickle", "gone"],
)
def test_the_card_of_a_broken_model_says_what_is_wrong(folder: Path, break_it: object, words: str) -> None:
    assert callable(break_it)
    catalog = Catalog()
    name = catalog.add(folder, defaults=Defaults(0.3))
    break_it(folder)
    card = card_of(catalog, name)
    assert card.problem is not None
    assert words in card.problem.message
    assert (card.name, card.defaults, card.family) == (name, Defaults(0.3), "")


def test_a_model_that_was_not_downloaded_says_so() -> None:
    catalog = Catalog()
    problem = card_of(catalog, catalog.add("facebook/detr-resnet-50")).problem
    assert problem is not None
    assert problem.code == "model_not_downloaded"


def test_what_the_checkpoint_notes_is_on_the_card(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()
    catalog = Catalog()
    card = card_of(catalog, catalog.add(folder))
    assert [note.code for note in card.notes] == ["family_defaults"]


@pytest.mark.parametrize(
    ("readme", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# Model\n", "apache-2.0"),
        ("\ufeff---\r\nlanguage: zh\r\nlicense: 'mit'  # ours\r\n---\r\n", "mit"),
        ("---\nlicense: other\nlicense_name: bria-2.0\nlicense_link: LICENSE\n---\n", "bria-2.0"),
        ("---\nlicense: other\n---\n", "other"),
        ("# Model\nlicense: mit\n", ""),
        ("---\ntags: [x]\n---\nlicense: mit\n", ""),
        ("\udc80---", ""),
    ],
)
def test_the_licence_is_that_of_the_readme(folder: Path, readme: str, licence: str) -> None:
    (folder / "README.md").write_bytes(readme.encode("utf-8", "surrogateescape"))
    catalog = Catalog()
    assert card_of(catalog, catalog.add(folder)).licence == licence


def test_a_downloaded_model_tells_its_commit_and_the_hub_s_licence(tiny_detr: Path) -> None:
    there = downloaded_path("acme/bottles")
    shutil.copytree(tiny_detr, there)
    record = {"model": "acme/bottles", "endpoint": "https://hub.test", "revision": "main", "sha": "a" * 40}
    record |= {"licence": "cc-by-4.0", "begun": "2026-11-22T12:00:00+00:00", "files": []}
    (there / "hub.json").write_text(json.dumps(record))
    catalog = Catalog()
    card = card_of(catalog, catalog.add("acme/bottles"))
    assert (card.commit, card.licence, card.problem) == ("a" * 40, "cc-by-4.0", None)


@pytest.mark.parametrize(
    ("config", "backbone"),
    [
        ({"backbone_config": {"model_type": "resnet", "depths": [3, 4, 6, 3], "layer_type": "bottleneck"}}, "resnet50"),
        (
            {"backbone_config": {"model_type": "resnet", "depths": [3, 4, 23, 3], "layer_type": "bottleneck"}},
            "resnet101",
        ),
        ({"backbone_config": {"model_type": "resnet", "depths": [2, 2, 2, 2], "layer_type": "basic"}}, "resnet18"),
        ({"backbone_config": {"model_type": "timm_backbone", "backbone": "tf_efficientnet_b0"}}, "tf_efficientnet_b0"),
        ({"backbone_config": {"model_type": "hgnet_v2", "depths": [1, 1]}}, "hgnet_v2"),
        ({"backbone_config": {"model_type": "resnet", "depths": "many", "layer_type": "basic"}}, "resnet"),
        ({"backbone": "resnet50", "backbone_config": None}, "resnet50"),
        ({"hidden_size": 192}, ""),
    ],
)
def test_backbones_are_called_as_people_call_them(config: dict[str, object], backbone: str) -> None:
    assert backbone_of(config) == backbone


def test_classes_of_the_defaults_that_the_model_lacks(tiny_detr: Path) -> None:
    catalog = Catalog()
    card = card_of(catalog, catalog.add(tiny_detr, defaults=Defaults(labels=frozenset({"猫头鹰", "cow"}))))
    assert unknown_labels(card) == ["cow"]


def test_the_last_time_is_known_in_the_next_run(folder: Path, image_file: Path) -> None:
    engine = Engine()
    name = engine.catalog.add(folder)
    assert card_of(engine.catalog, name).last is None
    found = engine.detect(image_file, name)
    engine.close()
    last = card_of(engine.catalog, name).last
    assert last is not None
    assert (last.milliseconds, last.runtime, last.device) == (found.timing.model, found.runtime, found.device)
    code = (
        "import sys; from engine.models.card import card_of; from engine.models.catalog.catalog import Catalog\n"
        "print(card_of(Catalog(), sys.argv[1]).last.milliseconds)"
    )
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    assert float(done.stdout) == last.milliseconds


@pytest.mark.parametrize("content", ["", "[]", "{", '{"/x": 5}', '{"/x": {"milliseconds": "a"}}', "\0"])
def test_times_that_make_no_sense_are_none(content: str) -> None:
    cache_dir().mkdir(parents=True)
    (cache_dir() / "last_times.json").write_text(content)
    assert last_time(Path("/x")) is None
