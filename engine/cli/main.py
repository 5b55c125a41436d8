"""The command line: `detrdesk detect`, `serve`, `models`, `bench` and `doctor`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine import __version__
from engine.cli.exit_codes import INTERRUPTED, NOBODY_READS, USAGE
from engine.cli.models import add_models_arguments, run_models
from engine.detect.tiling import LEAST_SIDE, MOST_SIDE, USUAL_SIDE

COMMANDS = ("detect", "serve", "models", "bench", "doctor")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the commands that need no window."""
    parser = argparse.ArgumentParser(
        prog="detrdesk",
        usage="detrdesk [FILE|FOLDER|URL ...]\n       detrdesk detect SOURCE... [options]\n"
        "       detrdesk serve [options]\n       detrdesk models [COMMAND]\n"
        "       detrdesk bench [options]\n       detrdesk doctor",
        description="Review object detections of DETR models. Without a command the window opens on what is named.",
    )
    parser.add_argument("--version", action="version", version=f"detrdesk {__version__}")
    commands = parser.add_subparsers(prog="detrdesk", dest="command", metavar="{detect,serve,models,bench,doctor}")
    _add_detect(commands.add_parser("detect", help="detect in images and print, draw or write what was found"))
    _add_serve(commands.add_parser("serve", help="answer detection requests over HTTP"))
    models = commands.add_parser("models", help="list, add, download, describe and check models")
    add_models_arguments(models, _threshold, _top_k)
    _add_bench(commands.add_parser("bench", help="measure a model's speed here, beside plain transformers"))
    commands.add_parser("doctor", help="show versions, devices, display and folders, and how to mend what is wrong")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 some images failed, 2 wrong usage, 130 interrupted, 141 nobody reads what it prints any more (`| head`).
    """
    parser = build_parser()
    given = parser.parse_args(argv)
    try:
        code = _run(parser, given)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
        return NOBODY_READS


def _run(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    if given.command == "detect":
        if given.resume and given.json_lines is None:
            parser.error("--resume goes with --json-lines FILE")
        return _detect(given)
    if given.command == "serve":
        from engine.cli.serve import run_serve

        return run_serve(given)
    if given.command == "models":
        return run_models(given)
    if given.command == "bench":
        return _bench(given)
    if given.command == "doctor":
        from engine.cli.doctor import run_doctor

        return run_doctor()
    parser.print_help(sys.stderr)
    return USAGE


def _detect(given: argparse.Namespace) -> int:
    try:
        from engine.cli.detect import run_detect

        return run_detect(given)
    except KeyboardInterrupt:
        return INTERRUPTED


def _bench(given: argparse.Namespace) -> int:
    try:
        from engine.cli.bench import run_bench

        return run_bench(given)
    except KeyboardInterrupt:
        return INTERRUPTED


def _add_detect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="file, folder, URL, data: URI or base64 text")
    parser.add_argument("--model", help="name of a model or checkpoint folder (default: the bundled starter)")
    parser.add_argument(
        "--threshold", type=_threshold, help="keep scores greater than this, 0 to 1 (default: the model's, else 0.5)"
    )
    parser.add_argument("--top-k", type=_top_k, metavar="N", help="keep at most the N best of an image")
    parser.add_argument(
        "--json", dest="json_out", metavar="FILE", help="write the API's answer here; - is standard output"
    )
    parser.add_argument(
        "--image-out",
        type=Path,
        metavar="PATH",
        help="write the annotated image here (several images: into this folder)",
    )
    parser.add_argument(
        "--json-lines",
        type=Path,
        metavar="FILE",
        help="write each image's answer here as it comes, one a line",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the FILE of --json-lines: leave out what it has"
    )
    parser.add_argument(
        "--tiles",
        type=_side,
        nargs="?",
        const=USUAL_SIDE,
        metavar="SIDE",
        help=f"look at large images in tiles of SIDE pixels ({USUAL_SIDE}), too: finds small things, takes longer",
    )
    parser.add_argument("--fresh", action="store_true", help="ask the model even where its answer is known already")
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    parser.add_argument("--quiet", action="store_true", help="print no table and no progress")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    """Each option's `dest` is the setting that it replaces; `None` leaves the setting as it is."""
    parser.add_argument("--host", help="address to listen on; others than this machine's need a key (127.0.0.1)")
    parser.add_argument("--port", type=_port, help="port to listen on, 0 for a free one (8080)")
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="file with the key that clients must send")
    parser.add_argument("--queue", type=_top_k, metavar="N", help="images that may wait for their turn (32)")
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    for option, setting, shown, text in (
        ("--model", "models", "MODEL", "name, folder or NAME=FOLDER; the first is the default"),
        ("--allow-origin", "allow_origins", "ORIGIN", "web site whose pages may ask, * for all"),
        ("--allow-host", "allow_hosts", "NAME", "name that this server has beside the machine's own, * for all"),
        ("--allow-image-host", "allow_image_hosts", "NAME", "host of image URLs that may have a private address"),
    ):
        parser.add_argument(option, dest=setting, nargs="+", action="extend", metavar=shown, help=text)
    for option, text in (
        ("--no-key", "listen on any address without a key"),
        ("--allow-private-image-hosts", "let image URLs lead to private addresses"),
        ("--log-json", "write the access log as JSON"),
        ("--wait-for-fast", "convert the models for this processor before answering"),
    ):
        parser.add_argument(option, action="store_true", default=None, help=text)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="name of a model or checkpoint folder (default: the bundled starter)")
    parser.add_argument("--image", nargs="+", action="extend", metavar="FILE", help="images (default: a bundled one)")
    parser.add_argument("--runs", type=_top_k, default=10, metavar="N", help="times each way is measured (default: 10)")
    parser.add_argument("--json", dest="json_out", metavar="FILE", help="write the figures here, too")
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (default: auto)")


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be a number from 0 to 65535")
    return value


def _threshold(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1")
    return value


def _side(text: str) -> int:
    if not (text.isdecimal() and LEAST_SIDE <= int(text) <= MOST_SIDE):
        range_told = f"from {LEAST_SIDE} to {MOST_SIDE} pixels"
        raise argparse.ArgumentTypeError(f"'{text}' is no side {range_told}; images go before this option")
    return int(text)


def _top_k(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value
