"""Timeouts and retries of requests to the hub."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """All times in seconds.

    Attributes:
        connect: For a connection.
        answer: For a whole answer of the hub's API.
        silence: Between two pieces of a file.
        attempts: How often something is tried again that does not get on.
        first: Wait before the second attempt; it doubles with each.
        longest: Longest of those waits.
        asked: Longest wait that the hub may ask for with `Retry-After`.
    """

    connect: float = 8.0
    answer: float = 15.0
    silence: float = 20.0
    attempts: int = 5
    first: float = 1.0
    longest: float = 30.0
    asked: float = 300.0

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, from 1."""
        return min(self.first * 2.0 ** (failures - 1), self.longest)
