"""Trains the starter model; a run that was stopped goes on from its checkpoint."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor, distributed, multiprocessing, nn

from .dataset import Batch, Feeder
from .losses import total_loss
from .networks import SIDE, STRIDE, Trainee

SEED = 7
LOG_EVERY, SAVE_EVERY = 100, 400


@dataclass(frozen=True)
class Plan:
    """How long and how to train; every count is in steps of `batch` scenes."""

    steps: int = 24000
    dense_steps: int = 900  # backbone and encoder alone, before the decoder joins
    grow_steps: int = 6000  # scenes are squares that grow from `small` to `large` pixels a side until then
    cooldown: int = 8000  # the learning rate falls to nothing over the last of the steps
    warmup: int = 150
    batch: int = 24
    groups: int = 3
    rate: float = 5e-4
    decay: float = 1e-2
    clip: float = 1.0
    small: int = 144
    large: int = SIDE
    average: float = 0.999
    workers: int = 2  # processes of one thread that share each batch

    def rate_at(self, step: int) -> float:
        """The learning rate: a short rise, a plateau, a linear fall over the cooldown."""
        rise = min(1.0, (step + 1) / self.warmup)
        again = min(1.0, max(0, step - self.dense_steps + 1) / self.warmup) if step >= self.dense_steps else 1.0
        fall = min(1.0, max(0.0, (self.steps - step) / max(1, self.cooldown)))
        return self.rate * rise * max(0.1, again) * max(fall, 0.005)

    def side_at(self, step: int) -> int:
        """The side in pixels, a multiple of the stride, that scenes are stretched to at `step`."""
        side = self.small + (self.large - self.small) * min(1.0, step / self.grow_steps)
        return round(side / STRIDE) * STRIDE


class Average:
    """An exponential moving average of a module's state; this is what ships."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay, self.count = decay, 0
        self.state = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Moves a little towards `module`, faster in the beginning."""
        self.count += 1
        keep = min(self.decay, (1 + self.count) / (10 + self.count))
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - keep)
            else:
                self.state[name].copy_(value)


def train(scenes: Path, checkpoint: Path, plan: Plan) -> Path:
    """Trains up to `plan.steps` and returns `checkpoint`, written every SAVE_EVERY steps and resumed from if there.

    One process per core, each with its share of every batch: they wait for each other once a step, and so stand other
    programs beside them far better than the threads of one process do.
    """
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        multiprocessing.spawn(_work, (scenes, checkpoint, plan, meeting), nprocs=plan.workers)
    return checkpoint


def _work(rank: int, scenes: Path, checkpoint: Path, plan: Plan, meeting: str) -> None:
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=plan.workers)
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    trainee = Trainee(plan.groups).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(_parameter_groups(trainee, plan), lr=plan.rate, foreach=True)
    average, first = Average(trainee.detr, plan.average), 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        trainee.load_state_dict(saved["trainee"])
        optimiser.load_state_dict(saved["optimiser"])
        average.state, average.count, first = saved["average"], saved["count"], saved["step"]
    trainee.train()
    losses: list[Tensor] = []
    began = time.monotonic()
    for step, batch in zip(range(first, plan.steps), _prefetch(scenes, plan, first, rank), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate_at(step)
        losses.append(_step(trainee, optimiser, batch, plan, decode=step >= plan.dense_steps))
        if rank != 0:
            continue
        average.update(trainee.detr)
        if (step + 1) % LOG_EVERY == 0:
            pace = (time.monotonic() - began) / len(losses)
            mean = torch.stack(losses[-LOG_EVERY:]).mean().item()
            print(f"step {step + 1} loss {mean:.3f} rate {plan.rate_at(step):.1e} {pace:.3f} s/step", flush=True)
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == plan.steps:
            _save(checkpoint, trainee, optimiser, average, step + 1)
    distributed.destroy_process_group()


def _step(trainee: Trainee, optimiser: torch.optim.Optimizer, batch: Batch, plan: Plan, decode: bool) -> Tensor:
    boxes, labels = [torch.from_numpy(b) for b in batch.boxes], [torch.from_numpy(k) for k in batch.labels]
    height, width = batch.pixels.shape[1:3]
    answers = trainee(torch.from_numpy(batch.pixels), decode)
    loss = total_loss(answers, boxes, labels, plan.groups, (height // STRIDE, width // STRIDE))
    loss.backward()
    _share_gradients(list(trainee.parameters()), plan.workers)
    norm = nn.utils.clip_grad_norm_(trainee.parameters(), plan.clip)
    if torch.isfinite(norm):
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return loss.detach()


def _share_gradients(parameters: list[nn.Parameter], workers: int) -> None:
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    for parameter, share in zip(parameters, flat.div_(workers).split([p.numel() for p in parameters]), strict=True):
        parameter.grad = share.view_as(parameter)


def _parameter_groups(trainee: Trainee, plan: Plan) -> list[dict[str, object]]:
    plain = [p for p in trainee.parameters() if p.ndim < 2]
    decayed = [p for p in trainee.parameters() if p.ndim >= 2]
    return [{"params": decayed, "weight_decay": plan.decay}, {"params": plain, "weight_decay": 0.0}]


def _prefetch(scenes: Path, plan: Plan, first: int, rank: int) -> Iterator[Batch]:
    """This worker's share of the batches from step `first` on, made by a thread that also looks for new scenes."""
    ready: queue.Queue[Batch] = queue.Queue(maxsize=3)
    feeder = Feeder(scenes, [SEED, first, rank])

    def work() -> None:
        for step in range(first, plan.steps):
            if step % 200 == 0:
                feeder.look_for_more()
            ready.put(feeder.batch(plan.batch // plan.workers, plan.side_at(step)))

    threading.Thread(target=work, daemon=True).start()
    for _ in range(first, plan.steps):
        yield ready.get()


def _save(path: Path, trainee: Trainee, optimiser: torch.optim.Optimizer, average: Average, step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    state = {"trainee": trainee.state_dict(), "optimiser": optimiser.state_dict(), "average": average.state}
    torch.save({**state, "count": average.count, "step": step}, partial)
    partial.replace(path)
