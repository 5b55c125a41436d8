"""Models executed by OpenVINO: the same detections as torch's, bounded memory, failures in a sentence."""

from __future__ import annotations

import json
import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from engine import Engine
from engine.detect.agreement import difference
from engine.detect.recipe import Tensors
from engine.errors import CancelledError, DetectionError, ModelError
from engine.models.converted import ConvertedModels
from engine.paths import resource
from engine.runtimes.openvino_library import openvino
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.settings import Settings
from tests.checkpoints import CONFIGS, make_checkpoint
from tests.children import PROJECT
from tests.engine.inference.conversion import enliven, keep_converted, user_store
from tests.onnx_files import write_finished

SIZES = [(640, 480), (333, 500), (1000, 90), (64, 64), (17, 5)]


def noise(width: int, height: int) -> Image.Image:
    random = np.random.default_rng([width, height])
    small = random.integers(0, 256, (min(height, 40), min(width, 40), 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def save(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


@pytest.mark.parametrize("family", CONFIGS)
def test_each_family_is_answered_as_by_torch(family: str, tmp_path: Path) -> None:
    folder = enliven(make_checkpoint(tmp_path / family, family))
    found = keep_converted(folder)
    assert found.is_small, found
    by_torch = Engine(Settings(model=str(folder), runtime="torch", device="cpu"))
    converted = Engine(Settings(model=str(folder), runtime="auto", device="cpu"))
    for width, height in SIZES:
        image = save(noise(width, height), tmp_path / "image.png")
        ours, reference = converted.detect(image), by_torch.detect(image)
        assert (ours.runtime, reference.runtime) == ("openvino", "torch")
        assert difference(ours, reference).is_small, (width, height)


@pytest.fixture(scope="module")
def starter_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    assert keep_converted(resource("starter"), ConvertedModels(folder)).is_small
    return folder


@pytest.mark.parametrize("name", ["parcels", "shelf", "poster", "empty"])
def test_the_starter_is_answered_as_by_torch(name: str, starter_store: Path) -> None:
    shutil.copytree(starter_store, user_store().folder)
    sample = resource("samples", f"{name}.jpg")
    ours, reference = (Engine(Settings(runtime=each, device="cpu")).detect(sample) for each in ("auto", "torch"))
    assert (ours.runtime, reference.runtime) == ("openvino", "torch")
    assert difference(ours, reference).is_small


def test_padding_is_masked_as_by_torch(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "padded", "detr", pad_size={"height": 420, "width": 440})
    assert keep_converted(folder).is_small
    image = save(noise(333, 250), tmp_path / "image.png")
    ours, reference = (
        Engine(Settings(model=str(folder), runtime=each, device="cpu")).detect(image) for each in ("auto", "torch")
    )
    assert (ours.runtime, reference.runtime) == ("openvino", "torch")
    assert difference(ours, reference).is_small


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 64 MB: a convolution over an image of any size, its output the sum."""
    ov = openvino()
    ops = ov.opset13
    image = ops.parameter([1, 3, -1, -1], np.float32, name="pixel_values")
    weights = np.random.default_rng(0).normal(size=(4096, 4096)).astype(np.float32)
    colours = ops.reduce_mean(image, np.array([2, 3]), keep_dims=False)
    wide = ops.matmul(colours, ops.constant(np.ones((3, 4096), np.float32)), False, False)
    answer = ops.matmul(wide, ops.constant(weights), False, False)
    image.output(0).tensor.set_names({"pixel_values"})
    answer.output(0).tensor.set_names({"logits"})
    path = tmp_path_factory.mktemp("layer") / "model.xml"
    ov.save_model(ov.Model([answer], [image], "layer"), path, compress_to_fp16=False)
    return path


def test_tensors_go_in_and_out_by_name(layer: Path) -> None:
    runtime = OpenVinoRuntime(layer)
    assert (runtime.inputs, runtime.outputs) == (("pixel_values",), ("logits",))
    first = runtime.run({"pixel_values": np.ones((1, 3, 8, 9), np.float32)})["logits"]
    kept = first.copy()
    runtime.run({"pixel_values": np.zeros((1, 3, 20, 4), np.float32)})
    assert first.shape == (1, 4096)
    assert first.dtype == np.float32
    assert np.abs(kept).max() > 1
    np.testing.assert_array_equal(first, kept)  # later answers do not write over earlier ones


def test_what_cannot_be_done_is_told_in_a_sentence(layer: Path, tmp_path: Path) -> None:
    runtime = OpenVinoRuntime(layer)
    with pytest.raises(DetectionError, match=r"The model failed on cpu: Can't set the input tensor"):
        runtime.run({"pixel_values": np.ones((1, 4, 8, 9), np.float32)})
    (tmp_path / "model.xml").write_text("<net")
    with pytest.raises(ModelError, match=r"The model model\.xml cannot be loaded: .*"):
        OpenVinoRuntime(tmp_path / "model.xml")


def test_running_out_of_memory_is_told(layer: Path) -> None:
    """In the words of OpenVINO 2026.4, caught from it under a limit of memory."""
    runtime = OpenVinoRuntime(layer)
    words = (
        "Exception from src/inference/src/cpp/infer_request.cpp:224:\n[CPU] Convolution node with name 'a' "
        "Check 'ptr' failed at src/plugins/intel_cpu/src/cpu_memory.cpp:257:\n"
        "Failed to allocate 256000000 bytes of memory"
    )
    with (
        patch.object(type(runtime._request), "infer", side_effect=RuntimeError(words)),
        pytest.raises(DetectionError) as caught,
    ):
        runtime.run({"pixel_values": np.ones((1, 3, 8, 9), np.float32)})
    assert caught.value.code == "out_of_memory"


MEMORY = """
import sys, psutil
from pathlib import Path
import numpy as np
from engine.runtimes.openvino_runtime import OpenVinoRuntime
from engine.inference.model_pool import free_memory
def told(): print(round(psutil.Process().memory_full_info().uss / 1e6))
def opened():
    runtime = OpenVinoRuntime(Path(sys.argv[1]))
    runtime.run({"pixel_values": np.ones((1, 3, 50, 50), np.float32)})
    return runtime
opened().close()
free_memory()
told()
runtime = opened()
told()
runtime.close()
free_memory()
told()
"""

SIZES_AFTER_SIZES = """
import sys, psutil
from pathlib import Path
import numpy as np
from engine.runtimes import openvino_runtime
if sys.argv[2] == "unbounded":
    del openvino_runtime._OPTIONS["CPU_RUNTIME_CACHE_CAPACITY"]
runtime, random = openvino_runtime.OpenVinoRuntime(Path(sys.argv[1])), np.random.default_rng(0)
def look(count):
    for height, width in random.integers(96, 385, (count, 2)):
        runtime.run({"pixel_values": np.zeros((1, 3, height, width), np.float32)})
    print(round(psutil.Process().memory_full_info().uss / 1e6))
look(40)
look(120)
"""


def megabytes(code: str, *arguments: object) -> list[int]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def test_closing_gives_the_memory_back(layer: Path) -> None:
    before, with_it, after = megabytes(MEMORY, layer)
    assert with_it - before > 50
    assert after - before < 15


def test_images_of_many_sizes_do_not_fill_the_memory(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(resource("starter"), tmp_path / "starter"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 288, "longest_edge": 384}}))
    assert keep_converted(folder, ConvertedModels(tmp_path / "converted")).is_small
    (model_file,) = (tmp_path / "converted").glob("*/model.xml")
    first, last = megabytes(SIZES_AFTER_SIZES, model_file, "bounded")
    unbounded_first, unbounded_last = megabytes(SIZES_AFTER_SIZES, model_file, "unbounded")
    assert last - first < 0.6 * (unbounded_last - unbounded_first), "OpenVINO's own bound does as well now"


def test_images_are_answered_together_as_each_alone(layer: Path) -> None:
    runtime = OpenVinoRuntime(layer)
    assert runtime.batch_size == 1  # nobody knows how quick it is
    images = [{"pixel_values": np.full((1, 3, 8, 9), red, np.float32)} for red in range(20)]
    expected = [runtime.run(each)["logits"] for each in images]
    for ours, alone in zip(runtime.run_batch(images), expected, strict=True):
        assert list(ours) == ["logits"]
        np.testing.assert_allclose(ours["logits"], alone, rtol=1e-4, atol=1e-3)


def test_a_decimal_comma_changes_no_detection(tiny_detr: Path) -> None:
    """Qt sets the process's locale to the user's, and OpenVINO reads model files by it."""
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        locale.setlocale(locale.LC_NUMERIC, "de_DE.UTF-8")
    except locale.Error:
        pytest.skip("no locale de_DE.UTF-8")
    try:
        assert keep_converted(tiny_detr).is_small
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


@pytest.mark.parametrize(("seconds", "images"), [(0.012, 8), (0.03, 3), (0.4, 1)])
def test_only_images_that_are_quick_are_answered_together(layer: Path, seconds: float, images: int) -> None:
    runtime = OpenVinoRuntime(layer)
    runtime._fastest_seconds = seconds
    assert runtime.batch_size == images


def test_what_stops_in_the_middle_leaves_nothing_running(layer: Path) -> None:
    runtime = OpenVinoRuntime(layer)

    def images() -> Iterator[Tensors]:
        for _ in range(9):
            yield {"pixel_values": np.ones((1, 3, 8, 9), np.float32)}
        raise CancelledError

    for _ in range(3):
        with pytest.raises(CancelledError):
            runtime.run_batch(images())
    assert len(runtime.run_batch([{"pixel_values": np.ones((1, 3, 8, 9), np.float32)}] * 3)) == 3


def test_after_a_failure_together_each_is_answered_alone(layer: Path) -> None:
    runtime = OpenVinoRuntime(layer)
    image = {"pixel_values": np.ones((1, 3, 8, 9), np.float32)}
    runtime._fastest_seconds = 0.012
    with pytest.raises(DetectionError, match="failed"):
        runtime.run_batch([image, {"pixel_values": np.ones((1, 4, 8, 9), np.float32)}])
    assert runtime.batch_size == 1
    assert runtime.run(image)["logits"].shape == (1, 4096)


def test_an_onnx_file_that_may_change_is_not_read_again(tmp_path: Path) -> None:
    runtime = OpenVinoRuntime(write_finished(tmp_path / "model.onnx"))
    runtime._fastest_seconds = 0.001
    assert runtime.batch_size == 1
