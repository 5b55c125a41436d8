"""What users meet: first and later commands, windows and servers in an empty home, without a conversion made before."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.bench.paired import Figure, at_most, ratio_at_least, ratio_at_most
from tests.benchmarks.fresh import Home, fresh_home
from tests.benchmarks.images import SAMPLE
from tests.benchmarks.launch import DETRDESK, LONGEST_CONVERSION, launched, plain_seconds
from tests.benchmarks.load import CLIENTS, PLAIN_SERVICE, answer_times, free_port, running_server
from tests.benchmarks.workspace import STARTER, Workspace

MINUTE = 60.0
PERIOD = 30.0
"""Seconds of each of the two periods in which a server's images are counted."""

Turn = Callable[[], dict[str, float]]

_CONVERT = """
import sys
from contextlib import closing
from engine import Engine
with closing(Engine()) as engine:
    state = engine.convert(sys.argv[1])
sys.exit(None if state.conversion == "converted" else f"{state.conversion}: {state.problem}")
"""


def figures(workspace: Workspace) -> Iterator[Figure]:
    """The starter, a checkpoint given by its folder, and a server whose model was added."""
    yield from _starter(workspace)
    yield from _checkpoint_folder(workspace)
    yield from _server(workspace)


def rates(times: list[float], period: float) -> tuple[float, float]:
    """Return images per second in the first and in the second period.

    Each rate is taken up to the last answer of its period, since answers may come in batches.

    Args:
        times: When each answer came, seconds after the first request, ascending.
        period: Seconds.

    Raises:
        RuntimeError: a period has no answer.
    """
    first = [at for at in times if at <= period]
    second = [at for at in times if period < at <= 2 * period]
    if not first or not second:
        raise RuntimeError(f"A server gave {len(first)} and {len(second)} answers in two periods of {period:g} s.")
    return len(first) / first[-1], len(second) / (second[-1] - first[-1])


def _starter(workspace: Workspace) -> Iterator[Figure]:
    _starter_turn()  # the files of both ways are then in the system's file cache
    times = _repeat(_starter_turn, workspace.runs)
    command = f"`detrdesk detect {SAMPLE.name}`, whole command, starter"
    yield Figure.of(f"fresh HOME: {command}", times["first"], times["plain"], ratio_at_most(0.20))
    yield Figure.of("a minute later: the same with `--fresh`, second run in that HOME", times["again"], times["plain"])
    name = "fresh HOME: window, launch to first detection, starter"
    yield Figure.of(name, times["window"], times["plain"], ratio_at_most(0.25))


def _starter_turn() -> dict[str, float]:
    plain = plain_seconds(STARTER, SAMPLE)
    with fresh_home() as home:
        first = home.run([*DETRDESK, "detect", str(SAMPLE)]).seconds
        home.wait_for_conversions(MINUTE)
        again = home.run([*DETRDESK, "detect", str(SAMPLE), "--fresh"]).seconds
    with fresh_home() as home:
        window = launched(home, "detection", SAMPLE)["seconds"]
    return {"plain": plain, "first": first, "again": again, "window": window}


def _checkpoint_folder(workspace: Workspace) -> Iterator[Figure]:
    checkpoint, photo = workspace.detr_r50, workspace.photo
    times = _repeat(lambda: _checkpoint_turn(checkpoint, photo), _few(workspace))
    plain = times["plain"]
    name = "`detrdesk detect PHOTO --model FOLDER`, whole command, DETR-R50 shape"
    yield Figure.of(f"fresh HOME: {name}, first use", times["first"], plain)
    yield Figure.of("directly after: second run with `--fresh`, its conversion pending", times["second"], plain)
    name = (
        "a minute after first use: third run with `--fresh` (its conversion in the background waited for, not counted)"
    )
    yield Figure.of(name, times["third"], plain, ratio_at_most(0.45))
    name = "from first use to the end of its conversion in the background, the second run meanwhile"
    yield Figure.of(name, times["conversion"], target=at_most(MINUTE))


def _checkpoint_turn(checkpoint: Path, photo: Path) -> dict[str, float]:
    command = [*DETRDESK, "detect", str(photo), "--model", str(checkpoint)]
    plain = plain_seconds(checkpoint, photo)
    with fresh_home() as home:
        first = home.run(command).seconds
        ended = time.perf_counter()
        second = home.run([*command, "--fresh"]).seconds
        home.wait_for_conversions(LONGEST_CONVERSION)
        conversion = time.perf_counter() - ended
        third = home.run([*command, "--fresh"]).seconds
    return {"plain": plain, "first": first, "second": second, "third": third, "conversion": conversion}


def _server(workspace: Workspace) -> Iterator[Figure]:
    checkpoint, photo = workspace.detr_r50, workspace.photo
    times = _repeat(lambda: _server_turn(checkpoint, photo), _few(workspace))
    name = f"`detrdesk serve`, {CLIENTS} clients, DETR-R50 shape, model added before"
    for period, when in (("first", "first 30 s"), ("second", "the 30 s after")):
        ours, plain = times[f"ours {period}"], times[f"plain {period}"]
        yield Figure.of(f"{name}: {when}", ours, plain, ratio_at_least(2.2), "images/s")


def _server_turn(checkpoint: Path, photo: Path) -> dict[str, float]:
    with fresh_home() as home:
        model = home.run([*DETRDESK, "models", "add", str(checkpoint)]).output.split()[0]
        _convert(home, model)
        port = free_port()
        ours = _served(home, port, photo, *DETRDESK, "serve", "--port", str(port), "--model", model)
    with fresh_home() as home:
        port = free_port()
        plain = _served(home, port, photo, sys.executable, str(PLAIN_SERVICE), str(checkpoint), str(port))
    return {"ours first": ours[0], "ours second": ours[1], "plain first": plain[0], "plain second": plain[1]}


def _convert(home: Home, model: str) -> None:
    """Convert an added model, unless adding it did."""
    home.run([sys.executable, "-c", _CONVERT, model])
    home.wait_for_conversions(LONGEST_CONVERSION)


def _served(home: Home, port: int, photo: Path, *command: str) -> tuple[float, float]:
    """Return images per second of a server that was just started, in its first and its second period."""
    with running_server(port, command, home.environment) as url:
        return rates(answer_times(url, photo, 2 * PERIOD), PERIOD)


def _repeat(turn: Turn, runs: int) -> dict[str, list[float]]:
    """Return the figures of each way, turn by turn."""
    turns = [turn() for _ in range(runs)]
    return {way: [each[way] for each in turns] for way in turns[0]}


def _few(workspace: Workspace) -> int:
    return (workspace.runs + 1) // 2
