"""Reviews at random until it is killed: `python killed_review.py SESSION STATE`, a line a move that is done."""

from __future__ import annotations

import itertools
import pickle
import random
import sys
import threading
from pathlib import Path

from engine.review.session import Session
from tests.engine.review.plain_review import PlainReview, move
from tests.engine.review.test_packing import some


def main(path: Path, state: Path) -> None:
    """Go on from the plain review in `state`, with the seed that is beside it."""
    plain, seed = pickle.loads(state.read_bytes())
    session = Session.open(path)
    if session.notice is not None:
        raise session.notice
    threading.Thread(target=put_detections, args=(session, seed), daemon=True).start()
    ours, theirs = random.Random(seed), random.Random(seed)
    for number in itertools.count(1):
        assert move(session, ours) == move(plain, theirs)
        print(number, flush=True)


def put_detections(session: Session, seed: int) -> None:
    """As a worker does meanwhile."""
    for number in itertools.count():
        session.put_detections(f"{seed}-{number % 50}", "f" * 32, some(300))
        session.note_image(f"/图/{number}.jpg", f"{seed}-{number % 50}", "图.jpg", 640, 480)


def after(plain: PlainReview, seed: int, moves: int) -> PlainReview:
    """What is to be found when that many moves were done; `plain` stays as it is."""
    copy: PlainReview = pickle.loads(pickle.dumps(plain))
    chance = random.Random(seed)
    for _ in range(moves):
        move(copy, chance)
    return copy


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
