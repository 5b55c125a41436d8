"""`detrdesk detect`: detect in images; print, draw and write what was found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.answer import detection_answer, error_answer, to_json, with_warnings
from engine.batch.detect_many import Answer, Failure, detect_many
from engine.cli.detect_jobs import Job, is_single, jobs_of
from engine.cli.detect_lines import begin_lines, told_of
from engine.cli.exit_codes import DONE, SOME_FAILED, USAGE
from engine.detect.detection import Filter
from engine.detect.tiling import Tiling
from engine.engine import Engine, shared_cache
from engine.errors import EngineError
from engine.export.formats import export
from engine.image.listing import ListingNotes
from engine.settings import load_settings
from engine.storage.atomic import WriteError, write_atomic
from engine.storage.json_lines import append_line

if TYPE_CHECKING:
    from tqdm import tqdm


def run_detect(given: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        engine = _engine(given.device)
        with closing(engine):
            if engine.catalog.problem is not None:
                _say(engine.catalog.problem.message, SOME_FAILED)
            return _detect_in_all(engine, given)
    except EngineError as error:
        return _say(error.message, USAGE)


def _engine(device: str | None) -> Engine:
    settings = load_settings()
    return Engine(settings.model_copy(update={"device": device}) if device else settings, shared_cache())


def _detect_in_all(engine: Engine, given: argparse.Namespace) -> int:
    notes = ListingNotes()
    jobs = jobs_of(given, notes)
    for note in notes.told():
        print(f"detrdesk: {note.message}", file=sys.stderr)
    if not jobs:
        return _say("There are no images in what was named.", USAGE)
    model = engine.catalog.name_of(given.model or engine.settings.model)
    run = _Run(engine, model, given)
    done: set[str] = set()
    if given.json_lines is not None:
        done = begin_lines(given.json_lines, model, run.chosen, run.tiling, given.resume)
    try:
        run.go_through([job for job in jobs if job.source.location not in done], len(jobs))
        run.write_json()
        if not given.quiet:
            _tell_conversion(engine, model)
    except WriteError as error:
        return _say(error.message, SOME_FAILED)
    return SOME_FAILED if run.failures else DONE


def _tell_conversion(engine: Engine, model: str) -> None:
    """Say that later runs will be faster, where the model is being converted in the background."""
    if engine.conversion(model).is_under_way:
        print(
            f"detrdesk: {model} is being converted for this machine in the background; later runs are faster.",
            file=sys.stderr,
        )


class _Run:
    """One run of the command.

    Attributes:
        chosen: Which detections are told.
        tiling: How large images are cut; `None` where they are not.
        failures: How many images could not be answered.
    """

    def __init__(self, engine: Engine, model: str, given: argparse.Namespace) -> None:
        self.chosen = engine.catalog.defaults(model).chosen(given.threshold, given.top_k)
        self.tiling = None if given.tiles is None else Tiling(given.tiles)
        self.failures = 0
        self._engine = engine
        self._model = model
        self._given = given
        self._answers: list[dict[str, Any]] = []

    def go_through(self, jobs: list[Job], total: int) -> None:
        """Answer each, and tell about it as soon as that is done; `total` counts those of earlier runs too."""
        given = self._given
        bar = _NoBar() if given.quiet or total < 3 else _bar(total, total - len(jobs))
        sources = (job.source for job in jobs if job.problem is None)
        answers = detect_many(self._engine, sources, self._model, fresh=given.fresh, tiling=self.tiling)
        with bar, closing(answers) as outcomes:
            for job in jobs:
                self._tell(job, self._outcome(job, outcomes), bar)
                bar.update()

    def write_json(self) -> None:
        """Write what `--json` asks for.

        Raises:
            WriteError: the file cannot be written.
        """
        given = self._given
        if given.json_out is None:
            return
        text = to_json(self._answers[0] if is_single(given) else self._answers)
        if given.json_out == "-":
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
        else:
            write_atomic(Path(given.json_out), text.encode())
            if not given.quiet:
                print(f"  written: {given.json_out}")

    def _outcome(self, job: Job, outcomes: Iterator[Answer | Failure]) -> Answer | Failure:
        if job.problem is not None:
            return Failure(job.source, job.problem)
        outcome = next(outcomes)
        if job.image_out is None or isinstance(outcome, Failure):
            return outcome
        try:
            image = outcome.image or self._engine.open(job.source)
            export(job.image_out, image.pixels, outcome.found, self.chosen)
            return outcome
        except EngineError as error:
            return Failure(job.source, error)

    def _tell(self, job: Job, outcome: Answer | Failure, bar: tqdm[Any] | _NoBar) -> None:
        given = self._given
        if isinstance(outcome, Failure):
            self.failures += 1
            bar.write(f"detrdesk: {job.source.name}: {outcome.error.message}", file=sys.stderr)
            answer = error_answer(outcome.error)
        else:
            # the name that was asked for, in all lines of a file: the model may be renamed meanwhile
            warnings = outcome.image.warnings if outcome.image else ()
            found = replace(outcome.found, model=self._model)
            answer = with_warnings(detection_answer(found, self.chosen), [warnings])
            for warning in warnings:
                bar.write(f"detrdesk: {job.source.name}: {warning.message}", file=sys.stderr)
            if not given.quiet and given.json_out != "-":
                bar.write(_table(job, outcome, self.chosen), file=sys.stdout)
        named = {"source": job.source.location, **told_of(self.tiling), **answer}
        if given.json_lines is not None:
            append_line(given.json_lines, named)
        if given.json_out is not None:
            self._answers.append(answer if is_single(given) else named)


class _NoBar:
    """Stands in for a progress bar where none is shown: importing tqdm takes 40 ms."""

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def update(self) -> None:
        pass

    def write(self, text: str, file: TextIO) -> None:
        print(text, file=file)


def _bar(total: int, done: int) -> tqdm[Any]:
    from tqdm import tqdm

    return tqdm(total=total, initial=done, unit="image", file=sys.stderr, leave=False)


def _table(job: Job, answer: Answer, chosen: Filter) -> str:
    found = answer.found
    kept, timing = found.keep(chosen), found.timing
    took = (
        "known from an earlier run"
        if answer.is_known
        else f"decode {timing.decode:.0f} + model {timing.model:.0f} "
        f"+ rest {timing.preprocess + timing.postprocess:.0f} ms"
    )
    facts = f"{found.width} x {found.height}, {found.tokens:,} tokens, {found.device}, {found.runtime}"
    head = f"{job.source.name}  {facts}, {took}"
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
