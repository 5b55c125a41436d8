"""Torch where OpenVINO does not serve: norms folded, half precision where it answers the same; found out unimported."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch

from engine.detect.agreement import difference
from engine.detect.recipe import prepare
from engine.engine import Engine
from engine.models.checkpoint.checkpoint import read_checkpoint
from engine.paths import resource
from engine.review.cache import DetectionCache
from engine.runtimes import devices
from engine.runtimes.detector import Detector
from engine.runtimes.folding import fold_batch_norms
from engine.runtimes.probe_images import probe_images
from engine.runtimes.torch_runtime import TorchRuntime
from engine.runtimes.transformers_model import load_model
from engine.settings import Settings
from tests.checkpoints import CONFIGS, make_checkpoint
from tests.engine.inference.conversion import enliven


@pytest.mark.parametrize(
    ("family", "least"), [("detr", 5), ("rt_detr", 20), ("d_fine", 20), ("lw_detr", 1), ("yolos", 0)]
)
def test_folding_leaves_the_answer_as_it_was(tmp_path: Path, family: str, least: int) -> None:
    checkpoint = read_checkpoint(enliven(make_checkpoint(tmp_path / family, family)))
    plain, folded = load_model(checkpoint), load_model(checkpoint)
    for model in (plain, folded):
        torch.manual_seed(0)
        for name, buffer in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.uniform_(0.5, 1.5)
    assert fold_batch_norms(folded) >= least
    kinds = [type(module).__name__ for module in folded.modules() if "BatchNorm" in type(module).__name__]
    assert not [kind for kind in kinds if "Frozen" in kind]
    tensors = checkpoint.tensors(probe_images()[0])
    images = torch.from_numpy(tensors["pixel_values"])
    with torch.inference_mode():
        ours, reference = folded(pixel_values=images), plain(pixel_values=images)
    torch.testing.assert_close(ours.logits, reference.logits, atol=1e-3, rtol=0)
    torch.testing.assert_close(ours.pred_boxes, reference.pred_boxes, atol=1e-3, rtol=0)


def test_half_precision_is_taken_where_it_answers_the_same(tiny_detr: Path) -> None:
    checkpoint = read_checkpoint(tiny_detr)
    runtime = TorchRuntime(checkpoint, "cpu")
    prepared = prepare(checkpoint, probe_images()[0])
    exact = Detector("", checkpoint, runtime).detect(prepared)
    assert runtime.variant == "f32"
    limits = "engine.runtimes.torch_runtime.HALF_"
    with patch(f"{limits}SCORE", 0.5), patch(f"{limits}PIXELS", 500.0):
        assert runtime.use_half(checkpoint, torch.bfloat16)
    half = Detector("", checkpoint, runtime).detect(prepared)
    assert (runtime.variant, runtime.name) == ("f16", "torch f16")
    assert (half.scores != exact.scores).any()
    assert half.scores.dtype == exact.scores.dtype


def test_answers_in_half_precision_are_kept_apart(tiny_detr: Path, tmp_path: Path) -> None:
    engine = Engine(Settings(model=str(tiny_detr), runtime="torch"), DetectionCache(tmp_path / "detections.sqlite"))
    image = engine.open(resource("samples") / "poster.jpg")
    exactly = engine.known.key()
    detector = engine.load()
    assert isinstance(detector.runtime, TorchRuntime)
    limits = "engine.runtimes.torch_runtime.HALF_"
    with patch(f"{limits}SCORE", 0.5), patch(f"{limits}PIXELS", 500.0):
        assert detector.runtime.use_half(detector.recipe, torch.bfloat16)  # type: ignore[arg-type]
    found = engine.detect_known(image)
    assert engine.loaded(engine.default_model) is detector
    assert engine.known.key() == engine.known.key_of(found) == f"{exactly}-f16"
    assert engine.known.recall(image) is not None
    engine._models.unload_all()
    assert engine.known.recall(image) is None
    engine.close()


def test_half_precision_is_left_where_it_answers_differently(tiny_detr: Path) -> None:
    checkpoint = read_checkpoint(tiny_detr)
    runtime = TorchRuntime(checkpoint, "cpu")
    prepared = prepare(checkpoint, probe_images()[0])
    exact = Detector("", checkpoint, runtime).detect(prepared)
    with patch("engine.runtimes.torch_runtime.HALF_SCORE", 1e-9):
        assert not runtime.use_half(checkpoint, torch.bfloat16)
    assert runtime.variant == "f32"
    assert Detector("", checkpoint, runtime).detect(prepared).scores.tolist() == exact.scores.tolist()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA here")
@pytest.mark.parametrize("family", CONFIGS)
def test_the_card_answers_as_the_cpu_does(tmp_path: Path, family: str) -> None:
    checkpoint = read_checkpoint(enliven(make_checkpoint(tmp_path / family, family)))
    card, cpu = (Detector("", checkpoint, TorchRuntime(checkpoint, device)) for device in ("cuda", "cpu"))
    for image in probe_images():
        prepared = prepare(checkpoint, image)
        found = difference(card.detect(prepared), cpu.detect(prepared), 5e-3)
        assert found.score <= 5e-3
        assert found.pixels <= 2


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What is known of this machine is asked anew, before and after."""
    devices.has_accelerator.cache_clear()
    yield
    devices.has_accelerator.cache_clear()


def build_of_torch(tmp_path: Path, version: str) -> object:
    """torch as if it were built so, with a driver that tells of as many cards as `cards` says."""
    (tmp_path / "version.py").write_text(version)
    (tmp_path / "__init__.py").write_text("raise AssertionError('torch was imported')")
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    return patch.object(devices, "find_spec", lambda name: found)


def driver(cards: int, works: bool = True) -> object:
    def count(reference: object) -> int:
        ctypes.cast(reference, ctypes.POINTER(ctypes.c_int))[0] = cards  # type: ignore[arg-type]
        return 0

    library = SimpleNamespace(cuInit=lambda flags: 0 if works else 100, cuDeviceGetCount=count)
    return patch.object(devices.ctypes, "CDLL", lambda name: library)


CUDA_BUILD = "from typing import Optional\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n"
CPU_BUILD = "from typing import Optional\ncuda: Optional[str] = None\nhip: Optional[str] = None\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="Apple's GPU needs no driver")
@pytest.mark.parametrize(
    ("build", "cards", "works", "expected"),
    [
        (CUDA_BUILD, 1, True, True),
        (CUDA_BUILD, 0, True, False),
        (CUDA_BUILD, 1, False, False),
        (CPU_BUILD, 1, True, False),
    ],
)
def test_a_card_counts_if_torch_is_built_for_it(
    tmp_path: Path, forgotten: None, build: str, cards: int, works: bool, expected: bool
) -> None:
    with build_of_torch(tmp_path, build), driver(cards, works):  # type: ignore[attr-defined]
        assert devices.has_accelerator() is expected
        assert devices.means_cpu("auto") is not expected
    assert devices.means_cpu("cpu")
    assert not devices.means_cpu("cuda")


def test_no_driver_is_no_card(tmp_path: Path, forgotten: None) -> None:
    with build_of_torch(tmp_path, CUDA_BUILD), patch.object(devices.ctypes, "CDLL", side_effect=OSError("none")):  # type: ignore[attr-defined]
        assert not devices.has_accelerator() or sys.platform == "darwin"


def test_this_machine_is_known_without_torch() -> None:
    code = (
        "import sys; from engine.runtimes.devices import has_accelerator\n"
        "print(has_accelerator(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    has_one = torch.cuda.is_available() or torch.backends.mps.is_available()
    assert done.stdout.split() == [str(has_one), "False"]
