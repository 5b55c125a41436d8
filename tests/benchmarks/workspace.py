"""Workspace of one benchmark run: its home, a large model, generated images."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from PIL import Image

from engine.bench.ways import load_converted
from engine.engine import Engine
from engine.paths import cache_dir, resource
from tests.benchmarks.fresh import Home, end_helpers, fresh_home
from tests.benchmarks.images import MANY, SAMPLE, fill_folder

STARTER = resource("starter")
INPUT = (1066, 800)
"""Size of a 4:3 image after DETR's preprocessing: width and height, pixels."""

R50_FLOP = 157e9
"""Operations of DETR-R50 for an image of INPUT, counted by torch.utils.flop_counter (a multiply-add counts as two)."""


class Workspace:
    """The folder of one benchmark run, with a home in which models are converted once.

    Attributes:
        folder: The folder.
        runs: How often each way is measured.
    """

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self._converted: set[Path] = set()

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
        """Provide an engine with this model converted and in memory, and the model's name."""
        engine = Engine()
        try:
            model = engine.catalog.name_of(str(checkpoint))
            load_converted(engine, model)
            self._converted.add(checkpoint)
            yield engine, model
        finally:
            engine.close()

    def convert(self, checkpoint: Path) -> None:
        """Convert this model, unless that was done."""
        if checkpoint not in self._converted:
            with self.engine(checkpoint):
                pass

    @contextmanager
    def converted_home(self, checkpoint: Path = STARTER) -> Iterator[Home]:
        """Provide a new home in which this model was converted, and nothing else was done."""
        self.convert(checkpoint)
        with fresh_home() as home:
            converted = cache_dir() / "converted"
            if converted.is_dir():
                shutil.copytree(converted, home.converted, copy_function=os.link)
            yield home


@contextmanager
def opened_workspace(runs: int) -> Iterator[Workspace]:
    """Provide a workspace that is removed at the end of the block; its home replaces the user's own."""
    with tempfile.TemporaryDirectory(prefix="detrdesk-bench-") as made:
        os.environ["DETRDESK_HOME"] = str(Path(made, "home"))
        try:
            yield Workspace(Path(made), runs)
        finally:
            end_helpers(cache_dir() / "converted")
