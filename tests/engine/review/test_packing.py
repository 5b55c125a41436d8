"""Detections as bytes and back, and bytes that are not what was packed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.detect.detection import Detections, Timing
from engine.review.packing import describe, pack, unpack


def some(count: int = 5, first_id: int = 0) -> Detections:
    chance = np.random.default_rng(count)
    found = Detections.from_arrays(
        chance.random(count, np.float32),
        np.arange(first_id, first_id + count, dtype=np.int64),
        chance.random((count, 4), np.float32) * 400,
        {0: "二维码", 7: "half \ud83d", -1: ""},
        640,
        480,
    )
    return replace(found, model="starter", device="cuda:0", runtime="torch", timing=Timing(1, 2, 3, 4))


def assert_same(one: Detections | None, other: Detections) -> None:
    """Equal bit for bit, the timing aside."""
    assert one is not None
    for field in ("scores", "label_ids", "boxes", "indices"):
        ours, theirs = getattr(one, field), getattr(other, field)
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert ours.tobytes() == theirs.tobytes()
    for field in ("names", "width", "height", "model", "device", "runtime"):
        assert getattr(one, field) == getattr(other, field)
    assert one.timing == Timing()


@given(
    st.integers(0, 40).flatmap(
        lambda count: st.tuples(
            arrays(np.float32, count), arrays(np.int64, count), arrays(np.float32, (count, 4)), st.integers(1, 2**31)
        )
    )
)
def test_every_bit_survives(drawn: tuple[np.ndarray, np.ndarray, np.ndarray, int]) -> None:
    scores, label_ids, boxes, width = drawn
    indices = np.arange(len(scores), dtype=np.int64)
    found = Detections(scores, label_ids, boxes, {1: "face"}, width, 1, model="模型", indices=indices)
    assert_same(unpack(pack(found), describe(found)), found)


@pytest.mark.parametrize("first_id", [0, 65_535 - 4, 65_536, -3])
def test_label_ids_of_any_size_survive(first_id: int) -> None:
    found = some(first_id=first_id)
    assert_same(unpack(pack(found), describe(found)), found)


def test_300_detections_take_less_than_7_kilobytes() -> None:
    assert len(pack(some(300))) < 7000


def test_arrays_can_be_written_to_like_those_of_a_run() -> None:
    found = unpack(pack(some()), describe(some()))
    assert found is not None
    assert all(array.flags.writeable for array in (found.scores, found.label_ids, found.boxes, found.indices))


@pytest.mark.parametrize("cut", range(len(pack(some()))))
def test_a_cut_blob_is_absent(cut: int) -> None:
    assert unpack(pack(some())[:cut], describe(some())) is None


@given(st.integers(0, len(pack(some())) - 1), st.integers(1, 255))
def test_a_changed_byte_is_absent(at: int, change: int) -> None:
    packed = bytearray(pack(some()))
    packed[at] ^= change
    assert unpack(bytes(packed), describe(some())) is None


@pytest.mark.parametrize(
    "about", ["", "{", "[]", "{}", '{"names": []}', '{"names": {"a": "b"}}', "null", "[" * 100_000]
)
def test_a_damaged_description_is_absent(about: str) -> None:
    assert unpack(pack(some()), about) is None


@given(st.binary(max_size=300))
def test_garbage_is_absent(garbage: bytes) -> None:
    assert unpack(garbage, describe(some())) is None
