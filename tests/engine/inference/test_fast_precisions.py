"""Faster precisions: offered where they were measured, chosen by the catalog, never taken for f32."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image

from engine.batch import measuring, precisions
from engine.batch.measuring import measure
from engine.batch.precisions import choose, offers
from engine.batch.tiled import detect_tiled
from engine.cli.main import main
from engine.detect.tiling import Tiling
from engine.engine import Engine
from engine.errors import CancelledError, DetectionError, ModelError
from engine.inference import runtime_selector
from engine.models.catalog.entry import Defaults
from engine.models.converted import ConvertedModels
from engine.models.fingerprint import fingerprint
from engine.paths import cache_dir, config_dir, resource
from engine.review.cache import DetectionCache
from engine.runtimes.openvino_library import native_precisions
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.runtimes.torch_runtime import TorchRuntime
from engine.settings import Settings
from tests.children import PROJECT
from tests.engine.inference.conversion import keep_converted, user_store
from tests.engine.inference.fast_forms import FIGURES, keep_form

needs_bf16 = pytest.mark.usefixtures("native_bf16")
needs_int8 = pytest.mark.usefixtures("native_int8")


@pytest.fixture
def native_bf16() -> None:
    """A processor that computes in bf16."""
    if "bf16" not in native_precisions():
        pytest.skip("this processor does not compute in bf16")


@pytest.fixture
def native_int8() -> None:
    """A processor that computes in int8, and NNCF."""
    if importlib.util.find_spec("nncf") is None:
        pytest.skip("needs NNCF: pip install -c constraints.txt -e '.[int8]'")
    if "int8" not in native_precisions():
        pytest.skip("this processor does not compute in int8")


@pytest.fixture(scope="module")
def converted(tiny_detr: Path, tmp_path_factory: pytest.TempPathFactory) -> ConvertedModels:
    """The tiny DETR and the starter, converted once."""
    store = ConvertedModels(tmp_path_factory.mktemp("converted"))
    for folder in (tiny_detr, resource("starter")):
        assert keep_converted(folder, store).is_small
    return store


@pytest.fixture
def engine(tiny_detr: Path, converted: ConvertedModels) -> Iterator[Engine]:
    """An engine that finds them converted."""
    shutil.copytree(converted.folder, user_store().folder)
    cache = DetectionCache(cache_dir() / "detections.sqlite")
    engine = Engine(Settings(model=str(tiny_detr), runtime="auto", device="cpu"), cache)
    yield engine
    engine.close()


@pytest.fixture
def model(engine: Engine) -> str:
    """Its name."""
    return engine.catalog.name_of(engine.settings.model)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Parts of the samples, of several sizes, and one file that is no image."""
    folder = tmp_path_factory.mktemp("images")
    for name in ("parcels.jpg", "shelf.jpg", "poster.jpg"):
        with Image.open(resource("samples", name)) as sample:
            for at in range(8):
                width, height = sample.width * (10 - at) // 10, sample.height * (12 - at) // 12
                sample.convert("RGB").resize((width // 2, height // 2)).save(folder / f"{at}-{name}")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    return sorted(map(str, folder.iterdir()))


def offer_of(engine: Engine, model: str, precision: str) -> precisions.Offer:
    return next(each for each in offers(engine, model) if each.precision == precision)


def all_native() -> Any:
    """On a processor that has everything."""
    return patch.object(precisions, "native_precisions", return_value=frozenset({"f32", "bf16", "int8"}))


# what is offered


def test_nothing_is_offered_before_it_was_measured(engine: Engine, model: str) -> None:
    with all_native():
        offer = offer_of(engine, model, "bf16")
        assert (offer.figures, offer.problem, offer.can_be_chosen, offer.is_chosen) == (None, None, False, False)
        with pytest.raises(ModelError, match=r"Measure bf16 on some images first\."):
            choose(engine, model, "bf16")


def test_what_was_measured_can_be_chosen_and_given_up(engine: Engine, model: str) -> None:
    keep_form(engine, model)
    with all_native():
        assert offer_of(engine, model, "bf16").can_be_chosen
        choose(engine, model, "bf16")
        assert offer_of(engine, model, "bf16").is_chosen
        choose(engine, model, "f32")
        assert not offer_of(engine, model, "bf16").is_chosen


def test_what_is_hardly_faster_is_not_offered(engine: Engine, model: str) -> None:
    keep_form(engine, model, figures=replace(FIGURES, speedup=1.1))
    with all_native():
        offer = offer_of(engine, model, "bf16")
        assert not offer.can_be_chosen
        with pytest.raises(ModelError) as caught:
            choose(engine, model, "bf16")
    assert caught.value.message == "bf16 is not worth it on this machine: it is 1.10 times as fast as f32."


def test_a_processor_without_it_is_told(engine: Engine, model: str) -> None:
    with patch.object(precisions, "native_precisions", return_value=frozenset({"f32"})):
        problems = [offer.problem.code for offer in offers(engine, model) if offer.problem]
        assert problems == ["precision_processor", "precision_processor"]
        with pytest.raises(ModelError, match="The processor of this machine does not compute in int8"):
            measure(engine, model, "int8", [])


def test_int8_without_nncf_is_told(engine: Engine, model: str) -> None:
    with all_native(), patch.object(precisions, "find_spec", return_value=None):
        problem = offer_of(engine, model, "int8").problem
        assert problem is not None
        assert problem.message == "int8 needs NNCF, which is not installed: pip install 'detrdesk[int8]'."
        assert offer_of(engine, model, "bf16").problem is None


def test_a_model_that_torch_executes_has_none(tiny_detr: Path) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="torch"))
    codes = {offer.problem.code for offer in offers(engine, engine.catalog.name_of(str(tiny_detr))) if offer.problem}
    engine.close()
    assert codes == {"precision_openvino"}


