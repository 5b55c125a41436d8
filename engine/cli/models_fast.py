"""`detrdesk models fast`: measure the faster precisions of a model on images, and choose one."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from engine.batch.measuring import measure
from engine.batch.precisions import Offer, choose, offers
from engine.cli.exit_codes import DONE, SOME_FAILED
from engine.detect.precision import F32, FAST, Precision
from engine.engine import Engine
from engine.errors import EngineError, ModelError
from engine.image.listing import expand_sources
from engine.runtimes.conversion_process import Progress


def run_fast(given: argparse.Namespace) -> int:
    """Measure where images are given, print a table, choose where that is asked for; 1 where something failed."""
    with closing(Engine()) as engine:
        name = engine.catalog.name_of(given.name)
        if given.off:
            choose(engine, name, F32)
            print(f"{name}: {F32}")
            return DONE
        wanted: list[Precision] = given.precisions or list(FAST)
        failures = _measure(engine, name, wanted, given.images) if given.images else 0
        found = [offer for offer in offers(engine, name) if offer.precision in wanted]
        for line in table(found):
            print(line)
        if given.use:
            chosen = _best(found)
            choose(engine, name, chosen.precision)
            print(f"{name}: {chosen.precision}")
        return SOME_FAILED if failures else DONE


def table(found: list[Offer]) -> list[str]:
    """What is known of each precision."""
    return [_told(offer) for offer in found]


def _told(offer: Offer) -> str:
    got = offer.figures
    if got is None:
        is_lost = "Chosen, but not here any more; give images to measure it with again. f32 answers meanwhile."
        absent = is_lost if offer.is_chosen else "Not measured yet; give images to measure it with."
        reason = offer.problem.message if offer.problem else absent
        return f"{offer.precision:<5} {reason}"
    spread = f"{got.slowest:.2f} to {got.fastest:.2f}"
    times = f"{got.fast_ms:.1f} ms, f32 {got.f32_ms:.1f} ms"
    chosen = ", chosen" if offer.is_chosen else ""
    calibrated = f", calibrated with {got.calibrated} others" if got.calibrated else ""
    lines = [
        f"{offer.precision:<5} {got.speedup:.2f} times as fast ({spread}): {times}{chosen}",
        f"      AP {got.average_precision:.3f} against its f32 answers, of {got.kept + got.lost} detections above "
        f"{got.threshold:g}: {got.kept} kept, {got.lost} lost, {got.new} new",
        f"      measured on {got.images} images{calibrated}",
    ]
    return "\n".join([*lines, f"      {offer.problem.message}"] if offer.problem else lines)


def _measure(engine: Engine, name: str, wanted: list[Precision], given: list[str]) -> int:
    """How many of them could not be measured."""
    images = expand_sources(given)
    failures = 0
    for precision in wanted:
        try:
            measure(engine, name, precision, images, _progress(precision), in_haste=True)
        except ModelError as error:
            failures += 1
            print(f"detrdesk: {error.message}", file=sys.stderr)
    return failures


def _progress(precision: Precision) -> Progress:
    """Tells a stage as it begins, and each tenth of it."""
    last = ("", -1)

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        tenth = 10 * done // total if total else 0
        if (stage, tenth) != last:
            last = (stage, tenth)
            print(f"detrdesk: {precision}: {stage}{f' {done} of {total}' * bool(total)}", file=sys.stderr, flush=True)

    return tell


def _best(found: list[Offer]) -> Offer:
    """The fastest that can be chosen.

    Raises:
        EngineError: there is none; says why.
    """
    good = [(offer.figures.speedup, offer) for offer in found if offer.figures and offer.can_be_chosen]
    if good:
        return max(good, key=lambda each: each[0])[1]
    problem = next((offer.problem for offer in found if offer.problem), None)
    raise problem or EngineError("precision_none", "Nothing was measured yet; give images to measure with.")
