"""How many models stay in memory, and that the memory of those that leave really goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.checkpoints import BACKBONE
from tests.children import PROJECT

MEASURE = """
import ctypes, sys, threading, psutil
from engine import Engine
from engine.inference.model_pool import free_memory
from engine.settings import Settings
large, small, tiny, big, returned = sys.argv[1:]
engine = Engine(Settings(loaded_models=1))
engine.detect(large, tiny)
free_memory()
if returned == "kept":
    load = ctypes.CDLL
    ctypes.CDLL = lambda name, *rest, **more: load(name, *rest, **more) if name else None
for model in (tiny, big, tiny):
    turn = threading.Thread(target=engine.detect, args=(small, model))
    turn.start()
    turn.join()
    print(round(psutil.Process().memory_info().rss / 1e6))
assert engine.loaded("big-detr") is None
"""
"""Each turn has a thread of its own, as in the server: malloc gives it memory from a place of its own.

After a large image malloc takes the place of tensors from its heap, which it keeps.
"""


@pytest.fixture(scope="module")
def big_detr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DETR of 100 MB, its tensors of the usual sizes: small enough for malloc to keep them."""
    from transformers import AutoConfig, AutoModelForObjectDetection

    folder = tmp_path_factory.mktemp("models") / "big-detr"
    config = AutoConfig.for_model("detr", backbone_config=BACKBONE, use_timm_backbone=False, decoder_layers=11)
    AutoModelForObjectDetection.from_config(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 200, "longest_edge": 300}}))
    return folder


@pytest.fixture(scope="module")
def large_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "large.jpg"
    Image.new("RGB", (6000, 4000), "white").save(path)
    return path


@pytest.fixture(scope="module")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "small.jpg"
    Image.new("RGB", (300, 200), "white").save(path)
    return path


MEASURE_CUDA = """
import sys, torch
from engine import Engine
from engine.settings import Settings
image, tiny, big = sys.argv[1:]
engine = Engine(Settings(loaded_models=1, device="cuda"))
for model in (tiny, big, tiny):
    assert engine.detect(image, model).device.startswith("cuda")
    print(torch.cuda.memory_allocated() // 10**6, torch.cuda.memory_reserved() // 10**6)
"""


def megabytes(returned: str, *files: Path) -> list[int]:
    """Memory after each of three turns, in a process of its own: what earlier tests left in malloc would hide it."""
    return printed(MEASURE, *map(str, files), returned)


def printed(program: str, *arguments: str) -> list[int]:
    """The numbers that a program of Python prints."""
    command = [sys.executable, "-c", program, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def test_the_memory_of_the_model_that_leaves_goes(
    big_detr: Path, tiny_detr: Path, large_image: Path, small_image: Path
) -> None:
    before, with_it, finally_ = megabytes("returned", large_image, small_image, tiny_detr, big_detr)
    assert with_it - before > 80
    assert finally_ - before < 50


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that keeps memory")
def test_without_returning_it_the_memory_would_stay(
    big_detr: Path, tiny_detr: Path, large_image: Path, small_image: Path
) -> None:
    """What the other test measures can go wrong."""
    before, _, finally_ = megabytes("kept", large_image, small_image, tiny_detr, big_detr)
    assert finally_ - before > 70


def test_the_cuda_memory_of_the_model_that_leaves_goes(big_detr: Path, tiny_detr: Path, large_image: Path) -> None:
    """What tensors take, and what torch keeps for the next ones: other programs on the card need that, too."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA here")
    numbers = printed(MEASURE_CUDA, str(large_image), str(tiny_detr), str(big_detr))
    allocated, reserved = numbers[::2], numbers[1::2]
    assert allocated[1] - allocated[0] > 80
    assert allocated[2] - allocated[0] < 10
    assert reserved[1] - reserved[2] > 50