def test_too_few_images_are_told(engine: Engine, model: str, images: list[str]) -> None:
    with all_native(), pytest.raises(ModelError, match="bf16 needs at least 5 images"):
        measure(engine, model, "bf16", images[:4])


def test_of_many_images_some_in_regular_distance_are_taken() -> None:
    names = [f"{at}.jpg" for at in range(900)]
    taken = [source.name for source in measuring._spread(names, 300)]
    assert (len(taken), taken[:3], taken[-1]) == (300, ["0.jpg", "3.jpg", "6.jpg"], "897.jpg")
    assert len(measuring._spread(names[:7], 300)) == 7


# the catalog


def test_the_choice_is_in_models_toml(engine: Engine) -> None:
    engine.catalog.set_precision("starter", "int8")
    file = config_dir() / "models.toml"
    assert file.read_text("utf-8") == '[starter]\nprecision = "int8"\n'
    assert engine.catalog.entry("starter").precision == "int8"
    engine.catalog.set_defaults("starter", Defaults(threshold=0.4))
    assert engine.catalog.entry("starter").precision == "int8"
    engine.catalog.set_precision("starter", "f32")
    assert "precision" not in file.read_text("utf-8")
    assert engine.catalog.entry("starter").defaults.threshold == 0.4


def test_another_precision_in_models_toml_is_told(engine: Engine) -> None:
    (config_dir() / "models.toml").parent.mkdir(parents=True, exist_ok=True)
    (config_dir() / "models.toml").write_text('[starter]\nprecision = "f16"\n', "utf-8")
    (note,) = engine.catalog.notes
    assert "line 2, column 13" in note.message
    assert 'one of "f32", "bf16" and "int8"' in note.message
    assert engine.catalog.entry("starter").precision == "f32"


def test_a_kept_model_keeps_its_precision_when_it_is_renamed(engine: Engine, tiny_detr: Path) -> None:
    name = engine.catalog.add(tiny_detr, "tiny")
    engine.catalog.set_precision(name, "bf16")
    engine.catalog.rename(name, "small")
    assert Engine().catalog.entry("small").precision == "bf16"


# what executes it


@needs_bf16
def test_the_choice_takes_over_and_goes_again(engine: Engine, model: str, image_file: Path) -> None:
    keep_form(engine, model)
    exact = engine.detect(image_file)
    assert exact.runtime == "openvino"
    choose(engine, model, "bf16")
    assert engine.runtime_state(model).runtime == "openvino"  # in memory until the next answer
    fast = engine.detect(image_file)
    state = engine.runtime_state(model)
    assert (fast.runtime, state.runtime, state.precision) == ("openvino bf16", "openvino bf16", "bf16")
    assert state.score_difference is None
    assert 0 < abs(fast.scores - exact.scores).max() < 0.1
    choose(engine, model, "f32")
    again = engine.detect(image_file)
    assert again.runtime == "openvino"
    assert (again.scores == exact.scores).all()
    assert engine.runtime_state(model).score_difference is not None


