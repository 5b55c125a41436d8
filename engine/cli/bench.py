"""`detrdesk bench`: times of a model on this machine, stage by stage, beside the plain way."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from engine.answer import to_json
from engine.bench.machine import this_machine
from engine.bench.stages import LEAST_SCORE, Measured, measure
from engine.bench.ways import PLAIN, ways_of
from engine.cli.exit_codes import DONE, SOME_FAILED, USAGE
from engine.engine import Engine
from engine.errors import EngineError
from engine.inference.runtime_selector import RuntimeState
from engine.paths import resource
from engine.settings import load_settings
from engine.storage.atomic import WriteError, write_atomic

_STAGES = ("decode", "preprocess", "model", "postprocess")


def run_bench(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        settings = load_settings()
        if arguments.device:
            settings = settings.model_copy(update={"device": arguments.device})
        with closing(Engine(settings)) as engine:
            _measure(engine, arguments)
    except WriteError as error:
        return _say(error.message, SOME_FAILED)
    except EngineError as error:
        return _say(error.message, USAGE)
    return DONE


def _measure(engine: Engine, arguments: argparse.Namespace) -> None:
    model = engine.catalog.name_of(arguments.model or engine.settings.model)
    images = arguments.image or [str(resource("samples", "parcels.jpg"))]
    files = [engine.read(image) for image in images]
    machine = this_machine()
    print(
        f"{model}: {_plural(len(files), 'image')}, {_plural(arguments.runs, 'run')} in turns\n{machine}\n", flush=True
    )
    contents = [file.content for file in files]
    ways, state = ways_of(engine, model, _tell)
    measured = measure(ways, contents, arguments.runs)
    print("\n".join([*_table(measured), "", *filter(None, map(_deviation, measured)), *_remarks(measured, state)]))
    if arguments.json_out is not None:
        names = [file.source.location for file in files]
        results = {"model": model, "images": names, "runs": arguments.runs, "machine": machine.as_dict()}
        results["ways"] = [each.as_dict() for each in measured]
        write_atomic(Path(arguments.json_out), to_json(results).encode())
        print(f"\nwritten: {arguments.json_out}")


def _table(measured: Sequence[Measured]) -> list[str]:
    """Return the lines of the table: medians in ms; the whole image and the ratio with minimum and maximum."""
    rows = [["runtime", *_STAGES, "whole image", "ratio"]]
    for way in measured:
        stages = [f"{getattr(way.stages, stage):.1f}" for stage in _STAGES]
        rows.append([_title(way), *stages, way.whole.text("ms"), way.ratio.as_ratio() if way.ratio else ""])
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [_line(row, wide) for row in rows]


def _line(row: Sequence[str], wide: Sequence[int]) -> str:
    name, *rest = (text.ljust(width) for text, width in zip(row, wide, strict=True))
    stages = [text.rjust(width) for text, width in zip(row[1:], wide[1:], strict=True)][: len(_STAGES)]
    return "  ".join([name, *stages, *rest[len(_STAGES) :]]).rstrip()


def _title(way: Measured) -> str:
    return f"{way.name}{' (the plain way)' if way.name == PLAIN else ''}, {way.device}"


def _deviation(way: Measured) -> str:
    differs = way.deviation
    if differs is None:
        return ""
    unmatched = f", {_plural(differs.unmatched, 'box', 'boxes')} without a counterpart" if differs.unmatched else ""
    return (
        f"{way.name}: scores differ by at most {differs.score:.1g}, "
        f"boxes above {LEAST_SCORE} by at most {differs.pixels:.2g} pixels{unmatched}"
    )


def _remarks(measured: Sequence[Measured], state: RuntimeState) -> list[str]:
    remarks = []
    if measured[0].name != PLAIN:
        remarks.append("This model is no transformers checkpoint: there is no plain way to compare it with.")
    elif measured[-1].name == "torch":
        reason = state.problem.message if state.problem else "The settings and the device leave it to torch."
        remarks.append(f"OpenVINO does not execute this model. {reason}")
    return remarks


def _plural(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


def _tell(doing: str) -> None:
    print(f"detrdesk: {doing} ...", file=sys.stderr, flush=True)


def _say(message: str, code: int) -> int:
    print(f"detrdesk: {message}", file=sys.stderr)
    return code
