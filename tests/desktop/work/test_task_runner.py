"""TaskRunner: order, cancelling, failures, stopping."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QThread
from pytestqt.qtbot import QtBot

from desktop.work.task_runner import Task, TaskRunner
from engine.errors import CancelledError, EngineError


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[TaskRunner]:
    made = TaskRunner("test")
    yield made
    assert made.stop(5.0)


class Gate:
    """Holds a task back until it is opened."""

    def __init__(self) -> None:
        self.begun, self.opened = threading.Event(), threading.Event()

    def work(self, task: Task) -> str:
        self.begun.set()
        assert self.opened.wait(5.0)
        return f"task {task.number}"


def test_a_result_is_delivered_in_the_gui_thread(runner: TaskRunner, qtbot: QtBot) -> None:
    threads: list[object] = []
    here = QThread.currentThread()

    def work(task: Task) -> int:
        threads.append(QThread.currentThread())
        return task.number

    results: list[int] = []
    runner.run(work, lambda number: (results.append(number), threads.append(QThread.currentThread())))
    qtbot.waitUntil(lambda: bool(results))
    assert results == [1]
    assert threads[0] is not here
    assert threads[1] is here


def test_tasks_of_one_thread_form_a_queue(runner: TaskRunner, qtbot: QtBot) -> None:
    begun: list[int] = []
    results: list[int] = []
    gate = Gate()
    runner.run(gate.work)
    for number in range(20):
        runner.run(lambda task, number=number: begun.append(number) or number, results.append)  # type: ignore[misc]
    assert gate.begun.wait(5.0)
    assert begun == []
    gate.opened.set()
    qtbot.waitUntil(lambda: len(results) == 20)
    assert begun == results == list(range(20))


@pytest.mark.parametrize(("threads", "most"), [(2, 2), (None, 5)])
def test_a_pool_runs_as_many_as_it_may(threads: int | None, most: int, qtbot: QtBot) -> None:
    runner = TaskRunner("pool", threads=threads, is_lowest_priority=True)
    gates = [Gate() for _ in range(5)]
    for gate in gates:
        runner.run(gate.work)
    qtbot.waitUntil(lambda: sum(gate.begun.is_set() for gate in gates) == most)
    qtbot.wait(20)
    assert sum(gate.begun.is_set() for gate in gates) == most
    for gate in gates:
        gate.opened.set()
    assert runner.wait(5.0)
    assert all(gate.begun.is_set() for gate in gates)


def test_only_the_newest_request_is_answered(runner: TaskRunner, qtbot: QtBot) -> None:
    gate, results = Gate(), []
    first = runner.run(gate.work, results.append)
    assert gate.begun.wait(5.0)
    for _ in range(3):
        runner.cancel()
        runner.run(lambda task: f"task {task.number}", results.append)
    assert first.cancelled()
    gate.opened.set()
    qtbot.waitUntil(lambda: bool(results))
    assert runner.wait(5.0)
    assert results == ["task 4"]


def test_what_was_cancelled_after_it_ended_is_not_delivered(runner: TaskRunner, qtbot: QtBot) -> None:
    results: list[object] = []
    runner.run(lambda task: 1, results.append)
    one = runner.run(lambda task: 2, results.append)
    assert runner.wait(5.0)  # both results wait for the event loop
    one.cancel()
    qtbot.waitUntil(lambda: bool(results))
    runner.run(lambda task: 3, results.append)
    assert runner.wait(5.0)
    runner.cancel()
    qtbot.wait(20)
    assert results == [1]


def test_reports_come_in_order_before_the_result(runner: TaskRunner, qtbot: QtBot) -> None:
    told: list[object] = []

    def work(task: Task) -> str:
        for number in range(3):
            task.report(number)
        return "done"

    runner.run(work, told.append, reported=told.append)
    qtbot.waitUntil(lambda: len(told) == 4)
    assert told == [0, 1, 2, "done"]


def test_failures_go_to_their_callback_or_to_the_signal(runner: TaskRunner, qtbot: QtBot) -> None:
    def work(task: Task) -> None:
        raise EngineError("some_code", f"number {task.number}")

    told: list[EngineError] = []
    with qtbot.assertNotEmitted(runner.failed):
        runner.run(work, failed=told.append)
        qtbot.waitUntil(lambda: bool(told))
    with qtbot.waitSignal(runner.failed) as signal:
        runner.run(work)
    assert [str(told[0]), str(signal.args[0])] == ["number 1", "number 2"]


def test_a_cancelled_error_is_no_failure(runner: TaskRunner, qtbot: QtBot) -> None:
    def work(task: Task) -> None:
        raise CancelledError

    with qtbot.assertNotEmitted(runner.failed, wait=20):
        runner.run(work, lambda result: pytest.fail("no result"))
        assert runner.wait(5.0)


def test_a_bug_is_told_once_and_the_next_task_runs(
    runner: TaskRunner, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bugs: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: bugs.append(error))
    results: list[object] = []
    with qtbot.waitSignal(runner.failed) as signal:
        runner.run(lambda task: 1 // 0)
        runner.run(lambda task: "fine", results.append)
    qtbot.waitUntil(lambda: bool(results))
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]
    assert signal.args[0].code == "bug"


def test_stop_cancels_and_tells_whether_the_threads_ended(qtbot: QtBot) -> None:
    runner, gate = TaskRunner("stopped"), Gate()
    results: list[object] = []
    running = runner.run(gate.work, results.append)
    waiting = runner.run(gate.work, results.append)
    assert gate.begun.wait(5.0)
    assert not runner.stop(0.02)
    assert running.cancelled()
    assert waiting.cancelled()
    gate.opened.set()
    assert runner.stop(5.0)
    assert runner.run(gate.work, results.append).cancelled()
    qtbot.wait(20)
    assert results == []


def test_a_runner_may_be_deleted_while_a_task_runs(qtbot: QtBot) -> None:
    runner, gate = TaskRunner("deleted"), Gate()
    runner.run(gate.work, lambda result: pytest.fail("no result"))
    assert gate.begun.wait(5.0)
    runner.deleteLater()
    qtbot.wait(20)
    gate.opened.set()
    assert runner.wait(5.0)
    qtbot.wait(20)


def test_a_thread_ends_when_no_task_waits(runner: TaskRunner, qtbot: QtBot) -> None:
    for _ in range(100):
        runner.run(lambda task: None)
    assert runner.wait(5.0)
    assert runner.wait(0.0)
