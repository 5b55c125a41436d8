"""`detrdesk detect`: detect in images; print, draw and write what was found."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.answer import detection_answer, error_answer, to_json
from engine.detect.detection import Detections, Filter
from engine.engine import Engine
from engine.errors import EngineError
from engine.exit_codes import DONE, SOME_FAILED, USAGE
from engine.export.atomic import write_atomic
from engine.export.formats import ANNOTATED_JPEG, ANNOTATED_PNG, export
from engine.image.source import Source, expand_sources
from engine.settings import load_settings

IMAGE_SUFFIXES = (*ANNOTATED_PNG.suffixes, *ANNOTATED_JPEG.suffixes)


@dataclass(frozen=True, slots=True)
class Job:
    """One image to detect in.

    Attributes:
        source: Where it comes from.
        image_out: Where its annotated image goes, or `None`.
        problem: Why it is known beforehand that it cannot be opened, or `None`.
    """

    source: Source
    image_out: Path | None = None
    problem: EngineError | None = None


def run_detect(given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        engine = _engine(given.device)
        jobs = _jobs(given)
        engine.load(given.model)
    except EngineError as error:
        return _say(error.message, USAGE)
    if not jobs:
        return _say("There are no images in what was named.", USAGE)
    chosen = Filter(threshold=given.threshold, top_k=given.top_k)
    answers, failures = _answer_all(engine, jobs, chosen, given)
    try:
        _write_json(answers, given)
    except EngineError as error:
        return _say(error.message, SOME_FAILED)
    finally:
        engine.close()
    return SOME_FAILED if failures else DONE


def _engine(device: str | None) -> Engine:
    settings = load_settings()
    return Engine(settings.model_copy(update={"device": device}) if device else settings)


def _jobs(given: argparse.Namespace) -> list[Job]:
    jobs = [job for text in given.sources for job in _named_by(text)]
    out: Path | None = given.image_out
    if out is None:
        return jobs
    if _is_single(given) and not out.is_dir() and out.suffix.lower() in IMAGE_SUFFIXES:
        return [replace(job, image_out=out) for job in jobs]
    _make_folder(out)
    return [replace(job, image_out=path) for job, path in zip(jobs, _free_paths(out, jobs), strict=True)]


def _named_by(text: str) -> list[Job]:
    try:
        return [Job(source) for source in expand_sources([text])]
    except EngineError as error:
        return [Job(Source("data", text[:40], text[:200]), problem=error)]


def _is_single(given: argparse.Namespace) -> bool:
    """Whether one image was named; a folder counts as several, whatever it holds."""
    return len(given.sources) == 1 and not _is_folder(given.sources[0])


def _is_folder(text: str) -> bool:
    return os.path.isdir(os.path.expanduser(text))  # noqa: PTH111, PTH112 (pathlib raises on base64 text)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(
            "cannot_write", "{path} cannot be written: {reason}.", path=folder, reason=error.strerror or error
        ) from error


def _free_paths(folder: Path, jobs: list[Job]) -> Iterator[Path]:
    """A path for each image, none twice; the names tell them from the images themselves."""
    taken: set[str] = set()
    for job in jobs:
        stem = base = f"{Path(job.source.name).stem or 'image'}_detections"
        number = 2
        while stem.lower() in taken:
            stem, number = f"{base}_{number}", number + 1
        taken.add(stem.lower())
        yield folder / f"{stem}.png"


def _answer_all(
    engine: Engine, jobs: list[Job], chosen: Filter, given: argparse.Namespace
) -> tuple[list[dict[str, Any]], int]:
    answers, failures = [], 0
    shows_table = not given.quiet and given.json_out != "-"
    bar = tqdm(jobs, unit="image", disable=given.quiet or len(jobs) < 3, file=sys.stderr, leave=False)
    for job in bar:
        try:
            found, answer = _answer(engine, job, chosen, given.model)
        except EngineError as error:
            failures += 1
            bar.write(f"detrdesk: {job.source.name}: {error.message}", file=sys.stderr)
            answer = error_answer(error)
        else:
            if shows_table:
                bar.write(_table(job, found, chosen), file=sys.stdout)
        answers.append(answer if _is_single(given) else {"source": job.source.location, **answer})
    return answers, failures


def _answer(engine: Engine, job: Job, chosen: Filter, model: str | None) -> tuple[Detections, dict[str, Any]]:
    if job.problem is not None:
        raise job.problem
    image = engine.open(job.source)
    found = engine.detect_in(image, model)
    if job.image_out is not None:
        export(job.image_out, image.pixels, found, chosen)
    return found, detection_answer(found, chosen)


def _write_json(answers: list[dict[str, Any]], given: argparse.Namespace) -> None:
    if given.json_out is None:
        return
    text = to_json(answers[0] if _is_single(given) else answers)
    if given.json_out == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    else:
        write_atomic(Path(given.json_out), text.encode())
        if not given.quiet:
            print(f"  written: {given.json_out}")


def _table(job: Job, found: Detections, chosen: Filter) -> str:
    kept = found.keep(chosen)
    timing = found.timing
    head = (
        f"{job.source.name}  {found.width} x {found.height}, {found.tokens:,} tokens, {found.device}, {found.runtime}, "
        f"decode {timing.decode:.0f} + model {timing.model:.0f} + rest {timing.preprocess + timing.postprocess:.0f} ms"
    )
    if not len(kept):
        best = f", the best score is {found[0].score:.2f}" if len(found) else ""
        return f"{head}\n  nothing above {chosen.threshold:.2f}{best}"
    wide = max(len(detection.label) for detection in kept)
    rows = [
        f"  {detection.score:.2f}  {detection.label:<{wide}}  " + " ".join(f"{edge:8.1f}" for edge in detection.box)
        for detection in kept
    ]
    written = [f"  written: {job.image_out}"] if job.image_out else []
    return "\n".join([head, *rows, *written])


def _say(message: str, code: int) -> int:
    print(f"detrdesk: {message}", file=sys.stderr)
    return code
