"""JSON bodies, their long texts set aside; what cannot be parsed quickly is refused."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api.errors import RequestError
from engine.api.json_body import read_json
from engine.image import inline

MEBIBYTE = 1 << 20
LONG = 3000

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | texts | st.builds(lambda t: t * 400, texts),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def restored(body: Any, value: Any) -> Any:
    """The value with its long texts in their places again."""
    if isinstance(value, str):
        return b"".join(body.pieces(value)).decode()
    if isinstance(value, list):
        return [restored(body, each) for each in value]
    if isinstance(value, dict):
        return {restored(body, key): restored(body, each) for key, each in value.items()}
    return value


@settings(max_examples=200)
@given(st.dictionaries(texts, values, max_size=4), st.booleans())
def test_everything_comes_back(given: dict[str, Any], ascii_only: bool) -> None:
    body = read_json(json.dumps(given, ensure_ascii=ascii_only).encode())
    assert restored(body, body.fields) == given


@pytest.mark.parametrize("escaped", ["/", "\n", "+", '"'])
def test_long_texts_are_unpacked_in_pieces(monkeypatch: pytest.MonkeyPatch, escaped: str) -> None:
    """Some clients write / as \\/ and + as \\u002B."""
    monkeypatch.setattr("engine.api.json_body.PIECE", 64)
    text = "".join(random.Random(at).choice(["a", "b", escaped]) for at in range(LONG))
    written = json.dumps(text).replace("/", "\\/").replace("+", "\\u002B")
    body = read_json(f'{{"image": {written}}}'.encode())
    assert b"".join(body.pieces(body.fields["image"])).decode() == text


def test_a_long_text_is_not_copied_into_the_object() -> None:
    body = read_json(b'{"a": "%b", "b": "short"}' % (b"x" * MEBIBYTE))
    assert len(body.fields["a"]) < 100
    assert body.fields["b"] == "short"
    assert [len(piece) for piece in body.pieces(body.fields["a"])] == [inline.PIECE] * (MEBIBYTE // inline.PIECE)


def test_a_sign_cannot_be_guessed() -> None:
    signs = {read_json(b'{"a": "%b"}' % (b"x" * LONG)).fields["a"] for _ in range(10)}
    assert len(signs) == 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": "' + b"x" * LONG,
        b'{"a": "' + b"x" * LONG + b"\\",
        b'{"a": "' + b"x" * LONG + b'\\"}',
        b'{"a" "' + b"x" * LONG + b'"}',
        b'"' + b"x" * LONG + b'"',
        b"[1]",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b"[" * MEBIBYTE,
        bytes(MEBIBYTE),
        b" " * MEBIBYTE,
    ],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_json(body)
    assert caught.value.code == "bad_json"


@pytest.mark.parametrize("text", [b"\xff", b"\\x", b"\\ud800", b"\n"])
def test_a_long_text_that_is_no_text_is_refused_when_it_is_unpacked(text: bytes) -> None:
    body = read_json(b'{"a": "%b"}' % (b"x" * LONG + text))
    with pytest.raises(RequestError) as caught:
        b"".join(body.pieces(body.fields["a"]))
    assert caught.value.code == "bad_json"


HOSTILE = {
    "objects": b'{"a": [' + b"{}," * (10 * MEBIBYTE) + b"{}]}",
    "numbers": b'{"a": [' + b"0," * (15 * MEBIBYTE) + b"0]}",
    "texts": b'{"a": ["' + b'","' * (10 * MEBIBYTE) + b'"]}',
    "keys": b"{" + b",".join(b'"%d":1' % at for at in range(MEBIBYTE)) + b"}",
    "quotes": b'{"a": "' + b'\\"' * (15 * MEBIBYTE) + b'"}',
    "spaces": b"{" + b" " * (31 * MEBIBYTE) + b"}",
}


@pytest.mark.alone
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_takes_long_to_parse_is_refused_at_once(kind: str) -> None:
    """Ten million objects would stop every other thread for seconds, and take gigabytes."""
    started = time.process_time()
    with pytest.raises(RequestError) as caught:
        read_json(HOSTILE[kind])
    assert caught.value.code == "too_much_json"
    assert time.process_time() - started < 0.5


@pytest.mark.alone
def test_backslashes_take_no_time() -> None:
    started = time.process_time()
    text = (b"\\" * 1000 + b'\\"') * 15_000
    body = read_json(b'{"a": "%b"}' % text)
    assert set(body.fields) == {"a"}
    assert time.process_time() - started < 2