@needs_bf16
def test_a_fast_answer_is_never_that_of_f32(engine: Engine, model: str, image_file: Path) -> None:
    keep_form(engine, model)
    image = engine.open(image_file)
    exact = engine.detect_known(image)
    content = fingerprint(engine.catalog.path(model))
    assert engine.known.key(model) == engine.known.key_of(exact) == content
    choose(engine, model, "bf16")
    assert engine.known.recall(image, model) is None
    fast = engine.detect_known(image)
    assert engine.known.key(model) == engine.known.key_of(fast) == f"{content}-bf16"
    assert engine.known.key_of(exact) == content
    recalled = engine.known.recall(image, model)
    assert recalled is not None
    assert recalled.runtime == "openvino bf16"
    assert (recalled.scores == fast.scores).all()
    choose(engine, model, "f32")
    recalled = engine.known.recall(image, model)
    assert recalled is not None
    assert recalled.runtime == "openvino"
    assert (recalled.scores == exact.scores).all()


def test_what_was_chosen_but_is_not_here_leaves_it_to_f32_and_says_so(
    engine: Engine, model: str, image_file: Path
) -> None:
    engine.catalog.set_precision(model, "int8")
    image = engine.open(image_file)
    found = engine.detect_known(image)
    state = engine.runtime_state(model)
    assert (found.runtime, state.runtime, state.precision) == ("openvino", "openvino", "f32")
    assert state.precision_problem is not None
    assert state.precision_problem.code == "precision_absent"
    assert engine.known.key(model) == fingerprint(engine.catalog.path(model))
    assert engine.known.recall(image, model) is not None


def keep_int8(engine: Engine, name: str) -> Path:
    """As if int8 had been made of it, from the f32 form; returns the folder that it is in."""
    content, key = fingerprint(engine.catalog.path(name)), "c" * 16
    with engine.fast.store.work_folder() as work:
        for file in engine.fast.store.folder_of(content).glob("model.*"):
            shutil.copy(file, work)
        engine.fast.keep(work, content, "int8", key, FIGURES)
    made = engine.fast.find(content, "int8")
    assert made is not None
    assert made.model_file is not None
    return made.model_file.parent


