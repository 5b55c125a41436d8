"""What the figures are measured with: a home of its own, a large model, generated images."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from PIL import Image

from engine.bench.ways import settle
from engine.engine import Engine
from engine.paths import cache_dir, resource
from tests.benchmarks.images import MANY, SAMPLE, fill_folder

STARTER = resource("starter")
INPUT = (1066, 800)
"""What DETR's preprocessing makes of a 4:3 image, pixels."""

R50_FLOP = 157e9
"""Of DETR-R50 on an image of INPUT, counted by torch.utils.flop_counter; a multiplication and an addition are two."""


class Workspace:
    """A folder that everything of one run is in, with a home in which the models were converted.

    Attributes:
        folder: The folder.
        runs: How often each way is measured.
    """

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self._settled: set[Path] = set()

    @cached_property
    def photo(self) -> Path:
        """A JPEG of INPUT."""
        with Image.open(SAMPLE) as opened:
            opened.resize(INPUT).save(self.folder / "photo.jpg", quality=92)
        return self.folder / "photo.jpg"

    @cached_property
    def detr_r50(self) -> Path:
        """A checkpoint of DETR-R50's shape with random weights."""
        import torch
        from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.manual_seed(0)
        backbone = ResNetConfig(out_features=["stage4"])
        config = DetrConfig(use_timm_backbone=False, backbone_config=backbone, num_labels=91)
        folder = self.folder / "detr-r50"
        DetrForObjectDetection(config).save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text('{"image_processor_type": "DetrImageProcessor"}', "utf-8")
        return folder

    @cached_property
    def many(self) -> Path:
        """A folder of MANY small images."""
        return fill_folder(self.folder / "many", MANY)

    @contextmanager
    def engine(self, checkpoint: Path) -> Iterator[tuple[Engine, str]]:
        """An engine with this model in memory, executed by the runtime that it stays with, and the model's name."""
        engine = Engine()
        try:
            model = engine.catalog.name_of(str(checkpoint))
            settle(engine, model)
            self._settled.add(checkpoint)
            yield engine, model
        finally:
            engine.close()

    def settle(self, checkpoint: Path) -> None:
        """Have this model converted."""
        if checkpoint not in self._settled:
            with self.engine(checkpoint):
                pass

    @contextmanager
    def converted_home(self, checkpoint: Path = STARTER) -> Iterator[Path]:
        """A new home in which this model was converted, and nothing else was done."""
        self.settle(checkpoint)
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            converted = cache_dir() / "converted"
            if converted.is_dir():
                shutil.copytree(converted, Path(home, "cache", "converted"), copy_function=os.link)
            yield Path(home)


@contextmanager
def opened_workspace(runs: int) -> Iterator[Workspace]:
    """A workspace that goes away with the block; settings, caches and sessions are looked for in it."""
    with tempfile.TemporaryDirectory(prefix="detrdesk-bench-") as made:
        os.environ["DETRDESK_HOME"] = str(Path(made, "home"))
        yield Workspace(Path(made), runs)
