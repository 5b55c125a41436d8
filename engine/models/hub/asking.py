"""Requests to the hub's API: cancellable, with a time limit, retried after temporary failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.errors import EngineError
from engine.models.hub.again import asked_wait, is_passing, status_of
from engine.models.hub.background import result_of
from engine.models.hub.control import Control, PausedError
from engine.models.hub.failures import Asker, explained
from engine.models.hub.patience import Patience

T = TypeVar("T")
Waiting = Callable[[float], None]
"""Receives the seconds until the next attempt."""


def answer_of(
    question: Callable[[], T],
    asker: Asker,
    control: Control,
    patience: Patience,
    waiting: Waiting = lambda seconds: None,
) -> T:
    """Return the hub's answer.

    A busy hub is asked again after the time that it names. An unreachable hub is not retried, so that a missing network
    is reported at once.

    Raises:
        HubError: the request failed.
        CancelledError: `control` was cancelled.
    """
    failures = 0
    while True:
        try:
            return result_of(question, control.check, patience.answer)
        except EngineError:
            raise
        except Exception as error:
            failures += 1
            if status_of(error) is None or not is_passing(error):
                raise explained(error, asker) from error
            wait_out(error, failures, asker, control, patience, waiting)


def wait_out(
    error: Exception, failures: int, asker: Asker, control: Control, patience: Patience, waiting: Waiting
) -> None:
    """Wait as long as the hub asks, else with exponential backoff.

    Raises:
        HubError: there were too many failures, or the hub asks for too long a wait.
        CancelledError: `control` was cancelled.
    """
    asked = asked_wait(error)
    if failures > patience.attempts or (asked is not None and asked > patience.asked):
        raise explained(error, asker) from error
    wait = patience.wait(failures) if asked is None else asked
    waiting(wait)
    try:
        control.wait(wait)
    except PausedError:
        control.rest()