@pytest.mark.parametrize("lost", ["model.bin", "model.xml", "manifest.json", ""], ids=lambda name: name or "all")
def test_a_form_whose_files_are_lost_leaves_it_to_f32_and_asks_to_be_made_again(
    engine: Engine, image_file: Path, lost: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = engine.catalog.add(engine.settings.model, "tiny")
    monkeypatch.setenv("DETRDESK_RUNTIME", "auto")
    monkeypatch.setenv("DETRDESK_DEVICE", "cpu")
    folder = keep_int8(engine, model)
    engine.catalog.set_precision(model, "int8")
    with (
        all_native(),
        patch.object(runtime_selector, "native_precisions", return_value=frozenset({"f32", "int8"})),
        patch.object(precisions, "find_spec", return_value=object()),
    ):
        assert engine.detect(image_file, model).runtime == "openvino int8"
        shutil.rmtree(folder) if not lost else (folder / lost).unlink()
        assert engine.detect(image_file, model).runtime == "openvino"
        state = engine.runtime_state(model)
        assert (state.runtime, state.precision) == ("openvino", "f32")
        assert state.precision_problem is not None
        told = state.precision_problem.message
        assert told == (
            "There is no int8 form of this model any more, or not of this machine and these versions: measure int8 "
            "again. f32 answers meanwhile."
        )
        main(["models", "show", model])
        assert told in capsys.readouterr().out
        main(["models", "fast", model])
        assert "int8  Chosen, but not here any more; give images to measure it with again" in capsys.readouterr().out
        keep_int8(engine, model)
        assert engine.detect(image_file, model).runtime == "openvino int8"
        assert engine.runtime_state(model).precision_problem is None


def test_a_processor_that_lost_it_leaves_it_to_f32(engine: Engine, model: str, image_file: Path) -> None:
    keep_form(engine, model)
    engine.catalog.set_precision(model, "bf16")
    with patch.object(runtime_selector, "native_precisions", return_value=frozenset({"f32"})):
        assert engine.detect(image_file).runtime == "openvino"
    problem = engine.runtime_state(model).precision_problem
    assert problem is not None
    assert problem.message == ("bf16 failed, f32 serves: The processor of this machine does not compute in bf16.")


def test_a_model_in_half_precision_is_not_loaded_anew_for_what_it_cannot_have(
    engine: Engine, model: str, tiny_detr: Path, image_file: Path
) -> None:
    engine.apply(Settings(model=str(tiny_detr), runtime="torch", device="cpu"))
    engine.catalog.set_precision(model, "int8")
    detector = engine.load(model)
    detector.runtime.variant, detector.runtime.name = "f16", "torch f16"
    image = engine.open(image_file)
    engine.known.keep(image, engine.detect_in(image, model))
    assert engine.loaded(model) is detector
    assert engine.known.recall(image, model) is not None


@needs_bf16
def test_tiles_of_two_precisions_are_not_kept_as_the_answer_of_one(engine: Engine, model: str, sample: Path) -> None:
    keep_form(engine, model)
    choose(engine, model, "bf16")
    image, tiling = engine.open(sample), Tiling(320)

    def give_up(at: int, of: int) -> None:
        engine.catalog.set_precision(model, "f32")

    assert len(detect_tiled(engine, image, model, tiling, progress=give_up))
    for precision in ("f32", "bf16"):
        engine.catalog.set_precision(model, precision)
        assert engine.known.recall(image, model, tiling) is None


@needs_bf16
def test_a_form_that_breaks_at_an_image_leaves_it_to_f32(engine: Engine, model: str, image_file: Path) -> None:
    keep_form(engine, model)
    choose(engine, model, "bf16")
    run = OpenVinoRuntime.run

    def breaks(runtime: OpenVinoRuntime, tensors: Any) -> Any:
        if runtime.variant != "f32":
            raise DetectionError("device_failed", "It broke.")
        return run(runtime, tensors)

    with patch.object(OpenVinoRuntime, "run", breaks):
        assert engine.detect(image_file).runtime == "openvino"
    problem = engine.runtime_state(model).precision_problem
    assert problem is not None
    assert "It broke." in problem.message


@needs_bf16
def test_an_image_that_every_form_fails_at_leaves_them_all(engine: Engine, model: str, image_file: Path) -> None:
    keep_form(engine, model)
    choose(engine, model, "bf16")
    failure = DetectionError("device_failed", "It broke.")
    with (
        patch.object(OpenVinoRuntime, "run", side_effect=failure),
        patch.object(TorchRuntime, "run", side_effect=failure),
        pytest.raises(DetectionError, match="It broke"),
    ):
        engine.detect(image_file)
    assert engine.detect(image_file).runtime == "openvino bf16"
    assert engine.runtime_state(model).precision_problem is None


def test_while_torch_serves_bf16_waits_for_the_conversion(tiny_detr: Path, image_file: Path) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="auto", device="cpu"))
    name = engine.catalog.name_of(str(tiny_detr))
    keep_form(engine, name)
    engine.catalog.set_precision(name, "bf16")
    found = engine.detect(image_file)
    problem = engine.runtime_state(name).precision_problem
    engine.close()
    assert found.runtime == "torch"
    assert problem is not None
    assert problem.message == "bf16 begins when the model is converted."


# made and measured


@needs_bf16
def test_bf16_is_measured_on_the_images(engine: Engine, images: list[str]) -> None:
    told: list[tuple[str, int, int]] = []
    offer = measure(engine, "starter", "bf16", images, lambda *each: told.append(each), in_haste=True)
    figures = offer.figures
    assert figures is not None
    assert (figures.images, figures.calibrated, figures.threshold) == (len(images) - 1, 0, 0.5)
    assert figures.slowest <= figures.speedup <= figures.fastest
    assert figures.f32_ms > 0
    assert figures.kept > 20
    assert 0.8 < figures.average_precision <= 1
    assert told[-1] == ("measuring", len(images) - 1, len(images))
    assert offer.can_be_chosen == figures.is_worth_it
    assert offer_of(engine, "starter", "bf16") == offer


