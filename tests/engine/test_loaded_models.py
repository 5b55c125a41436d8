"""How many models stay in memory, and that the memory of those that leave really goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkpoints import BACKBONE

MEASURE = """
import sys, psutil
from engine import Engine
from engine.settings import Settings
image, tiny, big = sys.argv[1:]
engine = Engine(Settings(loaded_models=1))
for model in (tiny, big, tiny, big, tiny):
    engine.detect(image, model)
    print(round(psutil.Process().memory_info().rss / 1e6))
assert engine.loaded("big-detr") is None
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


def test_the_memory_of_the_model_that_leaves_goes(big_detr: Path, tiny_detr: Path, image_file: Path) -> None:
    """In a process of its own: what earlier tests left behind in malloc would hide it."""
    command = [sys.executable, "-c", MEASURE, str(image_file), str(tiny_detr), str(big_detr)]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr
    before, with_it, after, again, finally_ = (int(line) for line in done.stdout.split())
    assert with_it - before > 80
    assert again - after > 60
    assert finally_ - before < 40
