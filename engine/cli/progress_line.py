"""Progress of a long command on standard error."""

from __future__ import annotations

import sys


class ProgressLine:
    """A line that is overwritten where standard error is a terminal; elsewhere a new line for each step."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown = ""
        self._step: object = None

    def show(self, text: str, step: object) -> None:
        """Show how far the work is.

        Args:
            text: One line.
            step: What it shows, coarsely; outside of a terminal nothing is printed while this stays the same.
        """
        if self._is_terminal:
            print(f"\r{text:<{len(self._shown)}}", end="", file=sys.stderr, flush=True)
            self._shown = text
        elif step != self._step:
            print(text, file=sys.stderr, flush=True)
            self._step = step

    def end(self) -> None:
        """Begin a new line on a terminal, if anything was shown."""
        if self._shown:
            print(file=sys.stderr)
            self._shown = ""
