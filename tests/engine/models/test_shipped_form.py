"""The converted form of the starter that ships: equal to its checkpoint, and used from the first launch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.detect.agreement import difference
from engine.engine import Engine
from engine.errors import ModelError
from engine.inference.conversions import Conversions
from engine.models.converted import MODEL_FILE, SHIPPED, Converted, ConvertedModels
from engine.models.fingerprint import fingerprint
from engine.paths import resource
from engine.settings import Settings
from tests.children import PROJECT, child_environment

STARTER = resource("starter")
MOST_BYTES = 12_000_000
FIRST_DETECTION = """
import sys
from engine import Engine
engine = Engine()
found = engine.detect(sys.argv[1]).above(0.5)
print(found[0].label, engine.runtime_state().runtime, {"torch", "transformers"} & set(sys.modules))
"""


def store(folder: Path, shipped: Path = STARTER / SHIPPED) -> ConvertedModels:
    return ConvertedModels(folder / "converted", shipped=shipped)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of the shipped form that may be changed."""
    return Path(shutil.copytree(STARTER / SHIPPED, tmp_path / "copy"))


def test_it_belongs_to_the_checkpoint_that_ships(tmp_path: Path) -> None:
    found = store(tmp_path).find(fingerprint(STARTER))
    assert isinstance(found, Converted), "run tools/starter_form.py"
    assert found.model_file == STARTER / SHIPPED / MODEL_FILE
    assert found.score_difference <= 1e-3
    assert found.pixel_difference <= 0.5


@pytest.mark.parametrize("name", ["parcels.jpg", "shelf.jpg", "poster.jpg", "empty.jpg"])
def test_it_answers_as_the_checkpoint_does(name: str) -> None:
    image = resource("samples", name)
    found = []
    for runtime in ("torch", "auto"):
        engine = Engine(Settings(runtime=runtime))
        found.append(engine.detect(image))
        engine.close()
    assert [each.runtime for each in found] == ["torch", "openvino"]
    differs = difference(*found)
    assert differs.score <= 1e-3
    assert differs.pixels <= 0.5


def test_checkpoint_and_form_are_small() -> None:
    files = [STARTER / "model.safetensors", *(STARTER / SHIPPED).iterdir()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


def test_the_first_detection_of_a_new_user_imports_no_torch(tmp_path: Path) -> None:
    environment = {**child_environment(), "HOME": str(tmp_path), "DETRDESK_HOME": str(tmp_path / "home")}
    environment.pop("DETRDESK_RUNTIME", None)
    sample = str(resource("samples", "parcels.jpg"))
    command = [sys.executable, "-c", FIRST_DETECTION, sample]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["qr_code", "openvino", "set()"]
    assert not (tmp_path / "home" / "cache" / "converted").exists()


def test_another_checkpoint_does_not_get_it(tmp_path: Path) -> None:
    assert store(tmp_path).find("0" * 32) is None


@pytest.mark.parametrize("file", [MODEL_FILE, "model.bin"])
def test_a_damaged_form_is_not_used(tmp_path: Path, copied: Path, file: str) -> None:
    with (copied / file).open("ab") as opened:
        opened.write(b"x")
    assert store(tmp_path, copied).find(fingerprint(STARTER)) is None


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"fingerprint": 3}'])
def test_a_damaged_manifest_is_not_used(tmp_path: Path, copied: Path, manifest: str) -> None:
    (copied / "manifest.json").write_text(manifest)
    assert store(tmp_path, copied).find(fingerprint(STARTER)) is None


def test_a_form_that_cannot_be_opened_makes_way_for_a_conversion(tmp_path: Path) -> None:
    content = fingerprint(STARTER)
    conversions = Conversions(store(tmp_path))
    assert conversions.state(content).stage == "converted"
    conversions.fail(content, ModelError("model_unreadable", "It cannot be read."))
    assert conversions.state(content).stage == "none"
    assert store(tmp_path).find(content) is None, "it would be tried again at each start"


def test_a_folder_that_cannot_be_written_does_not_bring_it_back(tmp_path: Path) -> None:
    (tmp_path / "converted").write_text("a file where a folder is needed")
    found = store(tmp_path)
    assert found.drop(fingerprint(STARTER))
    assert found.find(fingerprint(STARTER)) is None


def test_what_was_converted_here_comes_first(tmp_path: Path) -> None:
    content, found = fingerprint(STARTER), store(tmp_path)
    with found.work_folder() as work:
        for file in (MODEL_FILE, "model.bin"):
            (work / file).write_text(json.dumps(file))
        found.keep(work, content, 0.0, 0.0)
    own = found.find(content)
    assert isinstance(own, Converted)
    assert own.model_file.is_relative_to(tmp_path)
