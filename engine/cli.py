"""The command line: `detrdesk detect` and `detrdesk doctor`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine import __version__

COMMANDS = ("detect", "doctor")
DONE, SOME_FAILED, USAGE = 0, 1, 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of the commands that need no window."""
    parser = argparse.ArgumentParser(
        prog="detrdesk",
        usage="detrdesk [FILE|FOLDER|URL ...]\n       detrdesk detect SOURCE... [options]\n       detrdesk doctor",
        description="Review object detections of DETR models. Without a command the window opens on what is named.",
    )
    parser.add_argument("--version", action="version", version=f"detrdesk {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="{detect,doctor}")
    _add_detect(commands.add_parser("detect", help="detect in images and print, draw or write what was found"))
    commands.add_parser("doctor", help="show versions, devices, display and folders, and how to mend what is wrong")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 some images failed, 2 wrong usage."""
    parser = build_parser()
    given = parser.parse_args(argv)
    if given.command == "detect":
        from engine.detect_command import run_detect

        return run_detect(given)
    if given.command == "doctor":
        from engine.doctor import run_doctor

        return run_doctor()
    parser.print_help(sys.stderr)
    return USAGE


def _add_detect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="file, folder, URL, data: URI or base64 text")
    parser.add_argument("--model", help="name of a model or checkpoint folder (default: the bundled starter)")
    parser.add_argument(
        "--threshold", type=_threshold, default=0.5, help="keep scores greater than this, 0 to 1 (default: 0.5)"
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
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    parser.add_argument("--quiet", action="store_true", help="print no table and no progress")


def _threshold(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1")
    return value


def _top_k(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value
