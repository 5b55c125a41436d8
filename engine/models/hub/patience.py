"""Timeouts and retries of requests to the hub."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts and retries; times in seconds.

    Attributes:
        connect: Timeout of a connection.
        answer: Timeout of a complete answer of the hub's API.
        silence: Timeout between two chunks of a file.
        attempts: Most attempts in a row without progress.
        first: Wait before the second attempt; doubles with each further one.
        longest: Upper limit of those waits.
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
        """Return the seconds to wait after this many failures in a row (at least 1)."""
        return min(self.first * 2.0 ** (failures - 1), self.longest)
