"""The one queue: order, limits, giving up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from engine.errors import CancelledError, EngineError
from engine.inference.scheduler import Rank, Reservation, Scheduler


class Crowd:
    """Threads that ask for a turn while somebody else has it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.served: list[str] = []
        self.given_up: list[str] = []
        self._threads: list[threading.Thread] = []

    def ask(self, name: str, reservation: Reservation | None = None, cancelled: Callable[[], bool] = bool) -> None:
        """Begin to wait."""

        def wait() -> None:
            try:
                with self.scheduler.turn(cancelled, reservation):
                    self.served.append(name)
            except CancelledError:
                self.given_up.append(name)

        self._threads.append(threading.Thread(target=wait))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


def test_one_turn_at_a_time() -> None:
    scheduler, inside, most = Scheduler(), [0], [0]

    def work() -> None:
        for _ in range(50):
            with scheduler.turn():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0001)
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == ([0], [1])


def test_the_window_goes_first_then_places_in_the_order_they_were_taken() -> None:
    scheduler = Scheduler()
    crowd = Crowd(scheduler)
    first, second, third = scheduler.reserve(1), scheduler.reserve(1), scheduler.reserve(1)
    with scheduler.turn():
        for name, reservation in (("third", third), ("first", first), ("window", None), ("second", second)):
            crowd.ask(name, reservation)
            time.sleep(0.03)
    crowd.join()
    assert crowd.served == ["window", "first", "second", "third"]


def test_each_image_takes_a_place_until_its_turn() -> None:
    scheduler = Scheduler(4)
    with scheduler.reserve(3) as reservation:
        assert scheduler.waiting == 3
        with pytest.raises(EngineError, match="4 images are waiting"):
            scheduler.reserve(2)
        with scheduler.turn(reservation=reservation):
            assert scheduler.waiting == 2
        with scheduler.reserve(2):
            assert scheduler.waiting == 4
    assert scheduler.waiting == 0


def test_the_window_needs_no_place() -> None:
    scheduler = Scheduler(1)
    with scheduler.reserve(1), scheduler.turn():
        assert scheduler.waiting == 1


def test_work_behind_the_back_goes_last_and_takes_no_place() -> None:
    scheduler = Scheduler(1)
    crowd = Crowd(scheduler)
    many, ahead = scheduler.behind(Rank.MANY), scheduler.behind(Rank.AHEAD)
    api = scheduler.reserve(1)
    with scheduler.turn():
        for name, reservation in (("many", many), ("ahead", ahead), ("api", api), ("window", None)):
            crowd.ask(name, reservation)
            time.sleep(0.03)
    crowd.join()
    assert crowd.served == ["window", "api", "ahead", "many"]
    with scheduler.turn(reservation=many):
        assert scheduler.waiting == 0


def test_what_nobody_waits_for_is_dropped_and_costs_no_turn() -> None:
    scheduler, gone = Scheduler(), threading.Event()
    crowd = Crowd(scheduler)
    with scheduler.turn():
        with scheduler.reserve(1) as leaving:
            crowd.ask("leaving", leaving, gone.is_set)
            staying = scheduler.reserve(1)
            crowd.ask("staying", staying)
            time.sleep(0.02)
            gone.set()
            time.sleep(0.2)
            assert crowd.given_up == ["leaving"]
        assert scheduler.waiting == 1
    crowd.join()
    assert crowd.served == ["staying"]


def test_a_turn_that_fails_is_over() -> None:
    scheduler = Scheduler()
    with pytest.raises(ZeroDivisionError), scheduler.turn():
        raise ZeroDivisionError
    with scheduler.turn():
        pass


def test_a_cancelled_caller_gets_no_turn_even_when_it_is_free() -> None:
    with pytest.raises(CancelledError), Scheduler().turn(lambda: True):
        pytest.fail("had a turn")


def test_room_for_decoded_images_is_bounded_and_goes_by_arrival() -> None:
    scheduler = Scheduler()
    entered: list[int] = []
    release = threading.Event()
    reservation = [scheduler.reserve(1) for _ in range(6)]

    def decode(at: int) -> None:
        with scheduler.room(reservation[at]):
            entered.append(at)
            release.wait(5)

    threads = [threading.Thread(target=decode, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    time.sleep(0.1)
    assert entered == [0, 1, 2, 3]
    release.set()
    for thread in threads:
        thread.join()
    assert sorted(entered) == list(range(6))
