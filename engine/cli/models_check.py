"""`detrdesk models check`: whether the runtimes find the same in a few images, and how long each takes."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from engine.bench.stages import LEAST_SCORE, Measured, measure
from engine.bench.ways import PLAIN, Way, on_stage, plain_way, torch_way
from engine.cli.exit_codes import DONE, SOME_FAILED
from engine.engine import Engine
from engine.models.card import card_of
from engine.paths import resource
from engine.settings import load_settings

MOST_SCORE = 1e-3
MOST_PIXELS = 0.5
"""Differences that nobody can see."""


def run_check(given: argparse.Namespace) -> int:
    """Print what was compared; 1 where the ways find different things."""
    settings = load_settings()
    if given.device:
        settings = settings.model_copy(update={"device": given.device})
    with closing(Engine(settings)) as engine:
        name = engine.catalog.name_of(given.name)
        card = card_of(engine.catalog, name)
        if card.problem is not None:
            raise card.problem
        images = given.images or sorted(map(str, resource("samples").glob("*.jpg")))
        contents = [engine.read(image).content for image in images]
        for note in card.notes:
            print(f"detrdesk: {note.message}", file=sys.stderr)
        ways = _ways(engine, name)
        measured = measure(ways, contents, given.runs)
    print(f"{name}: {_plural(len(images), 'image')}, {_plural(given.runs, 'run')} in turns")
    for each in measured:
        print(f"  {_told(each, measured[0])}")
    return DONE if all(map(_agrees, measured)) else SOME_FAILED


def _ways(engine: Engine, model: str) -> list[Way]:
    """Torch first where the model is a checkpoint, for the others are compared with it; plain transformers last."""
    _tell(f"loading {model}")
    state = engine.convert(model, on_stage(lambda stage: _tell(f"for OpenVINO, once: {stage}")))
    if state.problem is not None:
        _tell(f"not by OpenVINO: {state.problem.message}")
    own = engine.load(model).runtime
    ways = [Way(own.name, own.device, lambda file: engine.detect(file, model))]
    folder = engine.catalog.path(model)
    if not folder.is_dir():
        return ways
    if own.name != "torch":
        ways.insert(0, torch_way(engine, model))
    try:
        return [*ways, plain_way(folder, own.device.partition(" ")[0])]
    except Exception as error:  # transformers raises whatever its parts raise
        _tell(f"not by plain transformers: {str(error).strip().partition(chr(10))[0][:200]}")
        return ways


def _told(each: Measured, first: Measured) -> str:
    name = f"{each.name}{' (plain)' if each.name == PLAIN else ''}, {each.device}"
    times = f"{name:<28} model {each.stages.model:7.1f} ms, whole image {each.whole.text('ms')}"
    far = each.deviation
    if far is None:
        return times
    verdict = "same" if _agrees(each) else "DIFFERENT"
    return (
        f"{times}\n    {verdict} as {first.name}: scores differ by at most {far.score:.1g}, boxes above {LEAST_SCORE} "
        f"by at most {far.pixels:.2g} pixels, {far.unmatched} without a counterpart"
    )


def _agrees(each: Measured) -> bool:
    far = each.deviation
    return far is None or (far.score <= MOST_SCORE and far.pixels <= MOST_PIXELS and not far.unmatched)


def _plural(count: int, one: str) -> str:
    return f"{count} {one}{'s' * (count != 1)}"


def _tell(doing: str) -> None:
    print(f"detrdesk: {doing}", file=sys.stderr, flush=True)