@needs_bf16
def test_images_that_show_nothing_are_told(engine: Engine, model: str, images: list[str]) -> None:
    engine.catalog.set_defaults(model, Defaults(threshold=1.0))
    with pytest.raises(ModelError, match="finds nothing in these images"):
        measure(engine, model, "bf16", images, in_haste=True)
    assert offer_of(engine, model, "bf16").figures is None
    assert [path.name for path in engine.fast.store.folder.glob(".work-*")] == []


@needs_bf16
def test_cancelling_ends_the_process(engine: Engine, images: list[str]) -> None:
    begun: list[float] = []
    many = images * 12

    def note(stage: str, done: int, total: int) -> None:
        if stage == "measuring" and not begun:
            begun.append(time.monotonic())

    with pytest.raises(CancelledError):
        measure(engine, "starter", "bf16", many, note, lambda: bool(begun), in_haste=True)
    assert time.monotonic() - begun[0] < 3
    assert offer_of(engine, "starter", "bf16").figures is None


@needs_int8
def test_int8_is_calibrated_with_other_images_than_it_is_measured_on(
    engine: Engine, images: list[str], image_file: Path
) -> None:
    stages: list[str] = []
    offer = measure(engine, "starter", "int8", images, lambda stage, *_: stages.append(stage), in_haste=True)
    figures = offer.figures
    assert figures is not None
    assert {"calibrating", "measuring"} <= set(stages)
    assert figures.images + figures.calibrated == len(images) - 1, "one is none"
    assert figures.images == len(images) // 3
    assert 0.5 < figures.average_precision <= 1
    made = engine.fast.find(fingerprint(resource("starter")), "int8")
    assert made is not None
    if figures.is_worth_it:
        choose(engine, "starter", "int8")
        found = engine.detect(image_file, "starter")
        assert found.runtime == "openvino int8"
        assert engine.known.key_of(found) == f"{fingerprint(resource('starter'))}-{made.key}"


CANARY = """
import socket, sys
def refuse(*_, **__): raise AssertionError("it calls home")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from pathlib import Path
from engine.runtimes import quantise
from engine.models.reading import read_model
folder, f32_file, work, *images = sys.argv[1:]
request = quantise.QuantisationTask("int8", f32_file, tuple(images), tuple(images), 0.5)
quantise._quantise(read_model(Path(folder)), request, Path(work), lambda *_: None)
import nncf
assert sys.modules["openvino_telemetry"] is None
assert not any(name.startswith("openvino_telemetry.") for name in sys.modules)
"""


@needs_int8
def test_quantising_calls_nobody(engine: Engine, images: list[str], tmp_path: Path) -> None:
    starter = resource("starter")
    form = engine.fast.store.folder_of(fingerprint(starter)) / "model.xml"
    command = [sys.executable, "-c", CANARY, str(starter), str(form), str(tmp_path), *images[:4]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "model.xml").exists()


# the command


def test_the_command_tells_what_is_known_and_chooses(
    engine: Engine, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = engine.catalog.add(engine.settings.model, "tiny")
    keep_form(engine, name)
    monkeypatch.setenv("DETRDESK_RUNTIME", "auto")
    monkeypatch.setenv("DETRDESK_DEVICE", "cpu")
    with all_native():
        assert main(["models", "fast", name, "--bf16", "--use"]) == 0
    told = capsys.readouterr().out
    assert "bf16  2.00 times as fast (1.80 to 2.20): 50.0 ms, f32 100.0 ms" in told
    assert "AP 0.950 against its f32 answers, of 42 detections above 0.5: 40 kept, 2 lost, 1 new" in told
    assert told.endswith("tiny: bf16\n")
    assert engine.catalog.entry(name).precision == "bf16"
    main(["models", "show", name, "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["runtime"]["precision"] == "bf16"
    assert main(["models", "fast", name, "--off"]) == 0
    assert engine.catalog.entry(name).precision == "f32"


def test_the_command_chooses_nothing_that_was_not_measured(
    engine: Engine, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETRDESK_RUNTIME", "auto")
    with all_native():
        assert main(["models", "fast", engine.settings.model, "--bf16", "--use"]) == 2
    told = capsys.readouterr()
    assert "Not measured yet" in told.out
    assert "Nothing was measured yet" in told.err
