"""The command `detrdesk`: the window, or a command of the engine."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path

OUTPUT = "detrdesk-output"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    from engine.cli.main import COMMANDS
    from engine.cli.main import main as run_command

    if given and given[0] in COMMANDS:
        return run_command(given)
    if any(text in ("-h", "--help", "--version") for text in given):
        return run_command(given)
    from engine.cli.display import install_command, missing_library, no_display

    reason = no_display()
    if reason is not None:
        return _without_window(reason, given)
    library = missing_library()
    if library is not None:
        print(f"detrdesk: the window needs {library}; install it with: {install_command()}", file=sys.stderr)
        return 1
    gc.disable()  # until the window is shown: start-up makes no garbage
    from desktop.app import main as open_window

    return open_window(given)


def _without_window(reason: str, given: list[str]) -> int:
    """Detect in what was named, or in a sample, and write image and JSON files."""
    from engine.cli.main import main as run_command
    from engine.paths import resource

    print(f"There is no display ({reason}), so no window: detecting without one.", flush=True)
    sources = given or [str(resource("samples", "parcels.jpg"))]
    return run_command(["detect", *sources, "--image-out", OUTPUT, "--json", str(Path(OUTPUT, "detections.json"))])


if __name__ == "__main__":
    sys.exit(main())
