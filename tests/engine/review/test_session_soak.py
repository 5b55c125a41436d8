"""`kill -9` at random moments of reviewing: what was acknowledged is there, and the file opens (FAULTS 30)."""

from __future__ import annotations

import os
import pickle
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from engine.review.session import Session
from tests.children import PROJECT
from tests.engine.review import killed_review
from tests.engine.review.plain_review import PlainReview, is_same

LONGEST_S = 0.5


def review_and_kill(path: Path, state: Path, wait_s: float) -> int:
    """Let another process review that long from its first move on; how many moves it said were done."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, killed_review.__file__, str(path), str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        first = child.stdout.readline()
        time.sleep(wait_s)
        child.kill()
        lines = [first, *child.stdout.read().splitlines(keepends=True)]
        stderr = child.stderr.read()
    said = [int(line) for line in lines if line.endswith("\n")]
    assert said, stderr
    return said[-1]


def assert_kept(path: Path, expected: list[PlainReview]) -> PlainReview:
    """The session is in one of these states, whole; which one."""
    session = Session.open(path)
    try:
        assert session.notice is None
        found = [plain for plain in expected if is_same(session, plain) and session.undo_text == plain.undo_text]
        assert found
        plain = found[0]
        assert session.redo_text == plain.redo_text
        assert session.next_id == plain.next_id
        assert all(len(detections) == 300 for _, detections in session.all_detections("f" * 32))
    finally:
        session.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    return plain


@pytest.mark.skipif(sys.platform == "win32", reason="needs a process that can be killed at any moment")
@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.soak)])
def test_a_kill_loses_nothing_that_was_decided(tmp_path: Path, kills: int) -> None:
    """The last move may be done though nobody heard of it."""
    path, state = tmp_path / "会话.detrdesk", tmp_path / "state"
    plain, chance = PlainReview(), random.Random(4)
    for seed in range(kills):
        state.write_bytes(pickle.dumps((plain, seed)))
        moves = review_and_kill(path, state, chance.uniform(0, LONGEST_S))
        plain = assert_kept(path, [killed_review.after(plain, seed, moves + extra) for extra in (0, 1)])
    session = Session.open(path)
    while plain.done:
        assert session.undo() == plain.undo()
    assert is_same(session, plain)
    session.close()
