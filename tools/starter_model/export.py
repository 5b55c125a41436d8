"""Turns a training checkpoint into the model folder that ships, and checks that stock code reads it the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch
from torch import Tensor
from transformers import DetrForObjectDetection, DetrImageProcessorPil

from .card import CARD
from .networks import IMAGE_MEAN, IMAGE_STD, SIDE, Trainee, stock_model, thaw_batch_norm

TOLERANCE = 1e-4


def export(checkpoint: Path, folder: Path) -> Path:
    """Writes weights (the average ones), configurations and a card without figures; replaces the folder's old files."""
    weights: dict[str, Tensor] = torch.load(checkpoint, weights_only=True)["average"]
    model = stock_model(weights)
    with tempfile.TemporaryDirectory(dir=folder.parent) as staging:
        model.save_pretrained(staging)
        processor().save_pretrained(staging)
        Path(staging, "README.md").write_text(CARD, "utf-8")
        check(Path(staging), weights)
        folder.mkdir(parents=True, exist_ok=True)
        for path in Path(staging).iterdir():
            shutil.copyfile(path, folder / f".{path.name}.new")
            (folder / f".{path.name}.new").replace(folder / path.name)
    return folder


def processor() -> DetrImageProcessorPil:
    """The image processor whose settings ship with the model."""
    return DetrImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, image_mean=IMAGE_MEAN, image_std=IMAGE_STD,
        do_convert_annotations=True, format="coco_detection",
    )  # fmt: skip


@torch.no_grad()
def check(folder: Path, weights: dict[str, Tensor]) -> None:
    """Raises unless stock code loads every key and answers as the model did in training, within TOLERANCE."""
    model, info = DetrForObjectDetection.from_pretrained(folder, output_loading_info=True)
    problems = [*info["missing_keys"], *info["unexpected_keys"], *info["mismatched_keys"]]
    if problems:
        raise RuntimeError(f"{folder} does not load cleanly: {problems[:5]}")
    trainee = Trainee(groups=1).eval()
    thaw_batch_norm(trainee.detr)
    trainee.detr.load_state_dict(weights)
    pixels = torch.randint(0, 256, (2, 144, 192, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    answers = trainee(pixels).layers
    images = (pixels.permute(0, 3, 1, 2).float() - trainee.mean) * trainee.scale
    stock = model.eval()(images)
    gap = max(
        (answers.logits[-1] - stock.logits).abs().max().item(),
        (answers.boxes[-1] - stock.pred_boxes).abs().max().item(),
    )
    if gap > TOLERANCE:
        raise RuntimeError(f"stock outputs differ from training's by {gap:.1e}")
