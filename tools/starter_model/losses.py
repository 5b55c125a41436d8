"""DETR's set loss for several layers and query groups at once, and the dense loss of the helpers."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from .codes import CLASSES
from .networks import Answers, Predictions

NO_OBJECT = len(CLASSES)
CLASS_WEIGHT, BOX_WEIGHT, OVERLAP_WEIGHT = 2.0, 5.0, 5.0
DENSE_WEIGHT = 0.25  # of the helpers beside the decoder
EMPTY_WEIGHT = 0.3
SMALL_WEIGHT = 3.0  # of the only cell of a small code, in the dense loss
CENTRE_SHARE = 0.7  # cells within this share of a box speak for it


def corners(boxes: Tensor) -> Tensor:
    """Centre-size boxes (..., 4) as x0, y0, x1, y1."""
    return torch.cat([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Generalised IoU of centre-size boxes, broadcast over all but the last dimension."""
    a, b = corners(first), corners(second)
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    outer = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    union = first[..., 2:].prod(-1) + second[..., 2:].prod(-1) - inner
    return inner / (union + 1e-7) - (outer - union) / (outer + 1e-7)


def set_loss(found: Predictions, boxes: list[Tensor], labels: list[Tensor], groups: int) -> Tensor:
    """DETR's loss averaged over layers and groups; each group is matched to the objects on its own.

    A matched query should be as sure of its class as its box overlaps the object's, so that scores rank boxes well.
    """
    layers, images, queries, _ = found.logits.shape
    wanted, sure = torch.full((layers, images, queries), NO_OBJECT), torch.ones(layers, images, queries)
    picks: list[Tensor] = []
    goals: list[Tensor] = []
    for image, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        if not len(label):
            continue
        for layer, query, target in _match(found, image, box, label, groups):
            wanted[layer, image, query] = label[target]
            picks.append(torch.stack([torch.full_like(query, layer), torch.full_like(query, image), query]))
            goals.append(box[target])
    if not picks:
        return classification(found.logits, wanted)
    at = tuple(torch.cat(picks, 1))
    guess, goal = found.boxes[at], torch.cat(goals)
    sure[at] = generalised_iou(guess.detach(), goal).clamp(min=0)
    return classification(found.logits, wanted, sure=sure) + box_loss(guess, goal)


@torch.no_grad()
def _match(
    found: Predictions, image: int, boxes: Tensor, labels: Tensor, groups: int
) -> list[tuple[int, Tensor, Tensor]]:
    chance = found.logits[:, image].softmax(-1)[..., labels]
    guess = found.boxes[:, image, :, None]
    cost = BOX_WEIGHT * (guess - boxes).abs().sum(-1) - OVERLAP_WEIGHT * generalised_iou(guess, boxes)
    cost = cost - CLASS_WEIGHT * chance
    table = cost.unflatten(1, (groups, -1)).nan_to_num(1e3).numpy()
    matches = []
    for layer, of_layer in enumerate(table):
        pairs = [linear_sum_assignment(of_group) for of_group in of_layer]
        query = np.concatenate([rows + number * table.shape[2] for number, (rows, _) in enumerate(pairs)])
        matches.append((layer, torch.from_numpy(query), torch.from_numpy(np.concatenate([c for _, c in pairs]))))
    return matches


def classification(logits: Tensor, wanted: Tensor, share: Tensor | None = None, sure: Tensor | None = None) -> Tensor:
    """Weighted cross entropy in which "no object" counts EMPTY_WEIGHT.

    `share` weighs the entries further; `sure` is the probability that each should give to what is wanted, the rest
    belongs to "no object".
    """
    weight = torch.where(wanted == NO_OBJECT, EMPTY_WEIGHT, 1.0)
    if share is not None:
        weight = weight * share
    chances = logits.log_softmax(-1)
    losses = -chances.gather(-1, wanted[..., None])[..., 0]
    if sure is not None:
        losses = sure * losses - (1 - sure) * chances[..., NO_OBJECT]
    return CLASS_WEIGHT * (losses * weight).sum() / weight.sum()


def box_loss(guess: Tensor, goal: Tensor, share: Tensor | None = None) -> Tensor:
    """Weighted L1 and generalised IoU of matched centre-size boxes (n, 4); `share` (n,) weighs them."""
    losses = BOX_WEIGHT * (guess - goal).abs().sum(-1) + OVERLAP_WEIGHT * (1 - generalised_iou(guess, goal))
    return losses.mean() if share is None else (losses * share).sum() / share.sum()


def dense_targets(boxes: list[Tensor], labels: list[Tensor], height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """For every cell its class (image, cell), NO_OBJECT outside, the box it speaks for (image, cell, 4), its weight.

    A code's cells together weigh as the root of their number, so that large codes do not drown the small ones.
    """
    wanted = torch.full((len(boxes), height * width), NO_OBJECT)
    goals, shares = torch.zeros(len(boxes), height * width, 4), torch.ones(len(boxes), height * width)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centres = torch.stack([(columns + 0.5) / width, (rows + 0.5) / height], -1).reshape(-1, 2)
    cell = torch.tensor([1 / width, 1 / height])
    for image, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        for number in (box[:, 2] * box[:, 3]).argsort(descending=True).tolist():
            reach = torch.maximum(box[number, 2:] * CENTRE_SHARE, cell) / 2
            inside = ((centres - box[number, :2]).abs() <= reach).all(-1)
            wanted[image, inside] = label[number]
            goals[image, inside] = box[number]
            shares[image, inside] = SMALL_WEIGHT / inside.sum().clamp(min=1).sqrt()
    return wanted, goals, shares


def total_loss(
    answers: Answers, boxes: list[Tensor], labels: list[Tensor], groups: int, grid: tuple[int, int]
) -> Tensor:
    """The set loss of the decoder, where it ran, plus the dense losses of memory and backbone."""
    wanted, goals, shares = dense_targets(boxes, labels, *grid)
    inside = wanted != NO_OBJECT
    losses = []
    for dense, share in ((answers.memory, 1.0), (answers.cells, 0.5)):
        loss = classification(dense.logits, wanted, shares)
        if inside.any():
            loss = loss + box_loss(dense.boxes[inside], goals[inside], shares[inside])
        losses.append(share * loss)
    dense_loss = torch.stack(losses).sum()
    if answers.layers is None:
        return dense_loss
    return set_loss(answers.layers, boxes, labels, groups) + DENSE_WEIGHT * dense_loss
