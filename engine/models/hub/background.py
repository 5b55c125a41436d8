"""Blocking work in a thread that can be abandoned."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_EVERY = 0.05
"""Seconds between two calls of `check`."""
_AHEAD = 8
"""Most items produced in advance."""


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def items_of(make: Callable[[], Iterator[T]], check: Callable[[], None], seconds: float) -> Generator[T]:
    """Yield the items of an iterator that runs in its own thread.

    Name lookup, connecting and reading cannot be interrupted; an abandoned thread ends by their timeouts while the
    caller continues at once.

    Args:
        make: Makes the iterator, in that thread; a generator's clean-up runs there too.
        check: Called every 50 ms; an exception from it ends the wait.
        seconds: Longest wait for one item.

    Raises:
        TimeoutError: no item within `seconds`.
        Exception: whatever the iterator raises.
    """
    items: queue.Queue[_Item[T] | _End] = queue.Queue(_AHEAD)
    unwanted = threading.Event()
    threading.Thread(target=_produce, args=(make, items, unwanted), name="hub", daemon=True).start()
    try:
        while isinstance(item := _next(items, check, seconds), _Item):
            yield item.value
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()


def result_of(work: Callable[[], T], check: Callable[[], None], seconds: float) -> T:
    """Return the result of `work`; see `items_of`."""
    return next(items_of(lambda: iter((work(),)), check, seconds))


def _next(items: queue.Queue[_Item[T] | _End], check: Callable[[], None], seconds: float) -> _Item[T] | _End:
    until = time.monotonic() + seconds
    while True:
        check()
        try:
            return items.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            if time.monotonic() >= until:
                raise TimeoutError from None


def _produce(make: Callable[[], Iterator[T]], items: queue.Queue[_Item[T] | _End], unwanted: threading.Event) -> None:
    end = _End(None)
    try:
        made = make()
        try:
            for value in made:
                if not _put(items, _Item(value), unwanted):
                    return
        finally:
            if isinstance(made, Generator):
                made.close()
    except BaseException as error:
        end = _End(error)
    _put(items, end, unwanted)


def _put(items: queue.Queue[_Item[T] | _End], item: _Item[T] | _End, unwanted: threading.Event) -> bool:
    while not unwanted.is_set():
        try:
            items.put(item, timeout=_LOOK_EVERY)
        except queue.Full:
            continue
        return True
    return False
